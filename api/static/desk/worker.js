/* Shows alerts that the push service brings while no page of the desk is open. */

const worker = /** @type {any} */ (self);
worker.addEventListener("install", () => worker.skipWaiting());
worker.importScripts(new URL("../page/told.js", worker.location));
