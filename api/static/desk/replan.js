/* Somebody has a day planned again: what they say becomes one question to the API, and the page of its answer. */

import { send } from "./acts.js";

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("replan"));
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  if (button.disabled) return;
  button.disabled = true;
  const answer = await send("POST /v1/plans/replan", asked(form));
  if (answer) location.assign(`/desk/replan/${(await answer.json()).id}?lang=${document.documentElement.lang}`);
  else button.disabled = false;
});

/** @param {HTMLFormElement} form */
function asked(form) {
  const said = new FormData(form);
  const tour = /** @type {HTMLElement | null} */ (form.querySelector("[data-route]"));
  const day = /** @type {HTMLSelectElement | null} */ (form.querySelector("[name=day]"))?.selectedOptions[0];
  const cancel = String(said.get("cancel")).split("\n").map((one) => one.trim()).filter(Boolean);
  const body = { because: said.get("because"), cancel };
  if (!tour) return { ...body, depot: day?.value, date: day?.dataset.date, out: said.getAll("out").map((route) => ({ route })) };
  const { route, depot = day?.value, date } = tour.dataset;
  const about = said.get("about");
  return { ...body, depot, date, ...(about === "out" ? { out: [{ route }] } : about === "one" ? { routes: [route] } : {}) };
}
