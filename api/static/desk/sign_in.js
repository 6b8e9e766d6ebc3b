// The button that signs in with a passkey, where the browser has such a thing.

import { canPasskeys, signInByPasskey } from "./passkey.js";

const button = document.getElementById("passkey");
const wrong = document.getElementById("passkey-wrong");

if (canPasskeys()) button.hidden = false;

button.addEventListener("click", async () => {
  button.disabled = true;
  wrong.hidden = true;
  try {
    await signInByPasskey();
    location.reload();
  } catch (error) {
    button.disabled = false;
    wrong.textContent = error.wrong?.type === "too-many-requests" ? wrong.dataset.often : wrong.dataset.refused;
    wrong.hidden = error.name === "NotAllowedError" && !error.wrong; // they thought better of it
  }
});
