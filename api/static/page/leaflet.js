/* Leaflet, when a map is shown and not before: it is most of what a page weighs. */

let loading = null;

/** Load it once; give its names. */
export function leaflet(assets) {
  loading ??= Promise.all([import(`${assets}/leaflet/leaflet.js`), style(`${assets}/leaflet/leaflet.css`)]);
  return loading.then(() => window.L);
}

function style(href) {
  return new Promise((resolve, reject) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href, onload: resolve, onerror: reject });
    document.head.prepend(link); // the page's own rules come after it
  });
}

/** Put the ground under a map: pictures of a tile server if one is set, else a plain sheet. */
export function addGround(L, map, { tiles, attribution }) {
  if (tiles) {
    L.tileLayer(tiles, { maxZoom: 19, referrerPolicy: "strict-origin" }).addTo(map);
    map.getPane("tilePane").classList.add("pictures");
    if (attribution) L.control.attribution({ prefix: false }).addTo(map).addAttribution(attribution);
    return;
  }
  const Ground = L.GridLayer.extend({ createTile: () => Object.assign(document.createElement("div"), { className: "ground" }) });
  new Ground({ keepBuffer: 4 }).addTo(map);
}

export const HERE = `<svg viewBox="0 0 36 46"><path class="pin" d="M18 45C12 36 2 28 2 17a16 16 0 0 1 32 0c0 11-10 19-16 28z"/>
  <path class="house" d="M10.5 17.5 18 11l7.5 6.5M13 16v8.5h10V16"/></svg>`;
