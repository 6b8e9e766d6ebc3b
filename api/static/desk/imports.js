/* A sheet is looked at, then imported: the same file goes to the API twice, and in between its page is shown here. */

import { send } from "./acts.js";

const LANGUAGE = document.documentElement.lang;
const PAUSE_MS = 2_000;

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("import"));
const looked = document.getElementById("looked");
const confirms = document.getElementById("confirm");

/** Send the file; gives the id of its import, or null where the API said no. @param {boolean} dryRun @returns {Promise<string | null>} */
async function sendFile(dryRun) {
  const said = new FormData(/** @type {HTMLFormElement} */ (form));
  const query = new URLSearchParams({ kind: String(said.get("kind")), dry_run: String(dryRun) });
  if (said.get("date")) query.set("date", String(said.get("date")));
  const body = new FormData();
  body.set("file", /** @type {File} */ (said.get("file")));
  const answer = await send(`POST /v1/imports?${query}`, body);
  return answer && (await answer.json()).id;
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

function forget() {
  if (looked) looked.hidden = true;
  if (confirms) confirms.hidden = true;
}

form?.addEventListener("change", forget);

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  if (button.disabled || !looked || !confirms) return;
  button.disabled = true;
  forget();
  const id = await sendFile(true);
  if (id) {
    looked.hidden = false;
    await follow(looked, `/desk/imports/${id}?lang=${LANGUAGE}`);
    confirms.hidden = looked.dataset.good === "0";
  }
  button.disabled = false;
});

confirms?.querySelector("button")?.addEventListener("click", async (event) => {
  const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
  button.disabled = true;
  const id = await sendFile(false);
  if (id) location.assign(`/desk/imports/${id}?lang=${LANGUAGE}`);
  else button.disabled = false;
});

const running = /** @type {HTMLElement | null} */ (document.querySelector("#became[data-running]"));
if (running) follow(running, location.href);
