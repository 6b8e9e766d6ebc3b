/* A form of a recipient: sent once, what is wrong comes into sight, and the door is shown on a map. */

import { addGround, HERE, leaflet } from "./leaflet.js";

const form = document.querySelector("form");
document.getElementById("summary")?.focus();
form?.addEventListener("submit", (event) => {
  const send = form.querySelector(".send");
  if (send.hasAttribute("aria-disabled")) { event.preventDefault(); return; } // a double tap does nothing twice
  send.setAttribute("aria-disabled", "true");
});
addEventListener("pageshow", () => form?.querySelector(".send").removeAttribute("aria-disabled")); // came back to it

const door = document.querySelector(".door");
if (door) showDoor().catch(() => { door.hidden = true; }); // without a map the words beside it say what to do

async function showDoor() {
  const { assets, tiles, attribution } = document.body.dataset;
  const L = await leaflet(assets);
  const [lat, lon] = [Number(door.dataset.lat), Number(door.dataset.lon)];
  door.hidden = false;
  const map = L.map(door, { attributionControl: false, zoomSnap: tiles ? 1 : 0.25, minZoom: 13, maxZoom: 19 });
  addGround(L, map, { tiles, attribution });
  L.marker([lat, lon], { icon: L.divIcon({ className: "was", iconSize: [16, 16], iconAnchor: [8, 8] }), keyboard: false, interactive: false }).addTo(map);
  map.setView([Number(form.lat.value) || lat, Number(form.lon.value) || lon], 18);
  const cross = Object.assign(document.createElement("div"), { className: "cross", innerHTML: HERE });
  door.append(cross);
  map.on("moveend", () => {
    const { lat: atLat, lng } = map.getCenter();
    form.lat.value = atLat.toFixed(6);
    form.lon.value = lng.toFixed(6);
  });
}
