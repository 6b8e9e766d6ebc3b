/* The map on which geofences are drawn, with Terra Draw; what is on it means what the form says. */

import { fenceLayers, KINDS, meantBy, outlined, placesOf } from "./fence_shapes.js";
import { collection, GROUND, onGround, still } from "./ground.js";

/** @typedef {import("./fence_shapes.js").Kind} Kind */
/** @typedef {import("./fence_shapes.js").Feature} Feature */
/** @typedef {import("./fence_shapes.js").Fence} Fence */

/** @type {Record<Kind, string>} */
const MODES = { area: "polygon", circle: "circle", corridor: "linestring" };
const MOST_CORNERS = 200; // to take hold of
const NEAR = 16;
const CORNERS_A_HANDLE = 12; // a circle has 48 corners: four are enough to take hold of

/** @param {any} lib Terra Draw @param {(id: string) => boolean} isCircle */
function modesOf(lib, isCircle) {
  const wide = (/** @type {number} */ pixels) => (/** @type {any} */ { properties: { index, selectionPointFeatureId } }) => (index % CORNERS_A_HANDLE && isCircle(selectionPointFeatureId) ? 0 : pixels);
  const colours = { fillColor: GROUND.line, fillOpacity: 0.2, outlineColor: GROUND.line, outlineWidth: 2, closingPointColor: GROUND.line, closingPointWidth: 8, lineStringColor: GROUND.line, lineStringWidth: 3 };
  const held = { selectedPolygonColor: GROUND.line, selectedPolygonFillOpacity: 0.2, selectedPolygonOutlineColor: GROUND.line, selectedPolygonOutlineWidth: 2, selectedLineStringColor: GROUND.line, selectedLineStringWidth: 3, selectionPointColor: GROUND.line, selectionPointWidth: wide(7), selectionPointOutlineColor: "#ffffff", selectionPointOutlineWidth: wide(2), midPointColor: "#ffffff", midPointOutlineColor: GROUND.line, midPointOutlineWidth: 2, midPointWidth: 4 };
  const corners = { feature: { draggable: true, coordinates: { draggable: true, midpoints: true, deletable: true } } };
  const notCrossing = (/** @type {any} */ feature, /** @type {any} */ { updateType }) => (updateType === "provisional" ? { valid: true } : lib.ValidateNotSelfIntersecting(feature));
  const circles = new lib.TerraDrawCircleMode({ styles: colours, segments: 48, drawInteraction: "click-move-or-drag" });
  const click = circles.onClick.bind(circles);
  circles.onClick = (/** @type {any} */ event) => {
    circles.onMouseMove(event); // a finger does not move over the map before its second tap
    click(event);
  };
  return [
    new lib.TerraDrawPolygonMode({ styles: colours, pointerDistance: 24, validation: notCrossing }),
    circles,
    new lib.TerraDrawLineStringMode({ styles: colours, pointerDistance: 24 }),
    new lib.TerraDrawSelectMode({
      styles: held, pointerDistance: 24, allowManualDeselection: false, keyEvents: { deselect: null, delete: null, rotate: null, scale: null },
      flags: { polygon: corners, linestring: corners, circle: { feature: { draggable: true, coordinates: { resizable: "center" } } } },
    }),
  ];
}

/** @param {Feature} fence */
const canBeHeld = ({ geometry: { type, coordinates } }) => type !== "MultiPolygon" && !(type === "Polygon" && coordinates.length > 1) && placesOf(coordinates).length <= MOST_CORNERS;

/** @param {Feature} fence with a shape that can be held, as Terra Draw takes it */
function heldOf(fence) {
  const { geometry } = outlined(fence);
  const round = (/** @type {any} */ at) => (typeof at[0] === "number" ? at.slice(0, 2).map((/** @type {number} */ one) => Number(one.toFixed(6))) : at.map(round));
  const kind = KINDS[fence.geometry.type];
  const radius = kind === "circle" ? { radiusKilometers: fence.properties.radius_m / 1000 } : {};
  return { type: "Feature", geometry: { type: geometry.type, coordinates: round(geometry.coordinates) }, properties: { mode: MODES[kind], ...radius } };
}

/**
 * @param {{place: HTMLElement, assets: string, tiles: string, attribution: string}} given
 * @param {Fence[]} fences
 * @param {{drawn: (kind: Kind, geometry: import("./fence_shapes.js").Geometry, reachM: number | null) => void, chosen: (id: string) => void}} told
 */
export async function drawFences(given, fences, { drawn, chosen }) {
  const shown = fences.map((fence) => ({ ...outlined(fence), properties: { ...outlined(fence).properties, id: fence.id, label: fence.properties.name ?? fence.external_id } }));
  const { lib, map } = await onGround(given, {
    fences: { type: "geojson", data: collection(shown) },
    draft: { type: "geojson", data: collection([]) },
  }, [
    ...fenceLayers("fences", { line: GROUND.fence }),
    { id: "names", type: "symbol", source: "fences", layout: { "text-field": ["get", "label"], "text-size": 12, "text-font": ["sans-serif"] }, paint: { "text-color": GROUND.ink, "text-halo-color": GROUND.land, "text-halo-width": 1.5 } },
    ...fenceLayers("draft", { line: GROUND.line }),
  ]);
  const [draws, { TerraDrawMapLibreGLAdapter }] = await Promise.all([import(`${given.assets}/terra-draw/terra-draw.modern.js`), import(`${given.assets}/terra-draw/terra-draw-maplibre-gl-adapter.modern.js`)]);
  /** @type {any} */
  const draw = new draws.TerraDraw({ adapter: new TerraDrawMapLibreGLAdapter({ map, coordinatePrecision: 6 }), modes: modesOf(draws, (id) => draw.getSnapshotFeature(id)?.properties.mode === MODES.circle) });
  draw.start();
  draw.on("finish", (/** @type {any} */ id) => {
    const { geometry, properties } = draw.getSnapshotFeature(id);
    const kind = /** @type {Kind} */ (Object.keys(MODES).find((one) => MODES[/** @type {Kind} */ (one)] === properties.mode));
    const { geometry: meant, reachM } = meantBy(kind, geometry);
    queueMicrotask(() => drawn(kind, meant, reachM)); // it is not done with its own event yet
  });
  map.on("click", "fences", (/** @type {any} */ event) => {
    if (draw.getMode() === "static") chosen(event.features[0].properties.id);
  });
  const layers = [...fenceLayers("fences", { line: "" }).map((layer) => [layer.id, layer.filter]), ["names", undefined]];

  return {
    /** Show a shape, and let it be changed; null: none. @param {Feature | null} fence */
    hold(fence) {
      draw.setMode("static");
      draw.clear();
      const added = fence && canBeHeld(fence) ? draw.addFeatures([heldOf(fence)])[0] : null;
      const isWide = fence?.geometry.type === "LineString";
      map.getSource("draft").setData(collection(fence && (!added?.valid || isWide) ? [outlined(fence)] : []));
      if (added?.valid) draw.selectFeature(added.id);
    },
    /** Have a shape drawn. @param {Kind} kind */
    begin(kind) {
      this.hold(null);
      draw.setMode(MODES[kind]);
    },
    /** Leave one of the fences out, since it is held. @param {string | undefined} id */
    without(id) {
      for (const [layer, filter] of layers) map.setFilter(layer, ["all", ["!=", ["get", "id"], id ?? ""], ...(filter ? [filter] : [])]);
    },
    /** @param {number[][]} places */
    show(places) {
      const bounds = new lib.LngLatBounds();
      for (const [lon, lat] of places) bounds.extend([lon, lat]);
      if (!bounds.isEmpty()) map.fitBounds(bounds, { padding: 64, maxZoom: NEAR, animate: !still });
    },
  };
}
