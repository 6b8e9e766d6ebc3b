// What is typed is looked at before it is kept: the brand in a frame, a message on a real stop.

import { bodyOf, say, show } from "./settings.js";
import { ask } from "./passkey.js";

const branded = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-previews]"));
if (branded) {
  const frame = /** @type {HTMLIFrameElement} */ (document.getElementById("preview"));
  let soon = 0;
  branded.addEventListener("input", () => {
    clearTimeout(soon);
    soon = window.setTimeout(() => {
      const said = new URLSearchParams({ lang: document.documentElement.lang });
      for (const name of ["brand", "colours/primary"]) said.set(name, /** @type {HTMLInputElement} */ (branded.elements.namedItem(name)).value);
      frame.src = `${branded.dataset.previews}?${said}`;
    }, 150);
  });
}

const text = /** @type {HTMLElement} */ (document.getElementById("text"));
const look = /** @type {HTMLButtonElement | null} */ (document.getElementById("look"));
look?.addEventListener("click", async () => {
  const { kind, channel, locale } = /** @type {Record<string, string>} */ (text.dataset);
  const typed = bodyOf(text).texts?.[channel]?.[locale] ?? {};
  look.disabled = true;
  /** @type {HTMLElement} */ (text.querySelector("[role=alert]")).hidden = true;
  try {
    const asked = { kind, channel, locale, stop_id: /** @type {HTMLInputElement} */ (document.getElementById("stop")).value, ...typed };
    show(await ask("POST", "/v1/messages/preview", asked), document.getElementById("looked"));
  } catch (error) {
    say(text, error);
  } finally {
    look.disabled = false;
  }
});
