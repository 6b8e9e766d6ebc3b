/* Where the van is between two fixes: on its way at the pace that brings it to the door when it is expected there.
   Pure: no page, no map, no clock of its own. */

export const RECKONED_S = 30; // after that without a fix the van stands still: nobody knows
export const OLD_S = 120; // and after that it is called old
const SET_BACK_M = 60; // a fix so little behind the van does not pull it back: it waits
const BESIDE_M = 60;
const FASTEST_MPS = 25;

const M_PER_DEGREE = 111_195;

/** Measure a line of [lon, lat]: metres along it at each vertex. */
export function measure(line) {
  const along = [0];
  for (let n = 1; n < line.length; n++) along.push(along[n - 1] + metres(line[n - 1], line[n]));
  return along;
}

/** Give the place so many metres along a line, and which way it leads there, degrees clockwise from north. */
export function placeAt(line, along, at_m) {
  if (line.length < 2) return { lon: line[0][0], lat: line[0][1], heading: null };
  let n = 1;
  while (n < line.length - 1 && along[n] < at_m) n++;
  const [from, to] = [line[n - 1], line[n]];
  const share = Math.min(1, Math.max(0, (at_m - along[n - 1]) / (along[n] - along[n - 1] || 1)));
  const [east, north] = apart(from, to);
  return {
    lon: from[0] + (to[0] - from[0]) * share,
    lat: from[1] + (to[1] - from[1]) * share,
    heading: (Math.atan2(east, north) * 180) / Math.PI,
  };
}

/** Give the pace in m/s that is said by what is left of the way and when the van is expected. */
export function paceOf(length_m, recorded_ms, expected_ms) {
  const left_s = (expected_ms - recorded_ms) / 1000;
  return left_s > 0 ? Math.min(FASTEST_MPS, length_m / left_s) : 0;
}

/** Give how far along its way the van is reckoned to be by now. */
export function reckon(length_m, pace_mps, age_s) {
  return Math.min(length_m, pace_mps * Math.min(Math.max(age_s, 0), RECKONED_S));
}

/** Give where to show it that was shown at another place along the same line; null for nowhere on it. */
export function eased(at_m, shown_m) {
  return shown_m !== null && shown_m > at_m && shown_m - at_m <= SET_BACK_M ? shown_m : at_m;
}

/** Give how many metres of a line lie before the place nearest to another one; null when it is nowhere near. */
export function alongOf(line, along, place) {
  let best = { off_m: BESIDE_M, at_m: null };
  for (let n = 1; n < line.length; n++) {
    const [east, north] = apart(line[n - 1], line[n]);
    const [x, y] = apart(line[n - 1], place);
    const share = Math.min(1, Math.max(0, (x * east + y * north) / (east * east + north * north || 1)));
    const off_m = Math.hypot(x - east * share, y - north * share);
    if (off_m < best.off_m) best = { off_m, at_m: along[n - 1] + (along[n] - along[n - 1]) * share };
  }
  return best.at_m;
}

function apart(from, to) {
  const east = (to[0] - from[0]) * M_PER_DEGREE * Math.cos((from[1] * Math.PI) / 180);
  return [east, (to[1] - from[1]) * M_PER_DEGREE];
}

const metres = (from, to) => Math.hypot(...apart(from, to));
