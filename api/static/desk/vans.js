/* The vans as the stream tells of them: what is known of each, and what somebody has to look at first. */

/** @typedef {{id: string, lon: number, lat: number, at: number, state: string, heading: number | null, speed: number | null,
 *   delay: number | null, battery: number | null, route: string | null, stop: string | null, why: string | null}} Van */

export const STATES = ["alarm", "silent", "off_route", "late", "on_break", "at_stop", "moving", "stopped"];

/** Behind the plan by more, a van is late. */
const LATE_S = Number(/** @type {HTMLElement} */ (document.getElementById("live")).dataset.lateS);

/** @type {Map<string, Van>} */
export const vans = new Map();

/** @param {any} feature @returns {Van} */
function vanOf(feature) {
  const [lon, lat] = feature.geometry.coordinates;
  const p = feature.properties;
  const isLate = p.delay_s !== null && p.delay_s > LATE_S;
  const quiet = p.status === "silent" || p.status === "off_route";
  return {
    id: feature.id, lon, lat, at: Date.now() - p.age_s * 1000, heading: p.heading_deg, speed: p.speed_mps,
    delay: p.delay_s, battery: p.battery, route: p.route_id, stop: p.next_stop, why: p.silent_why,
    state: p.alarm?.kind === "sos" ? "alarm" : quiet ? p.status : isLate ? "late" : p.on_break ? "on_break" : p.at_stop ? "at_stop" : p.status,
  };
}

const AGAIN_MS = 3_000;
const AGAIN_MOST_MS = 60_000;

/**
 * Follow the vans, until somebody else is looked at. A stream begins with all of them; one that was cut, or whose view
 * moved, goes on after the last event that came, if the server still knows it.
 *
 * @param {{ all: () => void, changed: (ids: string[], gone: string[]) => void, cut: (is: boolean) => void }} hears
 */
export function follow({ all, changed, cut }) {
  /** @type {EventSource} */
  let stream;
  let view = "view=-180,-90,180,90";
  let last = "";
  let again_ms = AGAIN_MS;
  let waits = 0;
  const read = (/** @type {MessageEvent} */ event) => {
    again_ms = AGAIN_MS;
    last = event.lastEventId;
    return JSON.parse(event.data);
  };
  function open() {
    clearTimeout(waits);
    stream?.close();
    stream = new EventSource(`/v1/positions/stream?${view}${last ? `&last_event_id=${last}` : ""}`);
    stream.addEventListener("open", () => cut(false));
    stream.addEventListener("snapshot", (event) => {
      vans.clear();
      for (const feature of read(event).features) vans.set(feature.id, vanOf(feature));
      all();
    });
    stream.addEventListener("changed", (event) => {
      const ids = [];
      for (const feature of read(event).features) {
        vans.set(feature.id, vanOf(feature));
        ids.push(feature.id);
      }
      changed(ids, []);
    });
    stream.addEventListener("gone", (event) => {
      const ids = read(event).driver_ids;
      for (const id of ids) vans.delete(id);
      changed([], ids);
    });
    // browsers give up for good when a server that starts or has no seat says so
    stream.addEventListener("error", () => {
      stream.close();
      cut(true);
      waits = setTimeout(open, again_ms * (1 + Math.random()));
      again_ms = Math.min(2 * again_ms, AGAIN_MOST_MS);
    });
  }
  open();
  /** Look at a part of the map, and at one van wherever it is. @param {string} box @param {string | null} van */
  return function look(box, van) {
    const other = `view=${box}${van ? `&drivers=${van}` : ""}`;
    if (other === view) return;
    view = other;
    if (stream.readyState !== EventSource.CLOSED) open();
  };
}
