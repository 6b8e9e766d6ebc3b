// The identity provider is tried as it stands in the form, before it counts; each step says how it went.

import { ask } from "./passkey.js";
import { bodyOf, say } from "./settings.js";

const TONES = /** @type {Record<string, string>} */ ({ good: "well", wrong: "broken", unknown: "off" });

const form = /** @type {HTMLFormElement} */ (document.getElementById("provider"));
const button = /** @type {HTMLButtonElement | null} */ (document.getElementById("try"));
const tried = /** @type {HTMLElement} */ (document.getElementById("tried"));

/** @param {{ outcome: string, said: string }} step */
function shown(step) {
  const row = document.createElement("li");
  const tag = document.createElement("span");
  tag.className = `tag ${TONES[step.outcome]}`;
  tag.textContent = tried.dataset[step.outcome] ?? "";
  const words = document.createElement("span");
  words.className = "said";
  words.textContent = step.said;
  row.append(tag, words);
  return row;
}

button?.addEventListener("click", async () => {
  if (!form.reportValidity()) return;
  button.disabled = true;
  tried.replaceChildren();
  /** @type {HTMLElement} */ (form.querySelector("[role=alert]")).hidden = true;
  try {
    const { steps } = await ask("POST", `/v1/account/oidc/try?lang=${document.documentElement.lang}`, bodyOf(form));
    tried.replaceChildren(...steps.map(shown));
  } catch (error) {
    say(form, error);
  } finally {
    button.disabled = false;
  }
});
