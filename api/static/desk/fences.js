/* Geofences: a list, a form and a map of one shape. What is drawn fills the form, what is typed is drawn; the form is kept. */

import { doneAndAgain } from "./acts.js";
import { drawFences } from "./fence_map.js";
import { geometryOf, KINDS, outlined, placesOf, REACH, textOf } from "./fence_shapes.js";
import { ask } from "./passkey.js";
import { say } from "./settings.js";

/** @typedef {import("./fence_shapes.js").Kind} Kind */
/** @typedef {import("./fence_shapes.js").Feature} Feature */
/** @typedef {import("./fence_shapes.js").Fence} Fence */

const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const root = byId("fences");
const form = /** @type {HTMLFormElement} */ (byId("fence"));
const title = byId("form-title");
const how = byId("how");
const { fences, words } = /** @type {{fences: Fence[], words: Record<string, string>}} */ (JSON.parse(byId("known").textContent ?? ""));
const field = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
const tools = /** @type {HTMLButtonElement[]} */ ([...root.querySelectorAll("[data-tool]")]);

/** @type {Fence | undefined} */
let chosen;
let isTyped = false;
/** @type {Awaited<ReturnType<typeof drawFences>> | undefined} */
let map;

const kindNow = () => /** @type {Kind} */ (field("kind").value);

/** The fence that the form says; null where it says no shape. @returns {Feature | null} */
function typed() {
  const geometry = geometryOf(kindNow(), field("geometry").value);
  if (!geometry) return null;
  const { radius_m: _, buffer_m: __, dwell_s: ___, ...properties } = chosen?.properties ?? {};
  properties.name = field("properties/name").value;
  const reach = REACH[KINDS[geometry.type]];
  if (reach) properties[reach] = Number(field("reach").value);
  if (field("dwell").value) properties.dwell_s = Number(field("dwell").value) * 60;
  return { type: "Feature", geometry, properties };
}

/** @param {Kind} kind */
function setKind(kind) {
  field("kind").value = kind;
  const label = /** @type {HTMLElement} */ (form.querySelector("label[for=reach]"));
  label.textContent = words[`reach_${kind}`] ?? "";
  for (const one of [label, field("reach")]) one.hidden = !(kind in REACH);
  field("reach").required = kind in REACH;
}

/** @param {Kind | null} kind that is being drawn */
function setTool(kind) {
  for (const tool of tools) tool.setAttribute("aria-pressed", String(tool.dataset.tool === kind));
  how.textContent = words[kind ? `how_${kind}` : field("geometry").value ? "how_held" : "how"];
}

/** Fill the form with the fence that the address names, else with none. */
function open() {
  chosen = fences.find((one) => `#${one.id}` === location.hash);
  form.reset();
  isTyped = false;
  setKind(chosen ? KINDS[chosen.geometry.type] : "area");
  title.textContent = chosen ? (chosen.properties.name ?? chosen.external_id) : words.new;
  byId("of-new").hidden = Boolean(chosen);
  byId("to-new").hidden = !chosen;
  /** @type {HTMLElement} */ (form.querySelector("[role=alert]")).hidden = true;
  for (const one of form.querySelectorAll("[aria-invalid]")) one.removeAttribute("aria-invalid");
  for (const link of root.querySelectorAll("a[data-fence]")) link.setAttribute("aria-current", String(chosen?.id === link.getAttribute("data-fence")));
  if (chosen) {
    const { geometry, properties } = chosen;
    field("properties/name").value = properties.name ?? chosen.external_id;
    field("geometry").value = textOf(geometry);
    field("reach").value = properties[REACH[KINDS[geometry.type]] ?? ""] ?? field("reach").value;
    field("dwell").value = properties.dwell_s === undefined || properties.dwell_s === null ? "" : String(properties.dwell_s / 60);
    map?.show(placesOf(outlined(chosen).geometry.coordinates));
  }
  map?.without(chosen?.id);
  map?.hold(chosen ?? null);
  setTool(null);
}

/** Say at a field why it does not count. @param {string} name @param {string} why */
function refuse(name, why) {
  say(form, { wrong: { type: "", detail: why, errors: [{ at: `/${name}` }] } });
}

async function keep() {
  const fence = typed();
  if (!fence) return refuse("geometry", words.unreadable);
  const name = (field("external_id").value || field("properties/name").value).normalize("NFC").trim().replaceAll("/", "-");
  if (!chosen && fences.some((one) => one.external_id === name)) return refuse("external_id", words.taken);
  /** @type {Record<string, string>} */
  const seen = chosen ? { "If-Match": `"${chosen.version}"` } : { "If-None-Match": "*" };
  try {
    const kept = await ask("PUT", `${form.dataset.path}/${encodeURIComponent(chosen?.id ?? name)}`, fence, seen);
    history.replaceState(null, "", `#${kept.id}`);
    isTyped = false;
    doneAndAgain();
  } catch (/** @type {any} */ error) {
    say(form, error);
    const whys = (error.wrong?.errors ?? []).map((/** @type {{why: string}} */ one) => one.why);
    if (whys.length) /** @type {HTMLElement} */ (form.querySelector("[role=alert]")).append(` (${whys.join("; ")})`);
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  button.disabled = true;
  for (const one of form.querySelectorAll("[aria-invalid]")) one.removeAttribute("aria-invalid");
  await keep();
  button.disabled = false;
});

form.addEventListener("input", (event) => {
  isTyped = true;
  const name = /** @type {HTMLInputElement} */ (event.target).name;
  if (!["kind", "geometry", "reach"].includes(name)) return;
  const fence = typed();
  setKind(name === "geometry" && fence ? KINDS[fence.geometry.type] : kindNow());
  map?.hold(typed());
  if (name === "geometry" && fence) map?.show(placesOf(outlined(fence).geometry.coordinates));
  setTool(null);
});

for (const tool of tools) {
  tool.addEventListener("click", () => {
    const kind = /** @type {Kind} */ (tool.dataset.tool);
    if (tool.getAttribute("aria-pressed") === "true") {
      map?.hold(typed());
      return setTool(null);
    }
    map?.begin(kind);
    setTool(kind);
  });
}

root.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !tools.some((tool) => tool.getAttribute("aria-pressed") === "true")) return;
  event.preventDefault(); // it leaves the drawing, not the page
  map?.hold(typed());
  setTool(null);
});

root.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[href^='#']") : null;
  if (link && isTyped && !confirm(words.drop)) event.preventDefault();
});
addEventListener("hashchange", () => {
  open();
  title.focus();
});
addEventListener("beforeunload", (event) => {
  if (isTyped) event.preventDefault();
});

/** Where the vans are: the ground of an account that has no fences yet. @returns {Promise<number[][]>} */
async function vans() {
  const answer = await ask("GET", "/v1/positions").catch(() => null);
  return (answer?.features ?? []).map((/** @type {Feature} */ one) => one.geometry.coordinates);
}

open();
const { assets, tiles, attribution } = /** @type {Record<string, string>} */ (root.dataset);
map = await drawFences({ place: byId("map"), assets, tiles, attribution }, fences, {
  drawn(kind, geometry, reachM) {
    isTyped = true;
    setKind(kind);
    field("geometry").value = textOf(geometry);
    if (reachM !== null) field("reach").value = String(reachM);
    map?.hold(typed());
    setTool(null);
  },
  chosen(id) {
    if (!isTyped || confirm(words.drop)) location.hash = id;
  },
});
map.without(chosen?.id);
map.hold(typed());
map.show(chosen ? placesOf(outlined(chosen).geometry.coordinates) : fences.length ? fences.flatMap((one) => placesOf(outlined(one).geometry.coordinates)) : await vans());
for (const tool of tools) tool.disabled = false;
