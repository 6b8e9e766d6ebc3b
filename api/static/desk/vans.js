/* The vans as the stream tells of them: what is known of each, and what somebody has to look at first. */

/** @typedef {{id: string, lon: number, lat: number, at: number, state: string, heading: number | null, speed: number | null,
 *   delay: number | null, battery: number | null, route: string | null, stop: string | null, why: string | null}} Van */

export const STATES = ["alarm", "silent", "off_route", "late", "on_break", "at_stop", "moving", "stopped"];

const LATE_S = 900; // behind the plan: what recipients were promised is at risk

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
 * Follow the vans. The browser opens the stream again when it was cut, and gives up when a server that starts or has no
 * seat says so; then it is opened again here, later each time. It begins with all of them.
 *
 * @param {{ all: () => void, changed: (ids: string[], gone: string[]) => void, cut: (is: boolean) => void }} hears
 */
export function follow({ all, changed, cut }, again_ms = AGAIN_MS) {
  const stream = new EventSource("/v1/positions/stream");
  const read = (/** @type {MessageEvent} */ event) => JSON.parse(event.data);
  stream.addEventListener("snapshot", (event) => {
    again_ms = AGAIN_MS;
    vans.clear();
    for (const feature of read(event).features) vans.set(feature.id, vanOf(feature));
    cut(false);
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
  stream.addEventListener("error", () => {
    cut(true);
    if (stream.readyState !== EventSource.CLOSED) return;
    setTimeout(follow, again_ms * (1 + Math.random()), { all, changed, cut }, Math.min(2 * again_ms, AGAIN_MOST_MS));
  });
}
