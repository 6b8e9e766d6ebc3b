/* The map of a replay: the tour as planned, the pings so far, raw and on the path, and the van at a moment. */

import { collection, featuresOfTour, GROUND, onGround, TOUR_LAYERS } from "./ground.js";

const RAW = "#2368b0";
const SNAPPED = "#0b7a55";
const BROKEN = "#d12b22";

/**
 * @param {{place: HTMLElement, assets: string, tiles: string, attribution: string}} given
 * @param {any} tour
 * @param {Record<string, any[]>} track
 * @param {number[]} times of its pings, ms
 * @param {number} first ms
 */
export async function drawReplay(given, tour, track, times, first) {
  const seconds = times.map((at) => (at - first) / 1000);
  const points = (/** @type {string} */ lon, /** @type {string} */ lat) => collection(seconds.flatMap((s, row) => (track[lon][row] === null ? [] : [{
    type: "Feature", properties: { s, believed: track.believed[row] !== false, on: track.on_route[row] !== false }, geometry: { type: "Point", coordinates: [track[lon][row], track[lat][row]] },
  }])));
  const until = (/** @type {number} */ s) => ["<=", ["get", "s"], s];
  const { lib, map } = await onGround(given, {
    tour: { type: "geojson", data: collection(featuresOfTour(tour)) },
    raw: { type: "geojson", data: points("lon", "lat") },
    snapped: { type: "geojson", data: points("snapped_lon", "snapped_lat") },
    van: { type: "geojson", data: collection([]) },
  }, [
    ...TOUR_LAYERS,
    { id: "snapped", type: "circle", source: "snapped", paint: { "circle-radius": 3, "circle-color": SNAPPED } },
    { id: "raw", type: "circle", source: "raw", paint: {
      "circle-radius": 4, "circle-color": ["case", ["all", ["get", "believed"], ["get", "on"]], RAW, BROKEN], "circle-opacity": ["case", ["get", "believed"], 0.8, 0],
      "circle-stroke-width": ["case", ["get", "believed"], 0, 2], "circle-stroke-color": BROKEN,
    } },
    { id: "van", type: "circle", source: "van", paint: { "circle-radius": 10, "circle-color": RAW, "circle-stroke-color": GROUND.ink, "circle-stroke-width": 3 } },
  ]);
  const bounds = new lib.LngLatBounds();
  for (const [lon, lat] of tour.path?.coordinates ?? []) bounds.extend([lon, lat]);
  for (const row of times.keys()) if (track.believed[row]) bounds.extend([track.lon[row], track.lat[row]]);
  if (!bounds.isEmpty()) map.fitBounds(bounds, { padding: 40, maxZoom: 16, animate: false });
  /** @type {[number, number] | null} */
  let meant = null;
  return {
    /** Show a moment; of several in one frame the last one. @param {number} at @param {number} row of its ping, -1: none */
    show(at, row) {
      if (!meant) {
        requestAnimationFrame(() => {
          const [then, ping] = /** @type {[number, number]} */ (meant);
          meant = null;
          for (const layer of ["raw", "snapped"]) map.setFilter(layer, until((then - first) / 1000));
          map.getSource("van").setData(collection(ping < 0 ? [] : [{ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [track.lon[ping], track.lat[ping]] } }]));
        });
      }
      meant = [at, row];
    },
    toggle(/** @type {string} */ what, /** @type {boolean} */ is) {
      for (const layer of what === "path" ? ["path", "stops"] : [what]) map.setLayoutProperty(layer, "visibility", is ? "visible" : "none");
    },
  };
}
