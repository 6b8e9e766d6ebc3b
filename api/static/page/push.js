/* The button "tell me when it is near": only where the browser can, and the sender does. */

/** Offer it in #push; what it says stands there, in the page's language. */
export async function offerPush(link, assets) {
  const place = document.getElementById("push");
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return;
  const texts = place.dataset;
  const button = document.createElement("button");
  const said = document.createElement("p");
  button.type = "button";
  button.className = "push";
  said.className = "more";
  said.setAttribute("role", "status");
  const scope = window.location.pathname;
  let key = null;

  function show(isOn, words) {
    button.hidden = Notification.permission === "denied";
    button.textContent = isOn ? texts.stop : texts.ask;
    button.onclick = isOn ? forget : ask;
    said.textContent = words || (isOn ? texts.on : "");
    said.hidden = !said.textContent;
  }

  /** The page's worker once more, for this delivery alone: each has a subscription of its own. */
  const worker = () => navigator.serviceWorker.register(`${assets}/page/worker.js`, { scope });

  async function known() {
    const registration = await navigator.serviceWorker.getRegistration(scope);
    if (!registration || new URL(registration.scope).pathname !== scope) return null;
    await worker(); // of this release
    return registration.pushManager.getSubscription();
  }

  async function ask() {
    button.disabled = true;
    try {
      if (await Notification.requestPermission() !== "granted") { show(false, texts.denied); return; }
      const registration = await ready(await worker());
      const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
      const answer = await send("POST", "", JSON.stringify(made));
      if (!answer.ok) throw new Error(answer.status);
      show(true);
    } catch {
      show(false, texts.failed);
    } finally {
      button.disabled = false;
    }
  }

  async function forget() {
    button.disabled = true;
    try {
      const made = await known();
      if (made) {
        await send("DELETE", `?endpoint=${encodeURIComponent(made.endpoint)}`);
        await made.unsubscribe();
      }
      show(false);
    } catch {
      show(true, texts.failed);
    } finally {
      button.disabled = false;
    }
  }

  function ready(registration) {  // navigator.serviceWorker.ready is of this page's own address only by its scope
    const worker = registration.active || registration.waiting || registration.installing;
    if (worker.state === "activated") return registration;
    return new Promise((done) => worker.addEventListener("statechange", () => {
      if (worker.state === "activated") done(registration);
    }));
  }

  function send(method, query, body) {
    return fetch(`${link}/push${query}`, { method, body, headers: body ? { "Content-Type": "application/json" } : {} });
  }

  const offer = await fetch(`${link}/push`);
  if (!offer.ok) return;
  const given = (await offer.json()).key;
  if (!given) return;
  const text = given.replace(/-/g, "+").replace(/_/g, "/");
  key = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  place.append(button, said);
  show(Boolean(await known()));
  place.hidden = false;
}
