// Forms that ask the API: a form says in `data-method` and `data-path` what it asks, its fields are the body. What went
// wrong stands in the form, what was typed stays. An answer that is shown only now fills what `data-fill` names.

import { addPasskey, ask, canPasskeys } from "./passkey.js";

const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");

/** @param {HTMLInputElement} field @returns {any} */
function valueOf(field) {
  if (field.type === "checkbox") return field.checked;
  if (field.value === "" && "none" in field.dataset) return null;
  if ("words" in field.dataset) return field.value.split(/[\s,;]+/).filter(Boolean);
  if ("number" in field.dataset) return Number(field.value);
  if ("zone" in field.dataset) return new Date(field.value).toISOString();
  return "endOfDay" in field.dataset ? `${field.value}T23:59:59Z` : field.value;
}

/** @param {Record<string, any>} body @param {string} path @param {any} value */
function put(body, path, value) {
  const names = path.split("/");
  const last = /** @type {string} */ (names.pop());
  names.reduce((within, name) => (within[name] ??= {}), body)[last] = value;
}

/**
 * The body that a form, or a row of a list in it, stands for: `a/b` is inside `a`; what it does not show comes from `data-base`.
 *
 * @param {HTMLElement} root
 * @returns {Record<string, any>}
 */
export function bodyOf(root) {
  const row = root.matches("[data-row]") ? root : null;
  /** @type {Record<string, any>} */
  const body = root.dataset.base ? JSON.parse(document.getElementById(root.dataset.base)?.textContent ?? "{}") : {};
  for (const rows of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-rows]"))) {
    put(body, rows.dataset.rows ?? "", [.../** @type {NodeListOf<HTMLElement>} */ (rows.querySelectorAll("[data-row]"))].map(bodyOf));
  }
  /** @type {Record<string, string[]>} */
  const lists = {};
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (root.querySelectorAll("[name]"))) {
    if (field.closest("[data-row]") !== row || !isAsked(root, field)) continue;
    if ("list" in field.dataset) {
      lists[field.name] ??= [];
      if (field.value && (field.type !== "checkbox" || field.checked)) lists[field.name].push(field.value);
    } else if (field.value !== "" || !("optional" in field.dataset)) put(body, field.name, valueOf(field));
  }
  for (const [name, values] of Object.entries(lists)) put(body, name, values);
  return withoutEmpty(body, root);
}

/** Whether a field counts: one with `data-with="role=driver"` only where the field `role` says driver. @param {HTMLElement} root @param {HTMLElement} field */
function isAsked(root, field) {
  const [name, value] = (field.dataset.with ?? "").split("=");
  return !name || /** @type {HTMLInputElement | null} */ (root.querySelector(`[name="${CSS.escape(name)}"]`))?.value === value;
}

/**
 * A text of messages that nothing stands in is the usual one again; quiet hours without a time are none.
 *
 * @param {Record<string, any>} body
 * @param {HTMLElement} root
 */
function withoutEmpty(body, root) {
  const { channel, locale } = root.dataset;
  if (channel && locale && root.querySelector("textarea")?.value === "") delete body.texts?.[channel]?.[locale];
  if (body.quiet_hours && !body.quiet_hours.start && !body.quiet_hours.end) body.quiet_hours = null;
  return body;
}

/** @param {HTMLElement} form @param {string} at @returns {HTMLElement | null} */
function fieldAt(form, at) {
  const parts = at.split("/").slice(1);
  const index = parts.findIndex((part) => /^[0-9]+$/.test(part));
  const rows = index > 0 ? form.querySelector(`[data-rows="${CSS.escape(parts.slice(0, index).join("/"))}"]`) : null;
  const within = rows?.querySelectorAll("[data-row]")[Number(parts[index])] ?? form;
  const named = rows ? parts.slice(index + 1) : parts;
  const end = named.findIndex((part) => /^[0-9]+$/.test(part));
  const name = named.slice(0, end < 0 ? undefined : end).join("/");
  return within.querySelector(`[name="${CSS.escape(name)}"]`);
}

/** Fill what an answer is shown in. @param {any} answer @param {any} shown */
export function show(answer, shown) {
  for (const place of shown.querySelectorAll("[data-fill]")) {
    const value = place.dataset.fill.split(".").reduce((/** @type {any} */ within, /** @type {string} */ name) => within[name], answer);
    if (place.tagName === "IMG") place.src = `data:image/svg+xml;base64,${btoa(value)}`;
    else place.textContent = Array.isArray(value) ? value.join("\n") : (value ?? place.dataset.none);
  }
  shown.hidden = false;
  shown.querySelector("h2, h3")?.focus();
}

/** Say in a form what went wrong, and where. @param {HTMLElement} form @param {any} error */
export function say(form, error) {
  const alert = /** @type {HTMLElement} */ (form.querySelector("[role=alert]"));
  const problem = error.wrong;
  if (error.name === "NotAllowedError") alert.textContent = words.stopped;
  else if (problem === null || problem === undefined) alert.textContent = words.away;
  else alert.textContent = words[problem.type] ?? problem.detail;
  alert.hidden = false;
  for (const one of problem?.errors ?? []) {
    const field = fieldAt(form, one.at);
    field?.setAttribute("aria-invalid", "true");
    unfold(field);
    field?.focus();
  }
}

// what is wrong in a part that is folded away is shown, or nobody learns why nothing was sent
document.addEventListener("invalid", ({ target }) => { if (target instanceof Element) unfold(target); }, true);

/** @param {Element | null} field */
function unfold(field) {
  const fold = field?.closest("details");
  if (fold) fold.open = true;
}

/** @param {HTMLFormElement} form */
async function send(form) {
  const { method, path, passkey, shows } = /** @type {Record<string, string>} */ (form.dataset);
  if (passkey !== undefined) await addPasskey(said(form, "name"), said(form, "password"));
  else {
    const body = "file" in form.dataset ? new FormData(form) : bodyOf(form);
    const told = body instanceof FormData || Object.keys(body).length ? body : undefined;
    const answer = await ask(method, path, told, form.dataset.match === undefined ? {} : { "If-Match": form.dataset.match });
    if (shows) {
      form.reset();
      form.hidden = "goes" in form.dataset;
      return show(answer, document.getElementById(shows));
    }
  }
  location.reload();
}

/** @param {HTMLFormElement} form @param {string} name */
function said(form, name) {
  return /** @type {HTMLInputElement} */ (form.elements.namedItem(name)).value;
}

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-method], form[data-passkey]"))) {
  if (form.dataset.passkey !== undefined && !canPasskeys()) form.hidden = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.dataset.sure && !confirm(form.dataset.sure)) return;
    const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
    button.disabled = true;
    /** @type {HTMLElement} */ (form.querySelector("[role=alert]")).hidden = true;
    for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    try {
      await send(form);
    } catch (error) {
      say(form, error);
    } finally {
      button.disabled = false;
    }
  });
}

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element)) return;
  const list = event.target.closest("[data-add-row]")?.parentElement;
  if (list) {
    const rows = /** @type {HTMLElement} */ (list.querySelector("[data-rows]"));
    rows.append(/** @type {HTMLTemplateElement} */ (list.querySelector("template")).content.cloneNode(true));
    /** @type {HTMLElement} */ (rows.lastElementChild?.querySelector("[name]")).focus();
  }
  event.target.closest("[data-drop-row]")?.closest("[data-row]")?.remove();
});

for (const here of document.querySelectorAll(".tabs [aria-current]")) here.scrollIntoView({ block: "nearest", inline: "center" });

document.querySelector("[data-reload]")?.addEventListener("click", () => location.reload());

for (const time of /** @type {NodeListOf<HTMLTimeElement>} */ (document.querySelectorAll("time[data-local]"))) {
  time.textContent = new Date(time.dateTime).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
}
