// Forms that ask the API: a form says in `data-method` and `data-path` what it asks, its fields are the body. What went
// wrong stands in the form, what was typed stays. An answer that is shown only now fills what `data-fill` names.

import { addPasskey, ask, canPasskeys } from "./passkey.js";

const words = JSON.parse(document.getElementById("words").textContent);

const valueOf = (field) => ("endOfDay" in field.dataset ? `${field.value}T23:59:59Z` : field.value);

function bodyOf(form) {
  const body = {};
  for (const field of form.querySelectorAll("[name]")) {
    if (field.type === "checkbox") body[field.name] = field.checked;
    else if (field.value !== "" || !("optional" in field.dataset)) body[field.name] = valueOf(field);
  }
  return Object.keys(body).length ? body : undefined;
}

function show(answer, shown) {
  for (const place of shown.querySelectorAll("[data-fill]")) {
    const value = place.dataset.fill.split(".").reduce((within, name) => within[name], answer);
    if (place.tagName === "IMG") place.src = `data:image/svg+xml;base64,${btoa(value)}`;
    else place.textContent = Array.isArray(value) ? value.join("\n") : (value ?? place.dataset.none);
  }
  shown.hidden = false;
  shown.querySelector("h2, h3")?.focus();
}

function say(form, error) {
  const alert = form.querySelector("[role=alert]");
  const problem = error.wrong;
  if (error.name === "NotAllowedError") alert.textContent = words.stopped;
  else if (problem === null || problem === undefined) alert.textContent = words.away;
  else alert.textContent = words[problem.type] ?? problem.detail;
  alert.hidden = false;
  for (const one of problem?.errors ?? []) {
    const field = form.querySelector(`[name="${CSS.escape(one.at.replace(/^\//, ""))}"]`);
    field?.setAttribute("aria-invalid", "true");
    field?.focus();
  }
}

async function send(form) {
  const { method, path, passkey, shows } = form.dataset;
  if (passkey !== undefined) await addPasskey(form.elements.name.value, form.elements.password.value);
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

for (const form of document.querySelectorAll("form[data-method], form[data-passkey]")) {
  if (form.dataset.passkey !== undefined && !canPasskeys()) form.hidden = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.dataset.sure && !confirm(form.dataset.sure)) return;
    const button = form.querySelector("button");
    button.disabled = true;
    form.querySelector("[role=alert]").hidden = true;
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
