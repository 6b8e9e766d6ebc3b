// The button "tell me when it is near": only where the browser can, and the sender does. It stands in #push.
"use strict";

(() => {
  const place = document.getElementById("push");
  const link = document.body.dataset.link;
  if (!place || !("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return;

  const { texts } = JSON.parse(document.getElementById("data").textContent);
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
    button.textContent = isOn ? texts.push_stop : texts.push_ask;
    button.onclick = isOn ? forget : ask;
    said.textContent = words || (isOn ? texts.push_on : "");
    said.hidden = !said.textContent;
  }

  async function known() {
    const registration = await navigator.serviceWorker.getRegistration(scope);
    return registration ? registration.pushManager.getSubscription() : null;
  }

  async function ask() {
    button.disabled = true;
    try {
      if (await Notification.requestPermission() !== "granted") { show(false, texts.push_denied); return; }
      await navigator.serviceWorker.register("/push-worker.js", { scope });
      const registration = await ready(await navigator.serviceWorker.getRegistration(scope));
      const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
      const answer = await send("POST", "", JSON.stringify(made));
      if (!answer.ok) throw new Error(answer.status);
      show(true);
    } catch {
      show(false, texts.push_failed);
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
      show(true, texts.push_failed);
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

  (async () => {
    const offer = await fetch(`${link}/push`);
    if (!offer.ok) return;
    const given = (await offer.json()).key;
    if (!given) return;
    const text = given.replace(/-/g, "+").replace(/_/g, "/");
    key = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    place.append(button, said);
    show(Boolean(await known()));
    place.hidden = false;
  })().catch(() => {});  // offline: the page says so
})();
