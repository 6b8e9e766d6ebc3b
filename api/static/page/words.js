/* The words of the page are the server's: when what they rest on changes, the page is asked for again and its parts are
   put in place of the old ones. What did not change is not touched, so that nobody loses their place. */

const QUIETLY_MS = 15_000; // what changes with every fix is read again so often at most
const STEP_MS = 300_000; // windows are said to five minutes
const AT_LEAST_MS = 60_000; // what changes elsewhere (whether the driver has it) is seen after so long

let readAt = Date.now();
let known = null;
let later = 0;

/** Read the words again if a view says that they may be others by now. */
export function renew(view) {
  const { position, path_ahead, updated_at, ...said } = view;
  const window = said.eta && [Math.floor(Date.parse(said.eta.low) / STEP_MS), Math.ceil(Date.parse(said.eta.high) / STEP_MS)];
  const plain = JSON.stringify([window, said.status, said.under_way, said.stops_before, said.pin, said.done_at, said.stop, Boolean(position), said.eta?.stale]);
  const changed = known !== null && known !== plain;
  known = plain;
  if (changed) { read(); return; }
  if (!later) later = setTimeout(read, Math.max(0, readAt + QUIETLY_MS - Date.now()));
}

async function read() {
  clearTimeout(later);
  later = 0;
  readAt = Date.now();
  try {
    const response = await fetch(location.href.split("#")[0], { headers: { Accept: "text/html" } });
    if (response.status === 404 || response.status === 410) { location.reload(); return; }
    if (response.ok) put(parsed(await response.text()));
  } catch {
    // whoever follows the van says that there is no connection
  }
}

/** Read a page; its own style has another nonce than ours, and is the same. */
const parsed = (text) => new DOMParser().parseFromString(text.replace(/<style[^]*?<\/style>/, ""), "text/html");

function put(page) {
  for (const part of page.querySelectorAll("[data-part]")) {
    const old = document.getElementById(part.id);
    if (!old) continue;
    if (part.id === "van-at") { old.dataset.old = part.dataset.old; continue; }
    old.className.baseVal === undefined && (old.className = part.className);
    if (part.id !== "scene") old.toggleAttribute("hidden", part.hasAttribute("hidden"));
    if (old.querySelector("details[open]")) part.querySelector("details")?.setAttribute("open", ""); // as they left it
    if (old.innerHTML !== part.innerHTML) old.replaceChildren(...part.childNodes);
  }
  document.title = page.title;
  for (const name of ["state", "scene"]) document.body.dataset[name] = page.body.dataset[name];
  speak(page.getElementById("spoken").dataset.says);
}

/** Say what changed to those who listen: once, and only if it is something else. */
export function speak(says) {
  const spoken = document.getElementById("spoken");
  if (spoken.textContent !== says) spoken.textContent = says;
}

setInterval(() => { if (!document.hidden && Date.now() - readAt >= AT_LEAST_MS) read(); }, QUIETLY_MS);
