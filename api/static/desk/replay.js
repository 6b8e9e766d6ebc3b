/* A tour's day again: a slider over its time; the map shows the van there, and the log what happened and was told. */

import { drawReplay } from "./replay_map.js";

/** @typedef {{at: number, text: string, tone: string}} Entry what happened, at a moment of the epoch, ms */
/** @typedef {Record<string, any[]>} Columns of a track */

const MOST_PAGES = 20;
const STEPS = 800;
const PLAYED_S = 40; // a whole day goes by in so many seconds
const MEANT_FOR_ONE_SPELL_MS = 10 * 60_000; // silence in between ends a spell off the route

const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const { route, told, zone, language, cycle, assets, tiles, attribution } = /** @type {Record<string, string>} */ (byId("replay").dataset);
const words = JSON.parse(/** @type {string} */ (byId("known").textContent));
const manner = navigator.languages.find((one) => one.startsWith(language)) ?? language;
const hours = /** @type {"h12" | "h23"} */ (cycle); // as other pages write times
const clock = new Intl.DateTimeFormat(manner, {
  timeZone: zone, hourCycle: hours, hour: hours === "h12" ? "numeric" : "2-digit", minute: "2-digit", second: "2-digit",
});
const slider = /** @type {HTMLInputElement} */ (byId("at"));
const play = byId("play");

/** @type {Columns} */
let track = {};
/** @type {number[]} */
let times = [];
/** @type {Entry[]} */
let log = [];
/** @type {any} */
let map = null;
/** @type {number | null} */
let playing = null;

start().catch(() => { byId("state").textContent = words.replay.failed; });

async function start() {
  const [tour, pings, visits, messages] = await Promise.all([
    read(`/v1/routes/${route}`), pingsOf(), read(`/v1/routes/${route}/visits`), told === undefined ? null : read(`/v1/messages?route=${route}&limit=500`),
  ]);
  if (!tour || !pings) throw new Error("away");
  track = pings;
  times = track.time.map((/** @type {string} */ text) => Date.parse(text));
  log = entries(tour, visits?.visits ?? [], messages?.messages ?? []).sort((a, b) => a.at - b.at);
  const moments = [...times, ...log.map((one) => one.at)];
  byId("state").hidden = moments.length > 0;
  byId("state").textContent = words.replay.none;
  if (!moments.length) return;
  const [first, last] = moments.reduce(([low, high], one) => [Math.min(low, one), Math.max(high, one)], [Infinity, -Infinity]);
  slider.min = String(first);
  slider.max = String(Math.max(last, first + 1000));
  slider.step = String(Math.max(1000, Math.round((last - first) / STEPS / 1000) * 1000));
  slider.value = location.hash.slice(1) ? String(Date.parse(decodeURIComponent(location.hash.slice(1)))) : String(last);
  list();
  for (const part of document.querySelectorAll("#replay > [hidden]:not(#state)")) /** @type {HTMLElement} */ (part).hidden = false;
  show();
  slider.addEventListener("input", () => { stop(); show(); });
  slider.addEventListener("change", () => history.replaceState(null, "", `#${new Date(now()).toISOString()}`));
  play.addEventListener("click", () => (playing === null ? go() : stop()));
  byId("log").addEventListener("click", (event) => {
    const row = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("[data-at]")) : null;
    if (!row) return;
    stop();
    slider.value = String(row.dataset.at);
    show();
  });
  map = await drawReplay({ place: byId("map"), assets, tiles, attribution }, tour, track, times, Number(slider.min));
  for (const box of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-show]"))) {
    const put = () => map.toggle(box.dataset.show, box.checked);
    box.addEventListener("change", put);
    put(); // it may have been changed before the map was there
  }
  show();
}

/** @param {string} path @returns {Promise<any>} null where there is no right, or no answer */
async function read(path) {
  const response = await fetch(path).catch(() => null);
  return response?.ok ? response.json() : null;
}

/** All pings of the tour, page by page. @returns {Promise<Columns | null>} */
async function pingsOf() {
  /** @type {Columns | null} */
  let all = null;
  let cursor = "";
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer = await read(`/v1/routes/${route}/track${cursor}`);
    if (!answer) return all;
    const columns = answer.columns;
    if (!all) all = columns;
    else for (const name of Object.keys(columns)) all[name] = all[name].concat(columns[name]);
    if (!answer.next) break;
    cursor = `?cursor=${encodeURIComponent(answer.next)}`;
  }
  return all;
}

/** @param {any} tour @param {any[]} visits @param {any[]} messages @returns {Entry[]} */
function entries(tour, visits, messages) {
  const of = new Map(tour.stops.map((/** @type {any} */ stop) => [stop.id, `${stop.external_id} · ${stop.name}`]));
  /** @type {Entry[]} */
  const found = [];
  const add = (/** @type {string | null} */ at, /** @type {string} */ text, tone = "doing") => { if (at) found.push({ at: Date.parse(at), text, tone }); };
  for (const one of visits) {
    const stop = of.get(one.stop_id) ?? one.stop_external_id;
    const by = words.visit_by[one.source] ?? one.source;
    add(one.arrived_at, `${words.replay.came.replace("{stop}", stop)} (${by})`);
    add(one.departed_at, words.replay.left.replace("{stop}", stop));
  }
  for (const stop of tour.stops) {
    const bad = ["failed", "skipped", "left_open"].includes(stop.status);
    add(stop.outcome_at, `${words.stop_status[stop.status] ?? stop.status}: ${of.get(stop.id)}`, bad ? "broken" : "well");
  }
  for (const one of messages) {
    const said = [words.message_kind[one.kind] ?? one.kind, words.channel[one.channel] ?? one.channel, words.message_state[one.state] ?? one.state];
    const text = words.replay.told.replace("{stop}", of.get(one.stop_id) ?? one.stop_id).replace("{what}", said.join(", "));
    add(one.sent_at ?? one.created_at, one.body ? `${text}: “${one.body}”` : text, ["failed", "suppressed", "expired"].includes(one.state) ? "broken" : "doing");
  }
  return [...found, ...spells()];
}

/** Spells off the route, by the pings that count. @returns {Entry[]} */
function spells() {
  const found = [];
  let isOff = false;
  let last = 0;
  for (const [row, at] of times.entries()) {
    if (!track.believed[row] || track.on_route[row] === null) continue;
    const off = track.on_route[row] === false;
    if (off && (!isOff || at - last > MEANT_FOR_ONE_SPELL_MS)) found.push({ at, text: words.replay.off, tone: "broken" });
    if (!off && isOff) found.push({ at, text: words.replay.back, tone: "well" });
    isOff = off;
    last = at;
  }
  return found;
}

function list() {
  byId("log").replaceChildren(...log.map((one) => {
    const row = Object.assign(document.createElement("button"), { type: "button", className: "plain-row" });
    row.dataset.at = String(one.at);
    const time = Object.assign(document.createElement("time"), { dateTime: new Date(one.at).toISOString(), textContent: clock.format(one.at) });
    const dot = Object.assign(document.createElement("i"), { className: `key ${one.tone}` });
    dot.setAttribute("aria-hidden", "true");
    row.append(time, dot, Object.assign(document.createElement("span"), { textContent: one.text }));
    const item = document.createElement("li");
    item.append(row);
    return item;
  }));
}

function now() {
  return Number(slider.value);
}

/** The last ping recorded at or before a moment, by its row; -1: none was. @param {number} at */
function rowAt(at) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= at) low = middle + 1; else high = middle;
  }
  return low - 1;
}

function show() {
  const at = now();
  const text = clock.format(at);
  byId("clock").textContent = text;
  slider.setAttribute("aria-valuetext", text);
  const row = rowAt(at);
  byId("ping").textContent = row < 0 ? words.replay.not_yet : said(row);
  let latest = null;
  for (const one of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#log [data-at]"))) {
    const isPast = Number(one.dataset.at) <= at;
    one.classList.toggle("ahead", !isPast);
    one.removeAttribute("aria-current");
    if (isPast) latest = one;
  }
  latest?.setAttribute("aria-current", "time");
  map?.show(at, row);
}

/** @param {number} row */
function said(row) {
  const parts = [clock.format(times[row])];
  const speed = track.speed_mps[row];
  if (speed !== null) parts.push(words.replay.kmh.replace("{n}", Math.round(speed * 3.6)));
  if (track.accuracy_m[row] !== null) parts.push(words.replay.accuracy.replace("{n}", Math.round(track.accuracy_m[row])));
  if (track.offset_m[row] !== null) parts.push(words.replay.beside.replace("{n}", Math.round(Math.abs(track.offset_m[row]))));
  if (track.on_route[row] === false) parts.push(words.replay.off);
  if (track.on_foot[row]) parts.push(words.replay.on_foot);
  if (track.believed[row] === false) parts.push(words.replay.not_believed);
  for (const flag of track.flags[row]) parts.push(words.ping_flag[flag] ?? flag);
  const late = Math.round((Date.parse(track.received_at[row]) - times[row]) / 60_000);
  if (late >= 5) parts.push(words.replay.received.replace("{n}", late));
  return parts.join(" · ");
}

function go() {
  const [from, to] = [Number(slider.min), Number(slider.max)];
  if (now() >= to) slider.value = slider.min;
  play.setAttribute("aria-pressed", "true");
  let before = performance.now();
  let at = now();
  const step = (/** @type {number} */ moment) => {
    at += ((moment - before) / (PLAYED_S * 1000)) * (to - from);
    before = moment;
    slider.value = String(at);
    show();
    if (at >= to) stop();
    else playing = requestAnimationFrame(step);
  };
  playing = requestAnimationFrame(step);
}

function stop() {
  if (playing !== null) cancelAnimationFrame(playing);
  playing = null;
  play.setAttribute("aria-pressed", "false");
}
