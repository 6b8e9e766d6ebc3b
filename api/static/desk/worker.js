/* Shows alerts that the push service brings while no page of the desk is open. */

self.addEventListener("install", () => self.skipWaiting());
importScripts(new URL("../page/told.js", self.location));
