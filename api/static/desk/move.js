/* Stops go to another tour, ticked or dragged onto it; what that costs both stands there before it counts. */

import { doneAndAgain, send, tell } from "./acts.js";
import { clock, minutes, route, version } from "./tour.js";

/** @typedef {{external_id: string, extra_s: number | null, late: number, was_late: number}} TourCost */
/** @typedef {{external_id: string, stop_id: string, late_s: number}} MovedStop */
/** @typedef {{leaves: TourCost, comes_to: TourCost, stops: MovedStop[], fetches: {name: string, arrival: string, stops: string[]}[]}} MoveCost */

const ASKED_AFTER_MS = 150;
const EDGE_PX = 32; // of the tours that do not all fit: a finger there wants to see the others

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
  stops.addEventListener("carry", (event) => {
    const { under, y } = /** @type {CustomEvent<{under: Element | null, y: number}>} */ (event).detail;
    if (stops.querySelector(".dragged [name=moved]")) move.hidden = false;
    show(placeAt(under));
    if (!under || !move.contains(under)) return;
    event.preventDefault(); // the page stays where it is
    const box = /** @type {HTMLElement} */ (move.querySelector(".tours"));
    const { top, bottom } = box.getBoundingClientRect();
    if (y < top + EDGE_PX) box.scrollBy(0, -EDGE_PX / 4);
    if (y > bottom - EDGE_PX) box.scrollBy(0, EDGE_PX / 4);
  });
  stops.addEventListener("letgo", (event) => {
    const place = placeAt(/** @type {CustomEvent<{under: Element | null}>} */ (event).detail.under);
    show(null);
    if (place && give(place)) event.preventDefault();
    changed();
  });
  for (const tour of tours) {
    const place = /** @type {HTMLElement} */ (tour.closest("label"));
    place.addEventListener("dragover", (event) => {
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = "link";
      show(place);
    });
    place.addEventListener("dragleave", () => show(null));
    place.addEventListener("drop", (event) => {
      event.preventDefault();
      show(null);
      give(place);
    });
  }

  /** Give the tour that is at a place of the page. @param {Element | null} under */
  function placeAt(under) {
    const place = under?.closest("label") ?? null;
    return place && move.contains(place) ? place : null;
  }

  /** Show over which tour a stop is. @param {Element | null} place */
  function show(place) {
    for (const tour of tours) tour.closest("label")?.classList.toggle("over", tour.closest("label") === place);
  }

  /** Mean the stop that is dragged to go to a tour; false: it cannot. @param {Element} place */
  function give(place) {
    const tick = /** @type {HTMLInputElement | null} */ (stops.querySelector(".dragged [name=moved]"));
    if (tick) tick.checked = /** @type {HTMLInputElement} */ (place.querySelector("[name=to]")).checked = true;
    return tick !== null;
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
