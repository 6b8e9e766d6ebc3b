/* The map of the desk: vans with their direction, in clusters from afar; the tour that is selected; fences. */

import { fenceLayers, outlined } from "./fence_shapes.js";
import { collection, featuresOfTour, GROUND, onGround, still, TOUR_LAYERS } from "./ground.js";

/** @typedef {import("./vans.js").Van} Van */

const COLOURS = { alarm: "#d12b22", silent: "#6b7280", off_route: "#a626a4", late: "#c26a00", on_break: "#7a5c2e", at_stop: "#00707a", moving: "#0b7a55", stopped: "#2368b0" };
const QUIET = new Set(["moving", "stopped", "on_break", "at_stop"]);
const CLUSTERS_TO = 10;
const NEAR = 14;
const AROUND = 0.25; // of the map's width and height, on each side: what is asked for before somebody looks there

/** @param {Van} van */
function featureOf(van) {
  return {
    type: "Feature", id: van.id, geometry: { type: "Point", coordinates: [van.lon, van.lat] },
    properties: { id: van.id, state: van.state, trouble: QUIET.has(van.state) ? 0 : 1, heading: van.heading ?? -1 },
  };
}

/** An arrow, drawn rather than loaded. */
function arrow() {
  const size = 48;
  const canvas = new OffscreenCanvas(size, size);
  const pen = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.beginPath();
  for (const [x, y] of [[24, 2], [35, 19], [13, 19]]) pen.lineTo(x, y);
  pen.closePath();
  pen.fill();
  return pen.getImageData(0, 0, size, size);
}

/**
 * @param {{place: HTMLElement, assets: string, tiles: string, attribution: string, chosen: (id: string) => void, dragged: () => void, moved: () => void}} given
 */
export async function draw({ place, assets, tiles, attribution, chosen, dragged, moved }) {
  /** @type {any} */
  const sources = {
    vans: { type: "geojson", data: collection([]), cluster: true, clusterMaxZoom: CLUSTERS_TO, clusterRadius: 46, promoteId: "id", clusterProperties: { trouble: ["+", ["get", "trouble"]] } },
    chosen: { type: "geojson", data: collection([]) },
    tour: { type: "geojson", data: collection([]) },
    fences: { type: "geojson", data: collection([]) },
  };
  const colour = ["match", ["get", "state"], ...Object.entries(COLOURS).flat(), "#666"];
  const alone = ["!", ["has", "point_count"]];
  const layers = [
    ...fenceLayers("fences", { line: GROUND.fence }),
    ...TOUR_LAYERS,
    { id: "clusters", type: "circle", source: "vans", filter: ["has", "point_count"], paint: { "circle-radius": ["step", ["get", "point_count"], 14, 10, 18, 100, 24], "circle-color": ["case", [">", ["get", "trouble"], 0], COLOURS.late, COLOURS.moving], "circle-stroke-color": "#fff", "circle-stroke-width": 2 } },
    { id: "counts", type: "symbol", source: "vans", filter: ["has", "point_count"], layout: { "text-field": ["get", "point_count_abbreviated"], "text-size": 13, "text-font": ["sans-serif"], "text-allow-overlap": true }, paint: { "text-color": "#fff" } },
    { id: "chosen", type: "circle", source: "chosen", paint: { "circle-radius": 19, "circle-color": "transparent", "circle-stroke-color": GROUND.ink, "circle-stroke-width": 3 } },
    { id: "arrows", type: "symbol", source: "vans", filter: ["all", alone, [">=", ["get", "heading"], 0]], layout: { "icon-image": "arrow", "icon-rotate": ["get", "heading"], "icon-rotation-alignment": "map", "icon-allow-overlap": true, "icon-ignore-placement": true, "icon-size": 0.75 }, paint: { "icon-color": colour } },
    { id: "vans", type: "circle", source: "vans", filter: alone, paint: { "circle-radius": 8, "circle-color": colour, "circle-stroke-color": "#fff", "circle-stroke-width": 2 } },
  ];
  const { lib, map } = await onGround({ place, assets, tiles, attribution }, sources, layers);
  map.on("dragstart", dragged);
  map.on("moveend", moved);
  /** @type {number[] | null} */
  let asked = null;
  map.addImage("arrow", arrow(), { sdf: true });
  map.on("click", "vans", (/** @type {any} */ event) => chosen(event.features[0].properties.id));
  map.on("click", "clusters", (/** @type {any} */ event) => map.easeTo({ center: event.lngLat, zoom: map.getZoom() + 2, animate: !still }));
  for (const layer of ["vans", "clusters"]) {
    map.on("mouseenter", layer, () => { map.getCanvas().style.cursor = "pointer"; });
    map.on("mouseleave", layer, () => { map.getCanvas().style.cursor = ""; });
  }
  fences(map);
  const source = (/** @type {string} */ name) => map.getSource(name);
  return {
    map,
    all: (/** @type {Iterable<Van>} */ vans) => source("vans").setData(collection([...vans].map(featureOf))),
    change(/** @type {Van[]} */ changed, /** @type {string[]} */ gone) {
      source("vans").updateData({ remove: [...gone, ...changed.map((van) => van.id)], add: changed.map(featureOf) });
    },
    select(/** @type {Van | undefined} */ van, /** @type {boolean} */ move) {
      source("chosen").setData(collection(van ? [featureOf(van)] : []));
      if (van && move) map.easeTo({ center: [van.lon, van.lat], zoom: Math.max(map.getZoom(), NEAR), animate: !still });
    },
    /** What is looked at, with some room around: `west,south,east,north`, the same while it holds what the map shows. */
    view() {
      const bounds = map.getBounds();
      const shown = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
      const x = (shown[2] - shown[0]) * AROUND;
      const y = (shown[3] - shown[1]) * AROUND;
      if (!asked || !isWell(shown, asked)) asked = [shown[0] - x, shown[1] - y, shown[2] + x, shown[3] + y];
      return boxOf(asked);
    },
    tour: (/** @type {any} */ tour) => source("tour").setData(collection(featuresOfTour(tour))),
    showAll(/** @type {Iterable<Van>} */ vans) {
      const bounds = new lib.LngLatBounds();
      for (const van of vans) bounds.extend([van.lon, van.lat]);
      if (!bounds.isEmpty()) map.fitBounds(bounds, { padding: 48, maxZoom: NEAR, animate: !still });
    },
  };
}

/** Tell whether a box holds what is shown, and is not much too large for it. @param {number[]} shown @param {number[]} box */
function isWell(shown, box) {
  const holds = box[0] <= shown[0] && box[1] <= shown[1] && box[2] >= shown[2] && box[3] >= shown[3];
  return holds && box[2] - box[0] <= 4 * (shown[2] - shown[0]);
}

/** Write a box within the world; the map goes around it. @param {number[]} box */
function boxOf([west, south, east, north]) {
  const around = (/** @type {number} */ lon) => ((((lon + 180) % 360) + 360) % 360) - 180;
  const [from, to] = east - west >= 360 ? [-180, 180] : [around(west), around(east)];
  return [from, Math.max(-90, south), to, Math.min(90, north)].map((one) => one.toFixed(4)).join(",");
}

/** Draw the fences in force; where they cannot be read, vans go on without. @param {any} map */
async function fences(map) {
  const response = await fetch("/v1/geofences?limit=500").catch(() => null);
  if (!response?.ok) return;
  const answer = await response.json();
  map.getSource("fences").setData(collection(answer.features.map(outlined)));
}
