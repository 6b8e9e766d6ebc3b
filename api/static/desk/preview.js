// What is typed is looked at before it is kept: the brand in a frame, a message on a real stop.

import { bodyOf, say, show } from "./settings.js";
import { ask } from "./passkey.js";

const branded = document.querySelector("form[data-previews]");
if (branded) {
  const frame = document.getElementById("preview");
  let soon;
  branded.addEventListener("input", () => {
    clearTimeout(soon);
    soon = setTimeout(() => {
      const said = new URLSearchParams({ lang: document.documentElement.lang });
      for (const name of ["brand", "colours/primary"]) said.set(name, branded.elements[name].value);
      frame.src = `${branded.dataset.previews}?${said}`;
    }, 150);
  });
}

const text = document.getElementById("text");
document.getElementById("look")?.addEventListener("click", async (event) => {
  const { kind, channel, locale } = text.dataset;
  const typed = bodyOf(text).texts?.[channel]?.[locale] ?? {};
  event.target.disabled = true;
  text.querySelector("[role=alert]").hidden = true;
  try {
    const asked = { kind, channel, locale, stop_id: document.getElementById("stop").value, ...typed };
    show(await ask("POST", "/v1/messages/preview", asked), document.getElementById("looked"));
  } catch (error) {
    say(text, error);
  } finally {
    event.target.disabled = false;
  }
});
