/* Stops go to another tour, ticked or dragged onto it; what that costs both stands there before it counts. */

import { doneAndAgain, send, tell } from "./acts.js";
import { clock, minutes, route, version } from "./tour.js";

/** @typedef {{external_id: string, extra_s: number | null, late: number, was_late: number}} TourCost */
/** @typedef {{external_id: string, stop_id: string, late_s: number}} MovedStop */
/** @typedef {{leaves: TourCost, comes_to: TourCost, stops: MovedStop[], fetches: {name: string, arrival: string, stops: string[]}[]}} MoveCost */

const ASKED_AFTER_MS = 150;

const panel = document.getElementById("move");
if (panel) movable(panel, /** @type {HTMLElement} */ (document.getElementById("ahead")));

/** @param {HTMLElement} move @param {HTMLElement} stops */
function movable(move, stops) {
  const ticks = /** @type {HTMLInputElement[]} */ ([...stops.querySelectorAll("[name=moved]")]);
  const tours = /** @type {HTMLInputElement[]} */ ([...move.querySelectorAll("[name=to]")]);
  const said = /** @type {HTMLElement} */ (document.getElementById("move-said"));
  const button = /** @type {HTMLButtonElement} */ (document.getElementById("move-apply"));
  let asking = 0;
  let asked = 0;

  stops.addEventListener("change", changed);
  move.addEventListener("change", changed);
  document.getElementById("all")?.addEventListener("click", () => {
    for (const tick of ticks) tick.checked = true;
    changed();
    tours[0].focus();
  });
  document.getElementById("move-undo")?.addEventListener("click", () => {
    for (const one of [...ticks, ...tours]) one.checked = false;
    changed();
  });
  button.addEventListener("click", apply);
  stops.addEventListener("dragstart", () => { if (ticks.length) move.hidden = false; });
  stops.addEventListener("dragend", changed);
  for (const tour of tours) {
    const place = /** @type {HTMLElement} */ (tour.closest("label"));
    place.addEventListener("dragover", (event) => {
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = "link";
      place.classList.add("over");
    });
    place.addEventListener("dragleave", () => place.classList.remove("over"));
    place.addEventListener("drop", (event) => {
      event.preventDefault();
      place.classList.remove("over");
      const tick = /** @type {HTMLInputElement | null} */ (stops.querySelector(".dragged [name=moved]"));
      if (tick) tick.checked = tour.checked = true;
    });
  }

  function changed() {
    const names = ticked();
    move.hidden = !names.length;
    button.disabled = true;
    said.replaceChildren();
    const mine = ++asked;
    clearTimeout(asking);
    if (names.length && chosen()) asking = setTimeout(() => ask(names, mine), ASKED_AFTER_MS);
  }

  /** @param {string[]} names @param {number} mine */
  async function ask(names, mine) {
    const to = /** @type {HTMLInputElement} */ (chosen()).value;
    const answer = await send(`GET /v1/routes/${route}/moves?stops=${names.join()}&to=${to}`, null);
    const cost = answer && /** @type {MoveCost} */ (await answer.json());
    if (!cost || mine !== asked) return;
    const of = new Map(cost.stops.map((one) => [one.stop_id, one.external_id]));
    const lines = [
      word("count").replace("{n}", String(names.length)), ends(cost.leaves), ends(cost.comes_to),
      ...cost.stops.filter((one) => one.late_s > 0).map((one) => `${one.external_id}: ${word("lateBy").replace("{minutes}", minutes(one.late_s))}`),
      ...cost.fetches.map((one) => word("fetches").replace("{name}", one.name).replace("{time}", clock.format(new Date(one.arrival)))
        .replace("{orders}", one.stops.map((id) => of.get(id)).join(", "))),
    ];
    said.replaceChildren(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
    button.disabled = false;
  }

  /** @param {TourCost} tour */
  function ends(tour) {
    const late = word("late").replace("{late}", String(tour.late)).replace("{was}", String(tour.was_late));
    if (tour.extra_s === null) return word("empty").replace("{tour}", tour.external_id);
    const name = Math.abs(tour.extra_s) < 30 ? "same" : tour.extra_s > 0 ? "later" : "earlier";
    return `${word(name).replace("{tour}", tour.external_id).replace("{minutes}", minutes(Math.abs(tour.extra_s)))} ${late}`;
  }

  async function apply() {
    if (!(/** @type {HTMLElement} */ (document.getElementById("cost")).hidden)) {
      tell(word("orderFirst"));
      return;
    }
    const to = /** @type {HTMLInputElement} */ (chosen());
    button.disabled = true;
    const body = { stops: ticked(), to: to.value, to_version: Number(to.dataset.version) };
    if (await send(`POST /v1/routes/${route}/moves`, body, version)) doneAndAgain();
    else button.disabled = false;
  }

  function ticked() {
    return ticks.filter((one) => one.checked).map((one) => one.value);
  }

  function chosen() {
    return tours.find((one) => one.checked);
  }

  /** @param {string} name */
  function word(name) {
    return /** @type {string} */ (move.dataset[name]);
  }
}
