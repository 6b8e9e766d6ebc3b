/* A sheet is looked at, then imported: the same file goes to the API twice, and in between its page is shown here. What a
   column is for can be said before either; the account remembers it. */

import { tell } from "./acts.js";
import { ask } from "./passkey.js";

const LANGUAGE = document.documentElement.lang;
const PAUSE_MS = 2_000;

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("import"));
const looked = document.getElementById("looked");
const confirms = document.getElementById("confirm");
const columns = /** @type {HTMLDetailsElement | null} */ (document.getElementById("columns"));

/** @type {Record<string, string | null>} What somebody said of headings. */
let mapping = {};

/** Send the file; gives its import, or null where the API said no. @param {boolean} dryRun @returns {Promise<any>} */
async function sendFile(dryRun) {
  const said = new FormData(/** @type {HTMLFormElement} */ (form));
  const query = new URLSearchParams({ kind: String(said.get("kind")), dry_run: String(dryRun), lang: LANGUAGE });
  for (const name of ["date", "timezone"]) {
    if (said.get(name)) query.set(name, String(said.get(name)));
  }
  const body = new FormData();
  body.set("mapping", JSON.stringify(mapping));
  body.set("file", /** @type {File} */ (said.get("file")));
  tell("");
  try {
    return await ask("POST", `/v1/imports?${query}`, body);
  } catch (error) {
    const { failed = "", away = "" } = /** @type {HTMLElement} */ (document.getElementById("told")).dataset;
    const { wrong } = /** @type {any} */ (error);
    const unclear = wrong?.type === "unreadable-file" ? wrong.errors : undefined;
    if (unclear) {
      offer(unclear.map((/** @type {any} */ one) => ({ heading: one.at, field: "?" })), true);
      tell(form?.dataset[String(said.get("kind"))] ?? "");
    } else tell(wrong ? failed.replace("{why}", wrong.detail) : away);
    return null;
  }
}

/** Let somebody say what columns are for. @param {{heading: string, field: string | null}[]} all @param {boolean} open */
function offer(all, open) {
  const kind = /** @type {HTMLSelectElement} */ (form?.elements.namedItem("kind")).value;
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(`column-${kind}`));
  for (const label of columns?.querySelectorAll("label") ?? []) label.remove();
  for (const { heading, field } of all.filter((one) => one.heading)) {
    const row = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    const select = /** @type {HTMLSelectElement} */ (row.querySelector("select"));
    /** @type {HTMLElement} */ (row.querySelector("span")).textContent = heading;
    select.value = (heading in mapping ? mapping[heading] : field) ?? "";
    select.addEventListener("change", () => {
      if (select.value === "?") delete mapping[heading];
      else mapping[heading] = select.value || null;
    });
    columns?.append(row);
  }
  if (columns) columns.hidden = false;
  if (columns && open) columns.open = true;
}

/** What became of an import so far, as its page shows it; null where it cannot be had. @param {string} path @returns {Promise<HTMLElement | null>} */
async function became(path) {
  const answer = await fetch(path).catch(() => null);
  if (!answer?.ok) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("became");
}

/** Put an import into its place, again and again until it is over. @param {HTMLElement} place @param {string} path */
async function follow(place, path) {
  for (;;) {
    const now = await became(path);
    if (now) {
      place.replaceChildren(...now.childNodes);
      place.dataset.good = now.dataset.good;
    }
    if (now && !("running" in now.dataset)) return;
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
}

/** Offer the time zones that the browser knows; where no depot has one, the browser's own is chosen. @param {HTMLSelectElement} select */
function offerZones(select) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const zone of new Set([own, ...Intl.supportedValuesOf("timeZone")])) {
    select.add(new Option(zone.replaceAll("_", " "), zone, false, "here" in select.dataset && zone === own));
  }
}

function forget() {
  if (looked) looked.hidden = true;
  if (confirms) confirms.hidden = true;
}

form?.addEventListener("change", ({ target }) => {
  forget();
  const { name } = /** @type {HTMLInputElement} */ (target);
  if (name !== "file" && name !== "kind") return;
  mapping = {};
  if (columns) columns.hidden = true;
});

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  if (button.disabled || !looked || !confirms) return;
  button.disabled = true;
  forget();
  const trial = await sendFile(true);
  if (trial) {
    offer(trial.columns, false);
    looked.hidden = false;
    await follow(looked, `/desk/imports/${trial.id}?lang=${LANGUAGE}`);
    confirms.hidden = looked.dataset.good === "0";
  }
  button.disabled = false;
});

confirms?.querySelector("button")?.addEventListener("click", async (event) => {
  const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
  button.disabled = true;
  const made = await sendFile(false);
  if (made) location.assign(`/desk/imports/${made.id}?lang=${LANGUAGE}`);
  else button.disabled = false;
});

const zone = /** @type {HTMLSelectElement | null} */ (form?.elements.namedItem("timezone") ?? null);
if (zone) offerZones(zone);

const running = /** @type {HTMLElement | null} */ (document.querySelector("#became[data-running]"));
if (running) follow(running, location.href);
