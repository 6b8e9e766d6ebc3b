/* The map: the van on its way, the door, and what lies between. */

import { addGround, HERE, leaflet } from "./leaflet.js";
import { alongOf, eased, measure, OLD_S, paceOf, placeAt, reckon } from "./glide.js";

const VAN = `<svg viewBox="0 0 48 48"><circle class="pulse" cx="24" cy="24" r="20"/><circle class="disc" cx="24" cy="24" r="18"/>
  <g class="turn"><path class="body" d="M18 15.5c0-2.5 2.5-4.5 6-4.5s6 2 6 4.5V34a2.5 2.5 0 0 1-2.5 2.5h-7A2.5 2.5 0 0 1 18 34z"/>
  <path class="glass" d="M20 16.5c1-1.2 7-1.2 8 0l-.8 4h-6.4z"/></g></svg>`;
const STEP_MS = 1000;

const byId = (id) => document.getElementById(id);
const show = (element, visible) => element.toggleAttribute("hidden", !visible);
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

let map = null;
let view = null;
let clock = Date.now;
let following = true;
let turned = 0;
let shown = null; // [lon, lat] of the van on the map

/** Show what a view has of the van; `serverNow` is the server's clock. */
export async function renderMap(next, serverNow) {
  [view, clock] = [next, serverNow];
  show(byId("map"), Boolean(view.position));
  show(byId("scene"), !view.position);
  if (!view.position) {
    show(byId("recentre"), false);
    show(byId("van-at"), false);
    shown = null;
    return;
  }
  const L = await leaflet(document.body.dataset.assets);
  if (!view.position) return; // it went away meanwhile
  const made = !map;
  map ??= make(L);
  map.leaflet.invalidateSize();
  const line = view.path_ahead ? view.path_ahead.coordinates : [];
  map.line = { line, along: measure(line) };
  map.here.setLatLng([view.stop.lat, view.stop.lon]);
  move(true);
  if (following) frame(made); // a map has a place before anything has one on it
  if (made) {
    map.here.addTo(map.leaflet);
    map.van.addTo(map.leaflet);
    setInterval(() => move(), STEP_MS);
  }
  turn();
  age();
}

function make(L) {
  const { tiles, attribution } = document.body.dataset;
  const place = byId("map");
  const drawn = L.map(place, { zoomControl: false, attributionControl: false, zoomSnap: tiles ? 1 : 0.25, zoomAnimation: !still, fadeAnimation: !still });
  addGround(L, drawn, { tiles, attribution });
  const line = (className, weight) => L.polyline([], { className, weight, interactive: false }).addTo(drawn);
  const marker = (className, html, iconSize, iconAnchor, title) =>
    L.marker([0, 0], { icon: L.divIcon({ className, html, iconSize, iconAnchor }), alt: title, title, keyboard: false, interactive: false });
  drawn.on("dragstart", () => { following = false; show(byId("recentre"), true); });
  drawn.on("resize", () => { if (following) frame(); });
  byId("recentre").addEventListener("click", () => { following = true; show(byId("recentre"), false); frame(); });
  return {
    L,
    leaflet: drawn,
    under: line("ahead-under", 9),
    ahead: line("ahead", 5),
    here: marker("here", HERE, [36, 46], [18, 45], place.dataset.here),
    van: marker("van", VAN, [48, 48], [24, 24], place.dataset.van),
  };
}

/** Bring the van to where it is by now; only a new fix may bring it back. */
function move(fix = false) {
  const { position, eta } = view;
  if (!position || document.hidden) return;
  const recorded = Date.parse(position.recorded_at);
  const age_s = (clock() - recorded) / 1000;
  const { line, along } = map.line;
  let at = { lon: position.lon, lat: position.lat, heading: position.heading_deg };
  if (line.length > 1) {
    const length_m = along.at(-1);
    let at_m = reckon(length_m, eta && !eta.stale ? paceOf(length_m, recorded, Date.parse(eta.expected)) : 0, age_s);
    if (shown) at_m = eased(at_m, alongOf(line, along, shown)); // reckoned a little too far, it waits there
    at = placeAt(line, along, at_m);
    const ahead = [[at.lon, at.lat], ...line.filter((_, n) => along[n] > at_m)].map(([lon, lat]) => [lat, lon]);
    map.under.setLatLngs(ahead);
    map.ahead.setLatLngs(ahead);
  } else if (fix) {
    map.under.setLatLngs([]);
    map.ahead.setLatLngs([]);
  }
  shown = [at.lon, at.lat];
  map.van.setLatLng([at.lat, at.lon]);
  age();
}

/** Say how old the place of the van is, once it is. */
function age() {
  const old = (clock() - Date.parse(view.position.recorded_at)) / 1000 > OLD_S;
  map.van.getElement()?.classList.toggle("old", old);
  byId("van-at").textContent = byId("van-at").dataset.old;
  show(byId("van-at"), old);
}

/** Turn the van as it was heading, the shorter way round: 350° to 10° does not spin. */
function turn() {
  const heading = view.position.heading_deg;
  if (heading !== null) turned += ((heading - turned + 540) % 360 + 360) % 360 - 180;
  map.van.getElement().querySelector(".turn").style.transform = `rotate(${turned}deg)`;
}

/** Show van, door and the way between them; move the map only when it has to be. */
function frame(atOnce = false) {
  const { L, leaflet: drawn } = map;
  const bounds = L.latLngBounds([map.here.getLatLng(), map.van.getLatLng(), ...map.ahead.getLatLngs()]);
  const wide = matchMedia("(min-width: 860px)").matches;
  const options = { paddingTopLeft: [wide ? 470 : 48, byId("van-at").hidden ? 64 : 96], paddingBottomRight: [48, wide ? 64 : 72], maxZoom: 16.5 };
  const padding = L.point(options.paddingTopLeft).add(options.paddingBottomRight);
  const zoom = Math.min(16.5, drawn.getBoundsZoom(bounds, false, padding));
  if (atOnce || !uncovered(bounds, wide) || Math.abs(drawn.getZoom() - zoom) >= 1)
    drawn.fitBounds(bounds, { ...options, animate: !atOnce && !still });
}

/** Tell whether van and door, as large as they are, lie neither over the edge nor under the card. */
function uncovered(bounds, wide) {
  const { L, leaflet: drawn } = map;
  const free = L.bounds([wide ? 440 : 24, byId("van-at").hidden ? 50 : 82], drawn.getSize().subtract([24, wide ? 24 : 48]));
  return free.contains([bounds.getNorthWest(), bounds.getSouthEast()].map((place) => drawn.latLngToContainerPoint(place)));
}
