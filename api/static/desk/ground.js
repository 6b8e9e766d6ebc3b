/* The ground of every map of the desk: tiles where there are some, else a quiet colour; what is drawn on it is the page's. */

import { streetLayers } from "./streets.js";

export const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const dark = matchMedia("(prefers-color-scheme: dark)").matches;

export const GROUND = dark ? { land: "#1a2425", line: "#4f9fd6", ink: "#eef4f2", fence: "#8a9a97" } : { land: "#e6edea", line: "#1a6fa8", ink: "#14211f", fence: "#5d6e6b" };

export const collection = (/** @type {any[]} */ features) => ({ type: "FeatureCollection", features });

/** The path of a tour and its stops, as `/v1/routes/{route}` gives them. @param {any} tour */
export function featuresOfTour(tour) {
  const stops = (tour?.stops ?? []).filter((/** @type {any} */ stop) => !stop.removed);
  return !tour ? [] : [
    { type: "Feature", properties: {}, geometry: tour.path },
    ...stops.map((/** @type {any} */ stop) => ({ type: "Feature", properties: { done: !["pending", "en_route", "arrived"].includes(stop.status) }, geometry: { type: "Point", coordinates: [stop.lon, stop.lat] } })),
  ];
}

export const TOUR_LAYERS = [
  { id: "path", type: "line", source: "tour", filter: ["==", ["geometry-type"], "LineString"], paint: { "line-color": GROUND.line, "line-width": 4, "line-opacity": 0.8 } },
  { id: "stops", type: "circle", source: "tour", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 6, "circle-color": ["case", ["get", "done"], GROUND.line, GROUND.land], "circle-stroke-color": GROUND.line, "circle-stroke-width": 2 } },
];

/**
 * @param {{place: HTMLElement, assets: string, tiles: string, attribution: string}} given
 * @param {Record<string, any>} sources
 * @param {any[]} layers above the ground, the lowest first
 */
export async function onGround({ place, assets, tiles, attribution }, sources, layers) {
  const lib = await import(`${assets}/maplibre/maplibre-gl.mjs`);
  /** @type {any[]} */
  const below = [{ id: "land", type: "background", paint: { "background-color": GROUND.land } }];
  if (tiles.startsWith("/")) {
    sources.streets = { type: "vector", tiles: [location.origin + tiles], minzoom: 6, maxzoom: 14, attribution };
    below.push(...streetLayers(dark));
  } else if (tiles) {
    const hosts = tiles.includes("{s}") ? ["a", "b", "c"].map((s) => tiles.replace("{s}", s)) : [tiles];
    sources.tiles = { type: "raster", tiles: hosts, tileSize: 256, attribution };
    below.push({ id: "tiles", type: "raster", source: "tiles", paint: { "raster-saturation": -0.6, "raster-opacity": dark ? 0.45 : 0.8 } });
  }
  const map = new lib.Map({ container: place, style: { version: 8, sources, layers: [...below, ...layers] }, center: [-60, -10], zoom: 2, attributionControl: tiles ? { compact: true } : false, fadeDuration: 0, pitchWithRotate: false, dragRotate: false });
  map.touchZoomRotate.disableRotation();
  await new Promise((done) => map.once("load", done));
  return { lib, map };
}
