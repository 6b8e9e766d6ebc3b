/* Streets below the vans, from tiles of our own: quiet, so that what moves is what is seen. */

const LIGHT = { water: "#c3d9e2", green: "#d6e6d5", house: "#d9e0dc", street: "#ffffff", main: "#fbf6e6", edge: "#c9d3cf", ink: "#51605e", halo: "#f4f7f5" };
const DARK = { water: "#12303c", green: "#1b2f28", house: "#222e30", street: "#2d3a3c", main: "#3a4647", edge: "#10191a", ink: "#a9b8b5", halo: "#1a2425" };

const WIDTHS = { major: [1.5, 14], main: [1, 11], street: [0.6, 8], path: [0.3, 2.5] };

/** @param {keyof WIDTHS} kind @param {number} more */
function width(kind, more) {
  const [from, to] = WIDTHS[kind];
  return ["interpolate", ["exponential", 1.5], ["zoom"], 10, from + more / 4, 17, to + more];
}

/** @param {boolean} dark @returns {any[]} */
export function streetLayers(dark) {
  const colours = dark ? DARK : LIGHT;
  const of = (/** @type {string} */ layer) => ({ source: "streets", "source-layer": layer });
  const kinds = /** @type {(keyof WIDTHS)[]} */ (["path", "street", "main", "major"]);
  const round = { "line-cap": "round", "line-join": "round" };
  const roads = (/** @type {string} */ part, /** @type {number} */ more, /** @type {(kind: string) => string} */ colour) =>
    kinds.map((kind) => ({ id: `${part} ${kind}`, type: "line", ...of("road"), filter: ["==", ["get", "kind"], kind], layout: round, paint: { "line-color": colour(kind), "line-width": width(kind, more) } }));
  const ink = { "text-color": colours.ink, "text-halo-color": colours.halo, "text-halo-width": 1.4 };
  const text = { "text-field": ["get", "name"], "text-font": ["sans-serif"] };
  return [
    { id: "green", type: "fill", ...of("green"), paint: { "fill-color": colours.green } },
    { id: "water", type: "fill", ...of("water"), filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colours.water } },
    { id: "rivers", type: "line", ...of("water"), filter: ["==", ["geometry-type"], "LineString"], layout: round, paint: { "line-color": colours.water, "line-width": ["interpolate", ["linear"], ["zoom"], 9, 1, 15, 6] } },
    { id: "houses", type: "fill", ...of("building"), minzoom: 14, paint: { "fill-color": colours.house } },
    ...roads("edge", 1.5, () => colours.edge),
    ...roads("road", 0, (kind) => (kind === "major" || kind === "main" ? colours.main : colours.street)),
    { id: "street names", type: "symbol", ...of("road"), minzoom: 13, filter: ["has", "name"], layout: { ...text, "text-size": 11, "symbol-placement": "line" }, paint: ink },
    { id: "place names", type: "symbol", ...of("place"), layout: { ...text, "text-size": ["match", ["get", "kind"], "city", 16, "town", 14, 12], "text-max-width": 7 }, paint: ink },
  ];
}
