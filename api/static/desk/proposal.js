/* A proposal is looked for, waits for somebody, and is too old after a while; whoever has it open is told. */

import { tell } from "./acts.js";

const SEARCHING_MS = 700;
const WAITING_MS = 5_000;

const { plan, state, holdsS } = /** @type {Record<string, string>} */ (/** @type {HTMLElement} */ (document.getElementById("proposal")).dataset);
const progress = /** @type {HTMLProgressElement | null} */ (document.querySelector("#proposal progress"));
const told = /** @type {HTMLElement} */ (document.getElementById("told"));

if (progress) setInterval(look, SEARCHING_MS);
else if (holdsS) {
  setInterval(look, WAITING_MS);
  setTimeout(() => location.reload(), (Number(holdsS) + 1) * 1000);
}

async function look() {
  if (document.hidden) return;
  const response = await fetch(`/v1/plans/${plan}`, { headers: { Accept: "application/json" } }).catch(() => null);
  const now = response?.ok ? await response.json() : null;
  if (!now) return;
  if (progress) progress.value = now.progress;
  if (progress && !["queued", "running"].includes(now.state)) location.reload();
  else if (!progress && now.state !== state && told.hidden) tell(/** @type {string} */ (told.dataset.overtaken), true);
}
