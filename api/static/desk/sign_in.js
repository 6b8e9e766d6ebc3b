// The button that signs in with a passkey, where the browser has such a thing.

import { canPasskeys, signInByPasskey } from "./passkey.js";

const button = /** @type {HTMLButtonElement} */ (document.getElementById("passkey"));
const wrong = /** @type {HTMLElement} */ (document.getElementById("passkey-wrong"));

if (canPasskeys()) button.hidden = false;

button.addEventListener("click", async () => {
  button.disabled = true;
  wrong.hidden = true;
  try {
    await signInByPasskey();
    location.reload();
  } catch (thrown) {
    const error = /** @type {any} */ (thrown);
    button.disabled = false;
    wrong.textContent = (error.wrong?.type === "too-many-requests" ? wrong.dataset.often : wrong.dataset.refused) ?? "";
    wrong.hidden = error.name === "NotAllowedError" && !error.wrong; // they thought better of it
  }
});
