/* Every van in a list and on a map. Data never moves what is selected, nor the list under the mouse. */

import { follow, STATES, vans } from "./vans.js";

/** @typedef {import("./vans.js").Van} Van */

const MOST_ROWS = 150;
const ROWS_MS = 1000;
const AGES_MS = 10_000; // rows say how old a place is, also of vans of which nothing comes
const LOOK_MS = 300; // a map that is dragged stands still for so long before the view is another
const MAP_MS = 400; // the map draws all it has with each change: some changes at once cost as much as one

const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const { names, routes, words } = JSON.parse(/** @type {string} */ (byId("known").textContent));
const { assets, language, tiles, attribution } = /** @type {Record<string, string>} */ (byId("live").dataset);
const rows = byId("vans");
const filter = /** @type {HTMLInputElement} */ (byId("filter"));
const sort = /** @type {HTMLSelectElement} */ (byId("sort"));
const wanted = new Set();

/** @type {string | null} */
let selected = null;
let following = false;
/** @type {any} */
let map = null;
let isStale = true;
let looks = 0;
/** @type {Set<string>} */
const moved = new Set();
const byName = new Intl.Collator(language).compare;

const look = follow({
  all() { isStale = true; moved.clear(); list(); map?.all(vans.values()); },
  changed(ids, gone) { isStale = true; for (const id of [...ids, ...gone]) moved.add(id); ask(ids); },
  cut(is) { byId("cut").hidden = !is; },
});

setInterval(() => { if (isStale && !document.hidden) list(); }, ROWS_MS);
setInterval(() => { isStale = true; }, AGES_MS);
setInterval(() => {
  if (!moved.size || !map || document.hidden) return;
  const ids = [...moved];
  moved.clear();
  map.change(ids.flatMap((id) => vans.get(id) ?? []), ids.filter((id) => !vans.has(id)));
  followed(ids);
}, MAP_MS);
filter.addEventListener("input", list);
sort.addEventListener("change", list);
for (const chip of document.querySelectorAll(".chip")) {
  chip.addEventListener("click", () => {
    const { state } = /** @type {HTMLElement} */ (chip).dataset;
    if (!wanted.delete(state)) wanted.add(state);
    chip.setAttribute("aria-pressed", String(wanted.has(state)));
    list();
  });
}
rows.addEventListener("click", (event) => {
  const row = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("[data-van]")) : null;
  if (row) select(/** @type {string} */ (row.dataset.van), true);
});
document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof Element && event.target.closest("input, select, textarea");
  const by = { j: 1, k: -1 }[event.key];
  if (!by || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const buttons = /** @type {HTMLElement[]} */ ([...rows.querySelectorAll("[data-van]")]);
  const at = buttons.findIndex((one) => one.dataset.van === selected);
  const next = buttons[Math.max(0, Math.min(buttons.length - 1, at + by))];
  if (next) { next.focus(); select(/** @type {string} */ (next.dataset.van), true); }
});
byId("all").addEventListener("click", () => { setFollowing(false); map?.showAll(vans.values()); });
byId("follow").addEventListener("click", () => { setFollowing(!following); if (selected) followed([selected]); });

import("./map.js")
  .then(({ draw }) => draw({ place: byId("map"), assets, tiles, attribution, chosen: (/** @type {string} */ id) => select(id, false), dragged: () => setFollowing(false), moved: lookThere }))
  .then((drawn) => { map = drawn; map.all(vans.values()); map.showAll(vans.values()); if (selected) select(selected, true); })
  .catch(() => { byId("map").textContent = words.no_map; byId("map").classList.add("lead"); });

function list() {
  const said = filter.value.trim().toLocaleLowerCase();
  const counts = Object.fromEntries(STATES.map((state) => [state, 0]));
  /** @type {Van[]} */
  const fit = [];
  for (const van of vans.values()) {
    counts[van.state] += 1;
    if (wanted.size && !wanted.has(van.state)) continue;
    if (said && !`${nameOf(van)} ${tourOf(van)}`.toLocaleLowerCase().includes(said)) continue;
    fit.push(van);
  }
  for (const chip of document.querySelectorAll(".chip")) {
    /** @type {Element} */ (chip.querySelector("b")).textContent = String(counts[/** @type {string} */ (/** @type {HTMLElement} */ (chip).dataset.state)]);
  }
  // where the mouse is, rows change but stay in their places
  const held = rows.matches(":hover, :focus-within") && rows.childElementCount > 0 && document.activeElement !== filter;
  if (held) {
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (rows.querySelectorAll("[data-van]"))) {
      const van = vans.get(/** @type {string} */ (row.dataset.van));
      if (van) fill(row, van);
    }
  } else {
    const rank = (/** @type {Van} */ van) => (sort.value === "trouble" ? STATES.indexOf(van.state) : 0);
    fit.sort((a, b) => rank(a) - rank(b) || byName(nameOf(a), nameOf(b)));
    const buttons = /** @type {HTMLElement[]} */ ([...rows.querySelectorAll("[data-van]")]);
    const shown = fit.slice(0, MOST_ROWS);
    shown.forEach((van, n) => fill(buttons[n] ?? made(), van));
    buttons.slice(shown.length).forEach((one) => one.parentElement?.remove());
  }
  const none = byId("none");
  none.hidden = fit.length > 0;
  none.textContent = vans.size ? words.none_so : words.none;
  byId("more").hidden = fit.length <= MOST_ROWS;
  byId("more").textContent = words.more.replace("{n}", fit.length - MOST_ROWS);
  isStale = false;
}

function made() {
  const row = document.createElement("button");
  row.type = "button";
  row.append(document.createElement("i"), document.createElement("strong"), document.createElement("span"), document.createElement("small"));
  row.children[0].setAttribute("aria-hidden", "true");
  const item = document.createElement("li");
  item.append(row);
  rows.append(item);
  return row;
}

/** @param {HTMLElement} row @param {Van} van */
function fill(row, van) {
  row.dataset.van = van.id;
  row.setAttribute("aria-pressed", String(van.id === selected));
  const [dot, name, tour, more] = row.children;
  dot.className = `dot ${van.state}`;
  put(name, nameOf(van));
  put(tour, tourOf(van));
  put(more, [words[van.state], ago(van), ...details(van)].join(" · "));
}

/** @param {Element} element @param {string} text */
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {Van} van */
function details(van) {
  const said = [];
  if (van.why === "no_fix") said.push(words.no_fix);
  if (van.state === "late" && van.delay !== null) said.push(words.behind.replace("{n}", Math.round(van.delay / 60)));
  if (van.state === "moving" && van.speed !== null) said.push(words.kmh.replace("{n}", Math.round(van.speed * 3.6)));
  if (van.battery !== null && van.battery < 0.2) said.push(words.battery.replace("{n}", Math.round(van.battery * 100)));
  return said;
}

/** @param {Van} van */
function ago(van) {
  const s = Math.max(0, Math.round((Date.now() - van.at) / 1000));
  if (s < 60) return words.ago_s.replace("{n}", s < 10 ? s : Math.round(s / 10) * 10);
  return s < 3600 ? words.ago_min.replace("{n}", Math.floor(s / 60)) : words.ago_h.replace("{n}", Math.floor(s / 3600));
}

/** @param {Van} van */
function nameOf(van) { return names[van.id] ?? van.id; }

/** @param {Van} van */
function tourOf(van) { return van.route ? routes[van.route] ?? van.route : ""; }

/** Ask what drivers are called who came after the page did. @param {string[]} ids */
async function ask(ids) {
  const id = ids.find((one) => !(one in names));
  if (!id) return;
  names[id] = id;
  const response = await fetch(`/v1/drivers/${id}`).catch(() => null);
  if (response?.ok) names[id] = (await response.json()).name;
}

/** @param {string} id @param {boolean} move */
function select(id, move) {
  selected = id;
  const van = vans.get(id);
  for (const row of rows.querySelectorAll("[data-van]")) row.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (row).dataset.van === id));
  const link = /** @type {HTMLAnchorElement} */ (byId("to-tour"));
  byId("follow").hidden = false;
  link.hidden = !van?.route;
  if (van?.route) link.href = `/desk/tours/${van.route}?lang=${language}`;
  map?.select(van, move);
  lookThere();
  tourOnMap(van?.route ?? null);
}

/** @param {string | null} route */
async function tourOnMap(route) {
  const response = route ? await fetch(`/v1/routes/${route}`).catch(() => null) : null;
  const tour = response?.ok ? await response.json() : null;
  if (route === (selected ? vans.get(selected)?.route ?? null : null)) map?.tour(tour);
}

/** @param {string[]} ids */
function followed(ids) {
  if (selected && ids.includes(selected)) map?.select(vans.get(selected), following);
}

/** Ask for what the map shows before the rest, once it stands still. */
function lookThere() {
  clearTimeout(looks);
  looks = setTimeout(() => { if (map) look(map.view(), selected); }, LOOK_MS);
}

/** @param {boolean} is */
function setFollowing(is) {
  following = is;
  byId("follow").setAttribute("aria-pressed", String(is));
}
