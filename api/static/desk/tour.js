/* A tour is brought into another order, by hand or by keyboard; what that costs stands there before it counts. */

import { doneAndAgain, send, tell } from "./acts.js";

const ASKED_AFTER_MS = 150;
const LOOK_MS = 10_000;
const EDGE_PX = 80; // of the screen: who drags there wants to go on

const tour = /** @type {HTMLElement} */ (document.getElementById("tour"));
export const { route, version, zone, language, cycle } = /** @type {Record<string, string>} */ (tour.dataset);
const list = document.querySelector("[data-orderable]");
const manner = navigator.languages.find((one) => one.startsWith(language)) ?? language;
const hours = /** @type {"h12" | "h23"} */ (cycle); // as the page writes the times that stand in it
export const clock = new Intl.DateTimeFormat(manner, {
  timeZone: zone, hourCycle: hours, hour: hours === "h12" ? "numeric" : "2-digit", minute: "2-digit",
});

if (list) orderable(/** @type {HTMLElement} */ (list));
setInterval(look, LOOK_MS);

/** Tell when somebody else changed the tour; what is meant here stays as it is. */
async function look() {
  if (document.hidden) return;
  const response = await fetch(`/v1/routes/${route}`, { method: "HEAD" }).catch(() => null);
  const there = response?.ok ? response.headers.get("ETag") : null;
  if (there && there !== `"${version}"`) tell(/** @type {string} */ (document.getElementById("told")?.dataset.overtaken), true);
}

/** @param {HTMLElement} stops */
function orderable(stops) {
  const cost = /** @type {HTMLElement} */ (document.getElementById("cost"));
  const first = [...stops.children];
  const shown = new Map(first.map((row) => [row, arrival(row).innerHTML]));
  let asking = 0;
  let asked = 0;
  /** @type {Element | null} */
  let dragged = null;
  /** @type {Element | null} */
  let next = null;

  stops.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("[data-move]")) : null;
    if (button) move(/** @type {Element} */ (button.closest("li")), Number(button.dataset.move), button);
  });
  stops.addEventListener("keydown", (event) => {
    const row = event.target instanceof Element ? event.target.closest("li") : null;
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!row || !by || !event.altKey) return;
    event.preventDefault();
    move(row, by, /** @type {HTMLElement} */ (event.target));
  });
  stops.addEventListener("dragstart", (event) => {
    dragged = event.target instanceof Element ? event.target.closest("li") : null;
    dragged?.classList.add("dragged");
    next = dragged?.nextElementSibling ?? null;
  });
  stops.addEventListener("dragover", (event) => {
    const over = event.target instanceof Element ? event.target.closest("li") : null;
    if (!dragged || !over) return;
    event.preventDefault();
    place(dragged, over, event.clientY);
  });
  stops.addEventListener("dragend", (event) => {
    dragged?.classList.remove("dragged");
    if (dragged && event.dataTransfer?.dropEffect === "link") stops.insertBefore(dragged, next); // it went to another tour
    dragged = null;
    changed();
  });
  stops.addEventListener("pointerdown", (event) => {
    const grip = event.target instanceof Element ? event.target.closest(".grip") : null;
    const row = /** @type {HTMLElement | null} */ (grip?.closest("li") ?? null);
    if (row && event.pointerType !== "mouse") drag(row, event.pointerId);
  });
  document.getElementById("undo")?.addEventListener("click", () => { stops.append(...first); changed(); });
  document.getElementById("apply")?.addEventListener("click", apply);

  /** A finger drags by the grip; anywhere else it scrolls the page. @param {HTMLElement} row @param {number} finger */
  function drag(row, finger) {
    const over = new AbortController();
    // all of the page listens: a row that moves loses the finger that it was held by
    const on = (/** @type {"pointermove" | "pointerup" | "pointercancel"} */ kind, /** @type {(event: PointerEvent) => void} */ then) =>
      document.addEventListener(kind, (event) => { if (event.pointerId === finger) then(event); }, { signal: over.signal });
    const was = row.nextElementSibling;
    /** @param {string} kind @param {Element | null} under what the finger is over; null: it was let go nowhere */
    const told = (kind, under, y = 0) => !row.dispatchEvent(new CustomEvent(kind, { bubbles: true, cancelable: true, detail: { under, y } }));
    const end = (/** @type {Element | null} */ under) => {
      over.abort();
      if (told("letgo", under)) stops.insertBefore(row, was); // it goes to another tour
      row.draggable = true;
      row.classList.remove("dragged");
      changed();
    };
    row.draggable = false; // or a long press begins the browser's own dragging
    row.classList.add("dragged");
    on("pointermove", ({ clientX, clientY }) => {
      const under = document.elementFromPoint(clientX, clientY);
      if (told("carry", under, clientY)) return;
      const other = under?.closest("li");
      if (other?.parentElement === stops) place(row, other, clientY);
      if (clientY < EDGE_PX) scrollBy(0, -EDGE_PX / 4);
      if (clientY > innerHeight - EDGE_PX) scrollBy(0, EDGE_PX / 4);
    });
    on("pointerup", ({ clientX, clientY }) => end(document.elementFromPoint(clientX, clientY)));
    on("pointercancel", () => end(null));
  }

  /** @param {Element} row @param {Element} over @param {number} y */
  function place(row, over, y) {
    if (over === row) return;
    const { top, height } = over.getBoundingClientRect();
    if (y > top + height / 2) over.after(row); else over.before(row);
  }

  /** @param {Element} row @param {number} by @param {HTMLElement} focused */
  function move(row, by, focused) {
    const other = by < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    if (by < 0) other.before(row); else other.after(row);
    focused.focus();
    changed();
  }

  function changed() {
    clearTimeout(asking);
    asking = setTimeout(ask, ASKED_AFTER_MS);
  }

  async function ask() {
    const isSame = [...stops.children].every((row, n) => row === first[n]);
    for (const row of first) arrival(row).innerHTML = /** @type {string} */ (shown.get(row));
    cost.hidden = isSame;
    const mine = ++asked;
    if (isSame) return;
    const answer = await send(`GET /v1/routes/${route}/sequence?stops=${order().join()}`, null);
    const said = answer && await answer.json();
    if (!said || mine !== asked) return;
    for (const stop of said.stops) {
      const row = /** @type {Element} */ (stops.querySelector(`[data-stop="${stop.stop_id}"]`));
      const late = stop.late_s > 0 ? ` · ${word("lateBy").replace("{minutes}", minutes(stop.late_s))}` : "";
      const small = document.createElement("small");
      small.textContent = word("then");
      arrival(row).replaceChildren(small, `${clock.format(new Date(stop.arrival))}${late}`);
      row.classList.toggle("late", stop.late_s > 0);
    }
    const least = Math.abs(said.extra_s) < 30;
    const by = least ? word("same") : word(said.extra_s > 0 ? "later" : "earlier").replace("{minutes}", minutes(Math.abs(said.extra_s)));
    const late = word("late").replace("{late}", said.late).replace("{was}", said.was_late);
    /** @type {HTMLElement} */ (document.getElementById("cost-said")).textContent = `${by} ${late}`;
  }

  async function apply() {
    const button = /** @type {HTMLButtonElement} */ (document.getElementById("apply"));
    button.disabled = true;
    if (await send(`PUT /v1/routes/${route}/sequence`, { stops: order() }, version)) doneAndAgain();
    else button.disabled = false;
  }

  function order() {
    return [...stops.children].map((row) => /** @type {HTMLElement} */ (row).dataset.stop);
  }

  /** @param {string} name */
  function word(name) {
    return /** @type {string} */ (cost.dataset[name]);
  }
}

/** @param {Element} row */
function arrival(row) {
  return /** @type {HTMLElement} */ (row.querySelector("[data-arrival]"));
}

/** @param {number} seconds */
export function minutes(seconds) {
  return new Intl.NumberFormat(language, { maximumFractionDigits: 0 }).format(Math.max(1, Math.round(seconds / 60)));
}
