/* Geofences between GeoJSON, what somebody types, and what a map draws. Degrees and metres; longitude before latitude. */

/** @typedef {"area" | "circle" | "corridor"} Kind */
/** @typedef {{type: string, coordinates: any}} Geometry */
/** @typedef {{type: "Feature", geometry: Geometry, properties: Record<string, any>}} Feature */
/** @typedef {Feature & {id: string, external_id: string, version: number}} Fence */

/** @type {Record<string, Kind>} */
export const KINDS = { Point: "circle", LineString: "corridor", Polygon: "area", MultiPolygon: "area" };

/** The property that says how far a fence reaches from its places, in metres. @type {Partial<Record<Kind, string>>} */
export const REACH = { circle: "radius_m", corridor: "buffer_m" };

const EARTH_M = 6_371_008.8;
const CORNERS = 48;
const METRES_A_PIXEL = (2 * Math.PI * EARTH_M) / 512; // at zoom 0, on the equator
const rad = (/** @type {number} */ degrees) => (degrees * Math.PI) / 180;
const deg = (/** @type {number} */ radians) => (radians * 180) / Math.PI;
const north = (/** @type {number} */ lat) => Math.asinh(Math.tan(rad(lat))); // Mercator's
const latOf = (/** @type {number} */ y) => deg(Math.atan(Math.sinh(y)));
const rounded = (/** @type {number} */ degrees) => Math.round(degrees * 1e6) / 1e6; // 0.1 m

/** Every place of coordinates, however deep. @param {any} coordinates @returns {number[][]} */
export const placesOf = (coordinates) => (typeof coordinates[0] === "number" ? [coordinates] : coordinates.flatMap(placesOf));

/** The places of a shape, one a line; GeoJSON where lines cannot say it. @param {Geometry} geometry */
export function textOf({ type, coordinates }) {
  if (type === "MultiPolygon" || (type === "Polygon" && coordinates.length > 1)) return JSON.stringify({ type, coordinates });
  const places = placesOf(coordinates);
  return (type === "Polygon" ? places.slice(0, -1) : places).map(([lon, lat]) => `${lon}, ${lat}`).join("\n");
}

/** The shape that lines, or GeoJSON, say; null: none. @param {Kind} kind @param {string} text @returns {Geometry | null} */
export function geometryOf(kind, text) {
  if (text.trim().startsWith("{")) {
    try {
      const said = JSON.parse(text);
      const geometry = said.geometry ?? said;
      return geometry.type in KINDS && Array.isArray(geometry.coordinates) ? geometry : null;
    } catch {
      return null;
    }
  }
  const places = text.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => line.split(/[\s,;]+/).map(Number));
  if (places.some((place) => place.length !== 2 || !place.every(Number.isFinite))) return null;
  if (kind === "circle") return places.length === 1 ? { type: "Point", coordinates: places[0] } : null;
  if (kind === "corridor") return places.length > 1 ? { type: "LineString", coordinates: places } : null;
  return places.length > 2 ? { type: "Polygon", coordinates: [[...places, places[0]]] } : null;
}

/** A circle as a polygon: round on the map. @param {number[]} centre @param {number} radiusM */
function ringAround([lon, lat], radiusM) {
  const radius = radiusM / EARTH_M / Math.cos(rad(lat));
  return Array.from({ length: CORNERS + 1 }, (_, n) => {
    const turn = (2 * Math.PI * (n % CORNERS)) / CORNERS;
    return [rounded(lon + deg(radius * Math.cos(turn))), rounded(latOf(north(lat) + radius * Math.sin(turn)))];
  });
}

/** Centre and radius of a circle that was drawn as a polygon. @param {number[][]} ring */
function circleOf(ring) {
  const corners = ring.slice(1);
  const mean = (/** @type {number[]} */ values) => values.reduce((sum, one) => sum + one, 0) / values.length;
  const [lon, lat] = [mean(corners.map((at) => at[0])), latOf(mean(corners.map((at) => north(at[1]))))];
  const [east, up] = [rad(ring[0][0] - lon), north(ring[0][1]) - north(lat)];
  return { centre: [rounded(lon), rounded(lat)], radiusM: Math.max(1, Math.round(Math.hypot(east, up) * Math.cos(rad(lat)) * EARTH_M)) };
}

/**
 * What a shape on the map means: its geometry, and how far it reaches; null: as far as before.
 *
 * @param {Kind} kind
 * @param {Geometry} drawn
 * @returns {{geometry: Geometry, reachM: number | null}}
 */
export function meantBy(kind, drawn) {
  if (kind === "circle") {
    const { centre, radiusM } = circleOf(drawn.coordinates[0]);
    return { geometry: { type: "Point", coordinates: centre }, reachM: radiusM };
  }
  const round = (/** @type {any} */ at) => (typeof at === "number" ? rounded(at) : at.map(round));
  return { geometry: { type: drawn.type, coordinates: round(drawn.coordinates) }, reachM: null };
}

/** A fence as a map draws it: a circle as a polygon, a corridor as a line of its width. @param {Feature} fence */
export function outlined(fence) {
  const { geometry, properties } = fence;
  const kind = KINDS[geometry.type];
  const reachM = Number(properties[REACH[kind] ?? ""]) || 0;
  if (kind === "circle") return { ...fence, geometry: { type: "Polygon", coordinates: [ringAround(geometry.coordinates, reachM)] } };
  if (kind !== "corridor") return fence;
  const pixels = (2 * reachM) / (METRES_A_PIXEL * Math.cos(rad(geometry.coordinates[0][1])));
  return { ...fence, properties: { ...properties, pixels_at_zoom_0: pixels } };
}

/** Draws fences that are `outlined`. @param {string} source @param {{line: string}} colours @returns {any[]} */
export function fenceLayers(source, { line }) {
  const is = (/** @type {string} */ type) => ["==", ["geometry-type"], type];
  const pixels = ["get", "pixels_at_zoom_0"];
  return [
    { id: source, type: "fill", source, filter: is("Polygon"), paint: { "fill-color": line, "fill-opacity": 0.12 } },
    { id: `${source} wide`, type: "line", source, filter: is("LineString"), layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": line, "line-opacity": 0.2, "line-width": ["interpolate", ["exponential", 2], ["zoom"], 0, pixels, 22, ["*", pixels, 2 ** 22]] } },
    { id: `${source} edge`, type: "line", source, paint: { "line-color": line, "line-width": 1.5, "line-dasharray": [3, 2] } },
  ];
}
