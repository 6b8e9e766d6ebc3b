/* The page of a recipient. The server decides what may be seen; here it is shown, and kept up to date. */

"use strict";

(() => {
  const { view: first, texts } = JSON.parse(document.getElementById("data").textContent);
  const { link, now, tiles, attribution } = document.body.dataset;
  const language = document.documentElement.lang;
  const locale = (navigator.languages || []).find((one) => one.toLowerCase().startsWith(language)) || language;
  const aheadOfUs_ms = Date.parse(now) - Date.now(); // the phone's clock may be wrong; the server's counts
  const serverNow = () => Date.now() + aheadOfUs_ms;

  const byId = (id) => document.getElementById(id);
  const say = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const show = (element, visible) => element.toggleAttribute("hidden", !visible);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const plural = (forms, n) => fill(forms[new Intl.PluralRules(locale).select(n)] || forms.other, { n });
  const sentence = (text) => text.replace("..", "."); // "6:28 p. m.."
  const variant = (kind) => (kind === "pickup" || kind === "return" ? "_pickup" : "");

  const DONE = ["departed", "completed", "partially_completed", "failed", "skipped"];
  const ARRIVING_MS = 90_000;
  const NEAR_MS = 6 * 3_600_000; // shortly before midnight nobody asks on which day a quarter past twelve is
  const DAY_MS = 24 * 3_600_000;

  let view = first;

  /* what to say ------------------------------------------------------------------------------------------------- */

  function stateOf({ status, under_way, stops_before, eta }) {
    if (DONE.includes(status) || status === "arrived") return status;
    if (!under_way) return "planned";
    if (stops_before !== 0) return "on_the_way";
    return eta && !eta.stale && Date.parse(eta.expected) - serverNow() < ARRIVING_MS ? "arriving" : "next";
  }

  function moreOf(state) {
    if (state === "on_the_way") {
      const before = view.stops_before === null ? "" : `${plural(texts.stops_before, view.stops_before)}.`;
      return [before, view.position ? "" : texts.on_the_way_more].join(" ").trim();
    }
    return sentence(fill(texts[`${state}_more`] || "", { when: whenOf(view.done_at) }));
  }

  /* times --------------------------------------------------------------------------------------------------------- */

  const inZone = (options) => new Intl.DateTimeFormat(locale, { timeZone: view.timezone, ...options });
  const dayOf = (time) => inZone({ year: "numeric", month: "2-digit", day: "2-digit" }).format(time);
  const clock = () => inZone({ timeStyle: "short" });
  /** Keep what is read in one breath in one line: "6:28 p. m." */
  const tied = (text) => text.replace(/\s([ap]\.?)(\s?)(m\b)/gi, (_, half, gap, m) => `\u00a0${half}${gap && "\u00a0"}${m}`);
  const timeOf = (time) => tied(clock().format(time));

  function whenOf(text) {
    if (!text) return "";
    const at = new Date(text);
    const time = timeOf(at);
    const today = dayOf(at) === dayOf(serverNow());
    const form = parseInt(time, 10) === 1 ? "one" : "other"; // "a la 1:05", "a las 13:05"
    return fill((today ? texts.when_today : texts.when)[form], { time, date: inZone({ dateStyle: "medium" }).format(at) });
  }

  /** A window as people say it: to five minutes where it is wide, so that it does not tremble. */
  function windowOf(low, high) {
    const step = high - low > 10 * 60_000 ? 5 * 60_000 : 60_000;
    return rangeOf(Math.floor(low / step) * step, Math.ceil(high / step) * step);
  }

  function rangeOf(low, high) {
    const date = (time) => inZone({ weekday: "short", day: "numeric", month: "short" }).format(time).replaceAll(" ", "\u00a0");
    if (high - low >= DAY_MS) return [low, high].map((time) => `${date(time)}, ${timeOf(time)}`).join(" – ");
    const pastMidnight = dayOf(low) !== dayOf(high); // formatRange would write both dates out
    const range = pastMidnight ? [low, high].map(timeOf).join(" – ") : tied(clock().formatRange(low, high));
    const near = dayOf(low) === dayOf(serverNow()) || Math.abs(low - serverNow()) < NEAR_MS;
    return near ? range : `${date(low)}, ${range}`;
  }

  function promisedOf(window) {
    if (!window) return "";
    const [start, end] = [window.start || window.end, window.end || window.start].map((time) => Date.parse(time));
    return rangeOf(start, end);
  }

  function agoOf(seconds) {
    const ago = new Intl.RelativeTimeFormat(locale, { numeric: "always", style: "short" });
    if (seconds < 5) return texts.just_now;
    if (seconds < 60) return ago.format(-Math.floor(seconds / 5) * 5, "second");
    if (seconds < 3600) return ago.format(-Math.floor(seconds / 60), "minute");
    return ago.format(-Math.floor(seconds / 3600), "hour");
  }

  /* the card ------------------------------------------------------------------------------------------------------ */

  function render() {
    const state = stateOf(view);
    const kind = variant(view.stop.kind);
    const headline = texts[state + kind];
    const more = moreOf(state);
    say(byId("headline"), headline);
    say(byId("more"), more);
    show(byId("more"), more !== "");
    const spoken = renderEta();
    say(byId("spoken"), sentence([headline, spoken, more].filter(Boolean).join(". ")));

    const name = view.driver && view.driver.first_name;
    show(byId("driver"), Boolean(name));
    if (name) {
      say(byId("driver").firstElementChild, [...name][0].toUpperCase());
      say(byId("driver").lastElementChild, fill(texts[`driver${kind}`], { name }));
    }
    show(byId("whom"), Boolean(view.stop.name) && view.received_by !== view.stop.name);
    say(byId("whom").lastElementChild, fill(texts.for, { name: view.stop.name }));

    show(byId("pin"), Boolean(view.pin));
    say(byId("pin").lastElementChild, view.pin ? fill(texts[`pin${kind}`], { pin: view.pin }) : "");

    show(byId("cash"), Boolean(view.cash));
    say(byId("cash").lastElementChild, view.cash ? fill(texts.cash, { amount: moneyOf(view.cash) }) : "");
    show(byId("received"), Boolean(view.received_by));
    say(byId("received").lastElementChild, fill(texts[`received_by${kind}`], { name: view.received_by }));

    document.body.dataset.scene =
      { planned: "planned", failed: "no", skipped: "no" }[state] || (DONE.includes(state) ? "yes" : "way");
    document.body.dataset.state = state;
    renderScene(state);
    renderMap();
    tick();
  }

  function moneyOf({ amount, currency }) {
    return new Intl.NumberFormat(locale, { style: "currency", currency, trailingZeroDisplay: "stripIfInteger" }).format(amount);
  }

  /** Show when it comes; give it as a sentence for those who listen. */
  function renderEta() {
    const promised = promisedOf(view.stop.window);
    const waiting = !view.done_at && view.status !== "arrived";
    const range = view.eta ? windowOf(Date.parse(view.eta.low), Date.parse(view.eta.high)) : "";
    const shown = range || promised;
    show(byId("eta"), waiting && shown !== "");
    say(byId("eta-label"), range ? texts.eta : texts.promised);
    say(byId("eta-window"), shown);
    show(byId("promised"), waiting && range !== "" && promised !== "");
    say(byId("promised").lastElementChild, `${texts.promised}: ${promised}`);
    document.title = waiting && shown ? `${shown} · ${texts[`title${variant(view.stop.kind)}`]}` : byId("headline").textContent;
    return waiting && range ? `${texts.eta}: ${range}` : "";
  }

  /** What changes by the clock alone. */
  function tick() {
    const { eta } = view;
    const minutes = eta ? Math.round((Date.parse(eta.expected) - serverNow()) / 60_000) : Infinity;
    show(byId("eta-in"), Boolean(eta) && !eta.stale && minutes <= 90);
    say(byId("eta-in"), minutes < 1 ? texts.soon : plural(texts.minutes, minutes));

    const age_s = Math.max(0, (serverNow() - Date.parse(view.updated_at)) / 1000);
    show(byId("updated"), view.under_way);
    say(byId("updated").lastElementChild, fill(texts.updated, { ago: agoOf(age_s) }));
    byId("updated").classList.toggle("old", age_s > 120);

    const notice = offline ? texts.offline : eta && eta.stale && view.under_way ? texts.stale : "";
    show(byId("notice"), notice !== "");
    say(byId("notice"), notice);
  }

  /* the picture of the way, while there is no map ----------------------------------------------------------------- */

  function renderScene(state) {
    const way = byId("way");
    const before = state === "planned" ? 6 : Math.min(view.stops_before === null ? 3 : view.stops_before, 6);
    const end = way.getTotalLength() - 42;
    const at = (share) => way.getPointAtLength(end * share);
    const van = state === "planned" ? 0 : 1 - before / 7;
    const dots = byId("dots");
    dots.replaceChildren();
    if (document.body.dataset.scene === "way") {
      for (let n = 1; n <= before; n++) {
        const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
        const place = at(van + (1 - van) * (n / (before + 1)));
        for (const [name, value] of [["cx", place.x], ["cy", place.y], ["r", 5]]) dot.setAttribute(name, value);
        dots.append(dot);
      }
    }
    const place = at(van * 0.92);
    byId("lorry").style.transform = `translate(${place.x}px, ${place.y}px)`;
  }

  /* the map ------------------------------------------------------------------------------------------------------- */

  const VAN = `<svg viewBox="0 0 48 48"><circle class="pulse" cx="24" cy="24" r="20"/><circle class="disc" cx="24" cy="24" r="18"/>
    <g class="turn"><path class="body" d="M18 15.5c0-2.5 2.5-4.5 6-4.5s6 2 6 4.5V34a2.5 2.5 0 0 1-2.5 2.5h-7A2.5 2.5 0 0 1 18 34z"/>
    <path class="glass" d="M20 16.5c1-1.2 7-1.2 8 0l-.8 4h-6.4z"/></g></svg>`;
  const HERE = `<svg viewBox="0 0 36 46"><path class="pin" d="M18 45C12 36 2 28 2 17a16 16 0 0 1 32 0c0 11-10 19-16 28z"/>
    <path class="house" d="M10.5 17.5 18 11l7.5 6.5M13 16v8.5h10V16"/></svg>`;

  let map = null;
  let following = true;

  function makeMap() {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const leaflet = L.map("map", { zoomControl: false, attributionControl: false, zoomSnap: tiles ? 1 : 0.25, zoomAnimation: !still, fadeAnimation: !still });
    if (tiles) {
      L.tileLayer(tiles, { maxZoom: 19, referrerPolicy: "strict-origin" }).addTo(leaflet);
      leaflet.getPane("tilePane").classList.add("pictures");
      if (attribution) L.control.attribution({ prefix: false }).addTo(leaflet).addAttribution(attribution);
    } else {
      const Ground = L.GridLayer.extend({ createTile: () => Object.assign(document.createElement("div"), { className: "ground" }) });
      new Ground({ keepBuffer: 4 }).addTo(leaflet);
    }
    const line = (className, weight) => L.polyline([], { className, weight, interactive: false }).addTo(leaflet);
    const marker = (className, html, size, anchor, title) =>
      L.marker([0, 0], { icon: L.divIcon({ className, html, iconSize: size, iconAnchor: anchor }), alt: title, title, keyboard: false, interactive: false });
    leaflet.on("dragstart", () => { following = false; show(byId("recentre"), true); });
    leaflet.on("resize", () => { if (following) frame(); });
    leaflet.getContainer().setAttribute("role", "region");
    leaflet.getContainer().setAttribute("aria-label", texts.map);
    return {
      leaflet,
      under: line("ahead-under", 9),
      ahead: line("ahead", 5),
      here: marker("here", HERE, [36, 46], [18, 45], texts.here),
      van: marker("van", VAN, [48, 48], [24, 24], texts.van),
    };
  }

  function renderMap() {
    const { position, path_ahead, stop } = view;
    show(byId("map"), Boolean(position));
    show(byId("scene"), !position);
    if (!position) { show(byId("recentre"), false); return; }
    const made = !map;
    map = map || makeMap();
    map.leaflet.invalidateSize();
    const line = path_ahead ? path_ahead.coordinates.map(([lon, lat]) => [lat, lon]) : [];
    map.under.setLatLngs(line);
    map.ahead.setLatLngs(line);
    map.here.setLatLng([stop.lat, stop.lon]);
    map.van.setLatLng([position.lat, position.lon]);
    if (following) frame(made);
    if (made) { map.here.addTo(map.leaflet); map.van.addTo(map.leaflet); }
    const turn = map.van.getElement().querySelector(".turn");
    turn.style.transform = `rotate(${turnTo(position.heading_deg)}deg)`;
  }

  let turned = 0;

  /** The angle nearest to the one shown that points the same way, so that 350° to 10° does not spin around. */
  function turnTo(heading) {
    if (heading !== null) turned += ((heading - turned + 540) % 360 + 360) % 360 - 180;
    return turned;
  }

  /** Show van, home and the way between them; move the map only when it has to be. */
  function frame(atOnce = false) {
    const bounds = L.latLngBounds([map.here.getLatLng(), map.van.getLatLng(), ...map.ahead.getLatLngs()]);
    const wide = matchMedia("(min-width: 860px)").matches;
    const options = { paddingTopLeft: [wide ? 470 : 48, 64], paddingBottomRight: [48, wide ? 64 : 72], maxZoom: 16.5 };
    const padding = L.point(options.paddingTopLeft).add(options.paddingBottomRight);
    const zoom = Math.min(16.5, map.leaflet.getBoundsZoom(bounds, false, padding));
    if (atOnce || !uncovered(bounds, wide) || Math.abs(map.leaflet.getZoom() - zoom) >= 1)
      map.leaflet.fitBounds(bounds, { ...options, animate: !atOnce });
  }

  /** Tell whether van and pin, as large as they are, lie neither over the edge nor under the card. */
  function uncovered(bounds, wide) {
    const free = L.bounds([wide ? 440 : 24, 50], map.leaflet.getSize().subtract([24, wide ? 24 : 48]));
    return free.contains([bounds.getNorthWest(), bounds.getSouthEast()].map((place) => map.leaflet.latLngToContainerPoint(place)));
  }

  byId("recentre").setAttribute("aria-label", texts.recentre);
  byId("recentre").addEventListener("click", () => {
    following = true;
    show(byId("recentre"), false);
    frame();
  });

  /* staying up to date -------------------------------------------------------------------------------------------- */

  const STREAM_AGAIN_S = 60;
  let stream = null;
  let poll = 0;
  let offline = false;

  function got(next) {
    offline = false;
    view = next;
    render();
  }

  function missed() {
    offline = true;
    tick();
  }

  function follow() {
    stop();
    if (!("EventSource" in window)) { ask(); return; }
    stream = new EventSource(`${link}/stream`);
    stream.addEventListener("tracking", (event) => { clearTimeout(poll); poll = 0; got(JSON.parse(event.data)); });
    stream.addEventListener("end", () => location.reload());
    // while the browser tries to open it again, or gave up, we ask
    stream.addEventListener("error", () => { if (!poll) poll = setTimeout(ask, 2000); });
  }

  function stop() {
    if (stream) stream.close();
    clearTimeout(poll);
    stream = null;
    poll = 0;
  }

  async function ask() {
    let again_s = 10;
    try {
      const response = await fetch(link, { headers: { Accept: "application/json" } });
      if (response.status === 404 || response.status === 410) { location.reload(); return; }
      if (!response.ok) throw new Error(response.statusText);
      got(await response.json());
      again_s = view.poll_after_s;
    } catch {
      missed();
    }
    const ended = stream && stream.readyState === EventSource.CLOSED;
    poll = setTimeout(ended && again_s >= STREAM_AGAIN_S ? follow : ask, again_s * 1000);
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : follow()));
  setInterval(tick, 5000);
  render();
  follow();
})();
