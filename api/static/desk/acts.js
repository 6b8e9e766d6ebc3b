/* What somebody does on a page of the desk goes to the API, as every other client's changes do. */

const told = /** @type {HTMLElement} */ (document.getElementById("told"));
const DONE = "reparto-done";

/**
 * Send a change; answers that are no good are told at the top of the page, and give null.
 *
 * @param {string} what method and path: `POST /v1/stops/st_7/reopen`
 * @param {object | null} body
 * @param {string} [version] the one that the page shows, where two people may change the same thing
 * @returns {Promise<Response | null>}
 */
export async function send(what, body, version) {
  const [method, path] = what.split(" ");
  /** @type {Record<string, string>} */
  const headers = { "Reparto-Csrf": "1", Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  if (version) headers["If-Match"] = `"${version}"`;
  tell("");
  try {
    const response = await fetch(path, { method, headers, body: body ? JSON.stringify(body) : null });
    if (response.ok) return response;
    if (response.status === 412) {
      tell(/** @type {string} */ (told.dataset.overtaken), true);
    } else {
      const problem = await response.json().catch(() => ({}));
      const why = [problem.detail || response.statusText, ...(problem.errors || []).map((/** @type {{why: string}} */ one) => one.why)];
      tell(/** @type {string} */ (told.dataset.failed).replace("{why}", why.join(" ")));
    }
  } catch {
    tell(/** @type {string} */ (told.dataset.away));
  }
  return null;
}

/** Say something at the top of the page; with a way to see how things are now, if that may be otherwise.
 * @param {string} text
 * @param {boolean} [again]
 */
export function tell(text, again = false) {
  told.textContent = text;
  told.hidden = !text;
  if (!again) return;
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = /** @type {string} */ (told.dataset.again);
  told.append(" ", link);
}

/** Show the page anew, or another one, and there that it is done. @param {string} [where] */
export function doneAndAgain(where) {
  sessionStorage.setItem(DONE, "1");
  if (where && where !== location.href) location.assign(where);
  else location.reload();
}

if (sessionStorage.getItem(DONE)) {
  sessionStorage.removeItem(DONE);
  tell(/** @type {string} */ (told.dataset.done));
}

document.addEventListener("submit", async (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const act = form.dataset.act;
  if (!act) return;
  event.preventDefault();
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  if (button.disabled) return;
  button.disabled = true;
  /** @type {Record<string, any>} */
  const said = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  const body = form.dataset.nullable ? { [form.dataset.nullable]: said[form.dataset.nullable] ?? null } : said;
  if (form.dataset.inMinutes) body.until = new Date(Date.now() + Number(form.dataset.inMinutes) * 60_000).toISOString();
  const done = await send(act, body, form.dataset.version);
  if (!done) button.disabled = false;
  else if (form.dataset.then) location.assign(form.dataset.then);
  else doneAndAgain();
});
