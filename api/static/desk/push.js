/* The switch that has this browser told of alerts: only where the browser can, and the account does. */

const place = /** @type {HTMLElement} */ (document.getElementById("push-place"));
const button = /** @type {HTMLButtonElement} */ (document.getElementById("push"));
const said = /** @type {HTMLElement} */ (document.getElementById("push-said"));
const SCOPE = "/desk/";

const headers = { "Reparto-Csrf": "1", "Content-Type": "application/json" };

/** @returns {Promise<PushSubscription | null>} */
async function known() {
  const worker = await navigator.serviceWorker.getRegistration(SCOPE);
  return worker ? worker.pushManager.getSubscription() : null;
}

/** @param {boolean} isOn @param {string} [words] */
function show(isOn, words = "") {
  button.setAttribute("aria-pressed", String(isOn));
  said.textContent = words;
}

/** @param {string} key */
async function begin(key) {
  if ((await Notification.requestPermission()) !== "granted") return show(false, said.dataset.denied);
  await navigator.serviceWorker.register(`${place.dataset.assets}/desk/worker.js`, { scope: SCOPE });
  const worker = await navigator.serviceWorker.ready;
  const text = key.replace(/-/g, "+").replace(/_/g, "/");
  const applicationServerKey = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const browser = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
  const query = `?lang=${document.documentElement.lang}`;
  const answer = await fetch(`/v1/alerts/push${query}`, { method: "POST", headers, body: JSON.stringify({ browser }) });
  if (!answer.ok) throw new Error(String(answer.status));
  show(true, said.dataset.on);
}

async function end() {
  const made = await known();
  if (made) {
    const answer = await fetch(`/v1/alerts/push?endpoint=${encodeURIComponent(made.endpoint)}`, { method: "DELETE", headers });
    if (!answer.ok) throw new Error(String(answer.status));
    await made.unsubscribe();
  }
  show(false);
}

async function offer() {
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return;
  const answer = await fetch("/v1/alerts/push").catch(() => null);
  const key = answer?.ok ? (await answer.json()).key : null;
  if (!key) return;
  const isOn = Boolean(await known());
  show(isOn, isOn ? said.dataset.on : "");
  place.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    const isOn = button.getAttribute("aria-pressed") === "true";
    try {
      await (isOn ? end() : begin(key));
    } catch {
      show(isOn, said.dataset.failed);
    } finally {
      button.disabled = false;
    }
  });
}

offer();
