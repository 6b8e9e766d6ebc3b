/* The page of a recipient. The server says what may be seen, in words; here it is kept up to date and put on a map. */

import { follow } from "./follow.js";
import { renderMap } from "./map.js";
import { offerPush } from "./push.js";
import { renew, speak } from "./words.js";

const { link, now, assets, offline, kept } = document.body.dataset;
const wasKept = document.documentElement.hasAttribute("data-kept"); // shown by the worker, of an earlier visit
const aheadOfUs_ms = wasKept ? 0 : Date.parse(now) - Date.now(); // the phone's clock may be wrong; the server's counts
const serverNow = () => Date.now() + aheadOfUs_ms;
const { view: first } = JSON.parse(document.getElementById("data").textContent);

function sayOffline(text) {
  const notice = document.getElementById("offline");
  if (notice.textContent !== text) notice.textContent = text;
  notice.hidden = text === "";
}

/** The map could not be loaded: the picture of the way says as much. */
function withoutMap() {
  document.getElementById("map").hidden = true;
  document.getElementById("scene").removeAttribute("hidden");
}

sayOffline(wasKept ? kept : "");
if (!wasKept) speak(document.getElementById("spoken").dataset.says);
renderMap(first, serverNow).catch(withoutMap);

offerPush(link, assets).catch(() => {}); // without a connection the page says so

follow(link, {
  got(view) {
    if (wasKept) { location.reload(); return; } // the connection is back
    sayOffline("");
    renderMap(view, serverNow).catch(withoutMap);
    renew(view);
  },
  missed: () => sayOffline(wasKept ? kept : offline),
  ended: () => location.reload(),
});

if ("serviceWorker" in navigator && isSecureContext) {
  navigator.serviceWorker.register(`${assets}/page/worker.js`, { scope: "/t/" }).catch(() => {}); // without it the page needs a connection
}
