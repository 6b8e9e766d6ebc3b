// Forms that ask the API: a form says in `data-method` and `data-path` what it asks, its fields are the body. What went
// wrong stands in the form, what was typed stays. An answer that is shown only now fills what `data-fill` names.

import { addPasskey, ask, canPasskeys } from "./passkey.js";

const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");

const valueOf = (/** @type {HTMLInputElement} */ field) => ("endOfDay" in field.dataset ? `${field.value}T23:59:59Z` : field.value);

/** @param {HTMLFormElement} form */
function bodyOf(form) {
  /** @type {Record<string, any>} */
  const body = {};
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[name]"))) {
    if (field.type === "checkbox") body[field.name] = field.checked;
    else if (field.value !== "" || !("optional" in field.dataset)) body[field.name] = valueOf(field);
  }
  return Object.keys(body).length ? body : undefined;
}

/** @param {any} answer @param {any} shown */
function show(answer, shown) {
  for (const place of shown.querySelectorAll("[data-fill]")) {
    const value = place.dataset.fill.split(".").reduce((/** @type {any} */ within, /** @type {string} */ name) => within[name], answer);
    if (place.tagName === "IMG") place.src = `data:image/svg+xml;base64,${btoa(value)}`;
    else place.textContent = Array.isArray(value) ? value.join("\n") : (value ?? place.dataset.none);
  }
  shown.hidden = false;
  shown.querySelector("h2, h3")?.focus();
}

/** @param {HTMLFormElement} form @param {any} error */
function say(form, error) {
  const alert = /** @type {HTMLElement} */ (form.querySelector("[role=alert]"));
  const problem = error.wrong;
  if (error.name === "NotAllowedError") alert.textContent = words.stopped;
  else if (problem === null || problem === undefined) alert.textContent = words.away;
  else alert.textContent = words[problem.type] ?? problem.detail;
  alert.hidden = false;
  for (const one of problem?.errors ?? []) {
    const field = /** @type {HTMLElement | null} */ (form.querySelector(`[name="${CSS.escape(one.at.replace(/^\//, ""))}"]`));
    field?.setAttribute("aria-invalid", "true");
    field?.focus();
  }
}

/** @param {HTMLFormElement} form */
async function send(form) {
  const { method, path, passkey, shows } = /** @type {Record<string, string>} */ (form.dataset);
  if (passkey !== undefined) await addPasskey(said(form, "name"), said(form, "password"));
  else {
    const answer = await ask(method, path, bodyOf(form));
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

document.querySelector("[data-reload]")?.addEventListener("click", () => location.reload());
