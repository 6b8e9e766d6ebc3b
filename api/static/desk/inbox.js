/* New alerts are told while the page is open; the list itself stays as it is until somebody looks again. */

const LOOK_MS = 10_000;
const SOUND = "reparto-alert-sound";
const BEEP_S = 0.25;

/** Of the open ones that the page shows; where it shows others, all that are open now are known. */
const newest = Number(document.getElementById("alerts")?.dataset.newest ?? Infinity);
const fresh = /** @type {HTMLElement} */ (document.getElementById("fresh"));
const sound = /** @type {HTMLInputElement} */ (document.getElementById("sound"));
/** @type {Set<number> | undefined} */
let known; // by id; what is seen again after it was put aside, or had to last for a while, is news too

sound.checked = localStorage.getItem(SOUND) === "1";
sound.addEventListener("change", () => {
  localStorage.setItem(SOUND, sound.checked ? "1" : "0");
  if (sound.checked) beep(); // how it sounds; and browsers let a page sound only after somebody touched it
});

look();
setInterval(look, LOOK_MS);

async function look() {
  const response = await fetch("/v1/alerts?state=open&limit=200").catch(() => null);
  if (!response?.ok) return;
  const ids = (await response.json()).alerts.map((/** @type {{ id: string }} */ one) => Number(one.id.replace("al_", "")));
  const isNews = ids.some((/** @type {number} */ id) => (known ? !known.has(id) : id > newest));
  known = new Set(ids);
  if (!isNews) return;
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
