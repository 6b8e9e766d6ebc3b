/* What a driver says on their page, by the door of drivers' apps: said twice it counts once. */

import { doneAndAgain, tell } from "./acts.js";

const LOOK_MS = 30_000;

const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
const page = /** @type {HTMLElement} */ (document.getElementById("driving"));
const told = /** @type {HTMLElement} */ (document.getElementById("told"));

/**
 * What was sent and not answered, by what it says: the next try says the same event, so that it is kept once.
 *
 * @type {Map<string, { id: string, occurred_at: number }>}
 */
const unanswered = new Map();

/** A random UUID (version 4); `crypto.randomUUID` is there by https only. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/**
 * The type of the event that a form stands for, and its data.
 *
 * @param {HTMLFormElement} form
 * @returns {{ type: string, data: Record<string, any> }}
 */
function saidIn(form) {
  const fields = new FormData(form);
  const text = (/** @type {string} */ name) => String(fields.get(name) ?? "").trim();
  /** @type {Record<string, any>} */
  const data = {};
  for (const name of ["pin", "reason", "note"]) if (text(name)) data[name] = text(name);
  if (text("recipient")) data.recipient = { name: text("recipient") };
  if (text("barcodes")) data.barcodes = text("barcodes").split(/\s+/);
  if (text("cash")) data.cash = { amount: Number(text("cash")), method: text("method") };
  const parcels = [.../** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[data-parcel]"))];
  const back = parcels.filter((one) => !one.checked);
  if (!back.length) return { type: form.dataset.says ?? "", data };
  const handed = parcels.filter((one) => one.checked);
  if (!handed.length) throw Object.assign(new Error(words.nothing), { said: true });
  data.parcels = handed.map((one) => ({ seq: Number(one.dataset.parcel), outcome: form.dataset.handed }));
  return { type: "partially_completed", data };
}

/**
 * Send a photo; gives the id that the event names it by.
 *
 * @param {File} photo
 * @param {string} stop
 */
async function sendPhoto(photo, stop) {
  const body = new FormData();
  body.append("stop_id", stop);
  body.append("kind", "photo");
  body.append("file", photo);
  const answer = await fetch("/v1/driver/proofs", { method: "POST", headers: { "Reparto-Csrf": "1" }, body });
  return (await good(answer)).id;
}

/** The body of an answer; throws its problem. @param {Response} answer */
async function good(answer) {
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(body.detail ?? answer.statusText), { status: answer.status });
  return body;
}

/** @param {HTMLFormElement} form */
async function say(form) {
  const { stop, route } = form.dataset;
  const { type, data } = saidIn(form);
  const photo = /** @type {HTMLInputElement | null} */ (form.elements.namedItem("photo"))?.files?.[0];
  if (photo) data.proofs = [{ upload_id: await sendPhoto(photo, stop ?? ""), kind: "photo" }];
  const what = { type, stop_id: stop, route_id: route, data };
  const key = JSON.stringify(what);
  const event = { ...what, ...(unanswered.get(key) ?? { id: newId(), occurred_at: Date.now() }) };
  unanswered.set(key, { id: event.id, occurred_at: event.occurred_at });
  const headers = { "Reparto-Csrf": "1", "Content-Type": "application/json" };
  const body = JSON.stringify({ events: [event], sent_at: Date.now() });
  const [result] = (await good(await fetch("/v1/driver/events", { method: "POST", headers, body }))).results;
  unanswered.delete(key);
  return result;
}

/** @param {any} error */
function tellError(error) {
  if (error.said) tell(error.message);
  else if (error.status === 401 || error.status === 403) tell(words.over, true);
  else if (error.status) tell((told.dataset.failed ?? "").replace("{why}", error.message));
  else tell(told.dataset.away ?? "");
}

document.addEventListener("submit", async (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.dataset.says) return;
  event.preventDefault();
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  if (button.disabled) return;
  button.disabled = true;
  tell("");
  try {
    const result = await say(form);
    if (result.effective) return doneAndAgain(form.dataset.says === "arrived" ? location.href : page.dataset.next);
    tell(words[result.why] ?? words.no, !(result.why in words) || result.why.startsWith("already-"));
  } catch (error) {
    tellError(error);
  }
  button.disabled = false;
  told.scrollIntoView({ block: "nearest" });
});

/** Another page by now is shown, but not under somebody who writes. */
async function look() {
  const headers = { "If-None-Match": `W/"${page.dataset.version}"` };
  const answer = await fetch(location.href, { method: "HEAD", headers, cache: "no-store" }).catch(() => null);
  if (answer?.status !== 200 || document.hidden) return;
  if (answer.redirected) tell(words.over, true);
  else if (page.querySelector(".next details[open]")) tell(words.changed, true);
  else location.reload();
}

setInterval(look, LOOK_MS);
