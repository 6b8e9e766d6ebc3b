// What the page is of, as reparto/evaluate/explain/page.py wrote it, in metres on a plane; where the path passes by a place.

const day = JSON.parse(document.getElementById("day").textContent);
const P = day.pings, N = P.time_ms.length, S = day.stored;
const LENGTH = day.path.along_m.at(-1);
const $ = id => document.getElementById(id);

const lon0 = day.path.lon[0], lat0 = day.path.lat[0], M_LAT = 110574, M_LON = 111320 * Math.cos(lat0 * Math.PI / 180);
const wrap = degrees => ((degrees + 540) % 360 + 360) % 360 - 180;
const toX = lon => wrap(lon - lon0) * M_LON, toY = lat => (lat - lat0) * M_LAT;  // for drawing only: metres, nearly

const RX = Float64Array.from(P.lon, toX), RY = Float64Array.from(P.lat, toY);
const SX = P.snapped_lon.map(v => v === null ? null : toX(v)), SY = P.snapped_lat.map(v => v === null ? null : toY(v));
const PX = Float64Array.from(day.path.lon, toX), PY = Float64Array.from(day.path.lat, toY), PA = day.path.along_m;
const STOPS = day.stops.map(stop => ({ ...stop, x: toX(stop.lon), y: toY(stop.lat) }));

const ON = 0, OFF = 1, NOWHERE = 2, NOT_BELIEVED = 3;
const KIND = new Uint8Array(N);
for (let i = 0, s = 0; i < N; i++) {
  while (s < day.spells.length && day.spells[s].to_ms !== null && day.spells[s].to_ms <= P.time_ms[i]) s++;
  const off = s < day.spells.length && P.time_ms[i] >= day.spells[s].from_ms;
  KIND[i] = !P.believed[i] ? NOT_BELIEVED : off ? OFF : P.on_route[i] ? ON : NOWHERE;
}

const phoneSpeed = P.speed_mps.some(v => v !== null);
const SPEED = phoneSpeed ? P.speed_mps : P.speed_mps.map(() => null);
if (!phoneSpeed) {  // over at least ten seconds: the jitter of fixes looks fast in one
  for (let i = 0, from = -1; i < N; i++) {
    if (KIND[i] === NOT_BELIEVED) continue;
    if (from < 0) from = i;
    while (from < i && P.time_ms[i] - P.time_ms[from] > 15000) { let next = from + 1; while (KIND[next] === NOT_BELIEVED) next++; if (P.time_ms[i] - P.time_ms[next] < 10000) break; from = next }
    const s = (P.time_ms[i] - P.time_ms[from]) / 1000;
    if (s > 0) SPEED[i] = Math.hypot(RX[i] - RX[from], RY[i] - RY[from]) / s;
  }
}

function firstAt(ms) {  // the first ping at or after a time
  let low = 0, high = N;
  while (low < high) { const middle = (low + high) >> 1; P.time_ms[middle] < ms ? low = middle + 1 : high = middle }
  return low;
}

function onPath(along) {  // a place on the path, and the segment that it is on
  let low = 1, high = PA.length - 1;
  while (low < high) { const middle = (low + high) >> 1; PA[middle] < along ? low = middle + 1 : high = middle }
  const part = Math.max(0, Math.min(1, (along - PA[low - 1]) / (PA[low] - PA[low - 1] || 1)));
  return { x: PX[low - 1] + part * (PX[low] - PX[low - 1]), y: PY[low - 1] + part * (PY[low] - PY[low - 1]), at: low };
}

const NEARBY_M = 60;
function passesNear(x, y) {  // every pass of the path by a place, nearest first: { along, away } in metres
  const found = [];
  for (let v = 1; v < PA.length; v++) {
    const dx = PX[v] - PX[v - 1], dy = PY[v] - PY[v - 1], squared = dx * dx + dy * dy;
    const part = squared ? Math.max(0, Math.min(1, ((x - PX[v - 1]) * dx + (y - PY[v - 1]) * dy) / squared)) : 0;
    const away = Math.hypot(PX[v - 1] + part * dx - x, PY[v - 1] + part * dy - y);
    if (away > NEARBY_M) continue;
    const along = PA[v - 1] + part * (PA[v] - PA[v - 1]), last = found.at(-1);
    if (last && along - last.end < 100) { last.end = along; if (away < last.away) Object.assign(last, { along, away }) }
    else found.push({ along, away, end: along });
  }
  return found.sort((a, b) => a.away - b.away);
}

function stretch(from, to) {
  const a = onPath(Math.max(0, from)), b = onPath(Math.min(LENGTH, to)), line = [[a.x, a.y]];
  for (let v = a.at; v < b.at; v++) line.push([PX[v], PY[v]]);
  line.push([b.x, b.y]);
  return line;
}
