/* New alerts are told while the page is open; the list itself stays as it is until somebody looks again. */

const LOOK_MS = 10_000;
const SOUND = "reparto-alert-sound";
const BEEP_S = 0.25;

const newest = Number(/** @type {HTMLElement} */ (document.getElementById("alerts")).dataset.newest);
const fresh = /** @type {HTMLElement} */ (document.getElementById("fresh"));
const sound = /** @type {HTMLInputElement} */ (document.getElementById("sound"));
let heard = newest;

sound.checked = localStorage.getItem(SOUND) === "1";
sound.addEventListener("change", () => {
  localStorage.setItem(SOUND, sound.checked ? "1" : "0");
  if (sound.checked) beep(); // how it sounds; and browsers let a page sound only after somebody touched it
});

setInterval(look, LOOK_MS);

async function look() {
  const response = await fetch("/v1/alerts?state=open&limit=1").catch(() => null);
  if (!response?.ok) return;
  const [last] = (await response.json()).alerts;
  const id = last ? Number(last.id.replace("al_", "")) : 0;
  if (id <= heard) return;
  heard = id;
  fresh.hidden = false;
  if (sound.checked) beep();
}

function beep() {
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  volume.gain.setValueAtTime(0.2, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + BEEP_S);
  tone.frequency.value = 880;
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + BEEP_S);
  tone.onended = () => audio.close();
}
