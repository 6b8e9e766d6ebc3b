"use strict";
(() => {

const day = JSON.parse(document.getElementById("day").textContent);
const P = day.pings, N = P.time_ms.length, S = day.stored;
const LENGTH = day.path.along_m.at(-1);
const $ = id => document.getElementById(id);

// --- words ----------------------------------------------------------------------------------------------------------

const WHY = {
  inaccurate: "the phone itself calls it too inaccurate",
  jump: "it cannot have come here from the last believed place",
  too_fast: "its speed is impossible and does not count; its place does",
  clock_ahead: "recorded after we received it: the phone's clock is wrong",
  null_island: "at 0, 0, where broken receivers are",
  mock: "another app made the place up",
  other_device: "another phone of the driver is the active one",
  gps_week_rollover: "1024 weeks were added to its time",
  epoch_2001: "its time counted from 2001",
  receive_time: "the app sent no time: ours was used",
};

const FACTS = {
  stop_arrived: ["Arrived at", "visit"], stop_departed: ["Left", "visit", "hollow"], stop_approaching: ["Approaching", "visit", "hollow"],
  route_started: ["Route started", "ink"], route_completed: ["Route completed", "ink"],
  route_off: ["Left the route", "off"], route_back: ["Back on the route", "off", "hollow"],
};

const zone = options => new Intl.DateTimeFormat("en-GB", { timeZone: day.timezone, hourCycle: "h23", ...options });
const CLOCK = zone({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const MINUTE = zone({ hour: "2-digit", minute: "2-digit" });
const DATE = zone({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
const metres = m => Math.abs(m) < 10 ? m.toFixed(1) + " m" : Math.round(m).toLocaleString("en-GB").replaceAll(",", " ") + " m";
const duration = s => s < 120 ? Math.round(s) + " s" : s < 7200 ? Math.round(s / 60) + " min" : (s / 3600).toFixed(1) + " h";
const stopName = i => `${i + 1} · ${day.stops[i].name}`;
const escape = text => String(text).replace(/[&<>"]/g, c => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

// --- colours --------------------------------------------------------------------------------------------------------

const C = {};
const BANDS = 60;  // of the way: its colour tells one pass of a street from another
const dark = matchMedia("(prefers-color-scheme: dark)");
const band = along => Math.max(0, Math.min(BANDS - 1, Math.floor(along / LENGTH * BANDS)));
const wayColour = (b, kind) => `hsl(${165 + 165 * b / BANDS} ${kind === "path" ? C["path-s"] : "62%"} ${C[`${kind}-l`]})`;

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["ground", "surface", "ink", "muted", "faint", "line", "off", "bad", "visit", "stored", "plan", "path-s", "path-l", "snap-l"])
    C[name] = style.getPropertyValue("--" + name).trim();
}

// --- what each ping is ----------------------------------------------------------------------------------------------

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

// --- state ----------------------------------------------------------------------------------------------------------

const planned = STOPS.map(stop => stop.planned_ms).filter(ms => ms !== null);
const WHOLE = [P.time_ms[0], Math.max(P.time_ms[N - 1], P.time_ms[0] + 60000)];
let span = [...WHOLE], view = { x: 0, y: 0, k: 1 }, hovered = -1, pinned = -1, hoveredStop = -1, brush = null;
const shown = () => hovered >= 0 ? hovered : pinned;
const isWhole = () => span[0] === WHOLE[0] && span[1] === WHOLE[1];

function canvas(element, index) {
  const one = element.querySelectorAll("canvas")[index], draw = one.getContext("2d"), ratio = devicePixelRatio || 1;
  const width = element.clientWidth, height = element.clientHeight;
  if (one.width !== Math.round(width * ratio) || one.height !== Math.round(height * ratio)) {
    one.width = Math.round(width * ratio); one.height = Math.round(height * ratio);
  }
  draw.setTransform(ratio, 0, 0, ratio, 0, 0);
  draw.clearRect(0, 0, width, height);
  draw.lineJoin = draw.lineCap = "round";
  draw.font = "11px system-ui, sans-serif";
  return { draw, width, height };
}

let waiting = 0;
const DIRTY = { map: 1, chart: 2, over: 4 };
function redraw(what) {
  if (!waiting) requestAnimationFrame(() => {
    const now = waiting; waiting = 0;
    if (now & DIRTY.map) drawMap();
    if (now & DIRTY.chart) drawChart();
    drawMapOver(); drawChartOver();
  });
  waiting |= what;
}

// --- the map --------------------------------------------------------------------------------------------------------

const map = $("map");
const mx = x => map.clientWidth / 2 + (x - view.x) * view.k, my = y => map.clientHeight / 2 - (y - view.y) * view.k;

function fit(points, least = 160) {
  let [w, e, s, n] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const [x, y] of points) { w = Math.min(w, x); e = Math.max(e, x); s = Math.min(s, y); n = Math.max(n, y) }
  if (!(e >= w)) return;
  const width = Math.max(e - w, least), height = Math.max(n - s, least);
  const covered = map.clientWidth > 800 ? $("legend").offsetWidth : 0;  // the legend is on the left
  const k = Math.min((map.clientWidth - covered - 90) / width, (map.clientHeight - 70) / height);
  view = { x: (w + e) / 2 - covered / 2 / k, y: (s + n) / 2, k };
  redraw(DIRTY.map);
}

const fitWhole = () => fit([...Array.from(PX, (x, i) => [x, PY[i]]), ...STOPS.map(stop => [stop.x, stop.y])]);

function fitSpan() {
  const points = [];
  for (let i = firstAt(span[0]); i < N && P.time_ms[i] <= span[1]; i++) {
    if (KIND[i] !== NOT_BELIEVED) points.push([RX[i], RY[i]]);
    if (SX[i] !== null) points.push([SX[i], SY[i]]);
  }
  points.length ? fit(points) : fitWhole();
}

function shifted(line, by) {  // beside itself to the right, in pixels: both directions of a street show
  return line.map(([x, y], i) => {
    const [ax, ay] = line[Math.max(i - 1, 0)], [bx, by_] = line[Math.min(i + 1, line.length - 1)];
    const dx = mx(bx) - mx(ax), dy = my(by_) - my(ay), size = Math.hypot(dx, dy) || 1;
    return [mx(x) - dy / size * by, my(y) + dx / size * by];
  });
}

function trace(draw, points) {
  draw.beginPath();
  points.forEach(([x, y], i) => i ? draw.lineTo(x, y) : draw.moveTo(x, y));
}

function dots(draw, rows, xs, ys, radius) {
  draw.beginPath();
  for (const i of rows) { const x = mx(xs[i]), y = my(ys[i]); draw.moveTo(x + radius, y); draw.arc(x, y, radius, 0, 7) }
}

function inSight() {
  const rows = [], margin = 40, left = -margin, right = map.clientWidth + margin, top = -margin, bottom = map.clientHeight + margin;
  for (let i = firstAt(span[0]); i < N && P.time_ms[i] <= span[1]; i++) {
    const x = mx(RX[i]), y = my(RY[i]);
    const raw = x > left && x < right && y > top && y < bottom;
    if (raw || SX[i] !== null && mx(SX[i]) > left && mx(SX[i]) < right && my(SY[i]) > top && my(SY[i]) < bottom) rows.push(i);
  }
  return rows;
}

function drawMap() {
  const { draw, width, height } = canvas(map, 0);
  drawPath(draw, width, height);
  drawFences(draw);
  const rows = inSight(), near = view.k > .25, crowded = !near && rows.length > 1500, radius = near ? 2.6 : crowded ? .9 : 1.7;

  draw.strokeStyle = C.off; draw.globalAlpha = .28; draw.lineWidth = 9;
  for (const spell of day.spells) {
    const line = [];
    for (let i = firstAt(Math.max(spell.from_ms, span[0])); i < N && P.time_ms[i] <= Math.min(spell.to_ms ?? Infinity, span[1]); i++)
      if (KIND[i] !== NOT_BELIEVED) line.push([mx(RX[i]), my(RY[i])]);
    trace(draw, line); draw.stroke();
  }

  draw.globalAlpha = near ? .55 : .25; draw.strokeStyle = C.muted; draw.lineWidth = 1;
  draw.beginPath();
  for (const i of rows) if (SX[i] !== null && KIND[i] !== NOT_BELIEVED) { draw.moveTo(mx(RX[i]), my(RY[i])); draw.lineTo(mx(SX[i]), my(SY[i])) }
  draw.stroke();
  draw.globalAlpha = 1;

  if (S) {
    draw.strokeStyle = C.stored; draw.lineWidth = 1.3;
    for (const i of rows) if (P.differs[i] && S.snapped_lon[i] !== null) {
      const x = mx(toX(S.snapped_lon[i])), y = my(toY(S.snapped_lat[i]));
      draw.setLineDash([3, 3]); trace(draw, [[mx(RX[i]), my(RY[i])], [x, y]]); draw.stroke(); draw.setLineDash([]);
      trace(draw, [[x - 4, y], [x, y - 4], [x + 4, y], [x, y + 4], [x - 4, y]]); draw.stroke();
    }
  }
  const bins = Array.from({ length: BANDS }, () => []);
  for (const i of rows) if (SX[i] !== null && P.along_m[i] !== null) bins[band(P.along_m[i])].push(i);
  bins.forEach((bin, b) => { if (bin.length) { draw.fillStyle = wayColour(b, "snap"); dots(draw, bin, SX, SY, radius); draw.fill() } });

  for (const [kind, colour] of [[NOWHERE, C.faint], [ON, C.ink], [OFF, C.off]]) {
    draw.fillStyle = colour; draw.globalAlpha = crowded && kind !== OFF ? .5 : 1;
    dots(draw, rows.filter(i => KIND[i] === kind), RX, RY, radius); draw.fill();
  }
  draw.globalAlpha = 1;
  draw.strokeStyle = C.bad; draw.lineWidth = 1.6;
  draw.beginPath();
  for (const i of rows) if (KIND[i] === NOT_BELIEVED) {
    const x = mx(RX[i]), y = my(RY[i]), r = 3.4;
    draw.moveTo(x - r, y - r); draw.lineTo(x + r, y + r); draw.moveTo(x - r, y + r); draw.lineTo(x + r, y - r);
  }
  draw.stroke();
  drawStops(draw);
  drawScale(draw, width, height);
}

function drawPath(draw, width, height) {
  const wide = view.k > .25 ? 5 : 4;
  draw.lineWidth = wide;
  for (let b = 0; b < BANDS; b++) {
    const line = stretch(b * LENGTH / BANDS, (b + 1) * LENGTH / BANDS);
    draw.strokeStyle = wayColour(b, "path");
    trace(draw, shifted(line, wide * .55)); draw.stroke();
  }
  const every = 80 / view.k;  // metres between arrows
  if (view.k < .12 || LENGTH / every > 6000) return;
  draw.strokeStyle = C.surface; draw.lineWidth = 1.3;
  draw.beginPath();
  for (let along = every / 2; along < LENGTH; along += every) {
    const here = onPath(along), x = mx(here.x), y = my(here.y);
    if (x < -20 || y < -20 || x > width + 20 || y > height + 20) continue;
    const dx = PX[here.at] - PX[here.at - 1], dy = PY[here.at - 1] - PY[here.at], size = Math.hypot(dx, dy) || 1;
    const [ux, uy] = [dx / size, dy / size], cx = x - uy * wide * .55, cy = y + ux * wide * .55, a = wide * .52;
    draw.moveTo(cx - ux * a - uy * a, cy - uy * a + ux * a); draw.lineTo(cx + ux * a * .6, cy + uy * a * .6); draw.lineTo(cx - ux * a + uy * a, cy - uy * a - ux * a);
  }
  draw.stroke();
}

function drawFences(draw) {
  for (const [i, stop] of STOPS.entries()) {
    const rings = !stop.fence ? null : stop.fence.type === "Polygon" ? stop.fence.coordinates : stop.fence.coordinates.flat();
    draw.beginPath();
    if (rings) for (const ring of rings) ring.forEach(([lon, lat], v) => v ? draw.lineTo(mx(toX(lon)), my(toY(lat))) : draw.moveTo(mx(toX(lon)), my(toY(lat))));
    else draw.arc(mx(stop.x), my(stop.y), stop.radius_m * view.k, 0, 7);
    const visited = day.visits.some(visit => visit.stop === i);
    draw.globalAlpha = .1; draw.fillStyle = visited ? C.visit : C.muted; draw.fill("evenodd");
    draw.globalAlpha = .7; draw.strokeStyle = visited ? C.visit : C.muted; draw.lineWidth = 1; draw.stroke();
    draw.globalAlpha = 1;
  }
}

function drawStops(draw) {
  const taken = [];
  draw.textAlign = "center"; draw.textBaseline = "middle"; draw.font = "600 10px system-ui, sans-serif";
  for (const [i, stop] of STOPS.entries()) {
    const x = mx(stop.x), y = my(stop.y), visited = day.visits.some(visit => visit.stop === i);
    const free = !taken.some(([a, b]) => Math.abs(a - x) < 17 && Math.abs(b - y) < 17);
    draw.beginPath(); draw.arc(x, y, free ? 8 : 3, 0, 7);
    draw.fillStyle = visited ? C.visit : C.surface; draw.fill();
    draw.strokeStyle = visited ? C.surface : C.muted; draw.lineWidth = 1.4; draw.stroke();
    if (!free) continue;
    taken.push([x, y]);
    draw.fillStyle = visited ? C.surface : C.muted;
    draw.fillText(i + 1, x, y + .5);
  }
}

function drawScale(draw, width, height) {
  const size = 10 ** Math.floor(Math.log10(130 / view.k)), m = [5, 2, 1].map(f => f * size).find(one => one * view.k <= 130);
  const x = 14, y = height - 14;
  draw.strokeStyle = draw.fillStyle = C.muted; draw.lineWidth = 1.5;
  trace(draw, [[x, y - 4], [x, y], [x + m * view.k, y], [x + m * view.k, y - 4]]); draw.stroke();
  draw.textAlign = "left"; draw.textBaseline = "bottom"; draw.font = "11px system-ui, sans-serif";
  draw.fillText(m >= 1000 ? m / 1000 + " km" : m + " m", x + 5, y - 3);
}

function drawMapOver() {
  const { draw } = canvas(map, 1), i = shown();
  if (i < 0) return;
  const x = mx(RX[i]), y = my(RY[i]);
  const along = P.along_m[i] ?? heldAfter("along_m", i);
  if (along !== null) {
    draw.lineWidth = 8; draw.strokeStyle = C.surface; trace(draw, shifted(stretch(along - 150, along + 150), 3)); draw.stroke();
    draw.lineWidth = 5; draw.strokeStyle = wayColour(band(along), "snap"); draw.stroke();
  }
  if (P.accuracy_m[i]) {
    draw.beginPath(); draw.arc(x, y, P.accuracy_m[i] * view.k, 0, 7);
    draw.globalAlpha = .12; draw.fillStyle = C.ink; draw.fill();
    draw.globalAlpha = .5; draw.strokeStyle = C.ink; draw.lineWidth = 1; draw.stroke(); draw.globalAlpha = 1;
  }
  if (SX[i] !== null) {
    draw.strokeStyle = C.ink; draw.lineWidth = 1.6; trace(draw, [[x, y], [mx(SX[i]), my(SY[i])]]); draw.stroke();
    ring(draw, mx(SX[i]), my(SY[i]), 5, wayColour(band(P.along_m[i] ?? 0), "snap"));
  }
  if (P.heading_deg[i] !== null) {
    const a = P.heading_deg[i] * Math.PI / 180, dx = Math.sin(a), dy = -Math.cos(a);
    draw.strokeStyle = C.ink; draw.lineWidth = 2;
    trace(draw, [[x + dx * 8, y + dy * 8], [x + dx * 22, y + dy * 22]]); draw.stroke();
    trace(draw, [[x + dx * 16 - dy * 5, y + dy * 16 + dx * 5], [x + dx * 22, y + dy * 22], [x + dx * 16 + dy * 5, y + dy * 16 - dx * 5]]); draw.stroke();
  }
  for (const pass of passesNear(RX[i], RY[i])) if (Math.abs(pass.along - along) > 100) {
    const place = onPath(pass.along);
    draw.strokeStyle = wayColour(band(pass.along), "snap"); draw.lineWidth = 2;
    draw.beginPath(); draw.arc(mx(place.x), my(place.y), 4.5, 0, 7); draw.stroke();
  }
  ring(draw, x, y, 6, kindColour(i));
}

function ring(draw, x, y, radius, colour) {
  draw.beginPath(); draw.arc(x, y, radius, 0, 7);
  draw.fillStyle = colour; draw.fill();
  draw.strokeStyle = C.surface; draw.lineWidth = 2.5; draw.stroke();
}

const kindColour = i => [C.ink, C.off, C.faint, C.bad][KIND[i]];

// --- the chart ------------------------------------------------------------------------------------------------------

const chart = $("chart"), LEFT = 96, RIGHT = 60, TOP = 30, BOTTOM = 22;
const flagNames = [...new Set(P.flags.flat())];
const LANES = [
  ...flagNames.map(name => ({ name: name.replaceAll("_", " "), colour: day.unbelieved.includes(name) ? "bad" : "faint", has: i => P.flags[i].includes(name) })),
  ...(P.first_flags.some(Boolean) ? [{ name: "re-judged", colour: "ink", has: i => P.first_flags[i] !== null }] : []),
  ...(P.late.some(Boolean) ? [{ name: "came late", colour: "muted", has: i => P.late[i] }] : []),
  ...(S ? [{ name: "differs", colour: "stored", has: i => P.differs[i] }] : []),
];
const HYPOTHESES = P.hypotheses.map((places, i) => places ?? P.hypotheses.slice(i, i + 16).find(Boolean) ?? []);  // of its step
const LANE = 13, held = name => P["held_" + name];
const heldAfter = (name, i) => held(name).slice(i, i + 16).find(value => value !== null) ?? null;  // steps may be of some pings
const cx = t => LEFT + (t - span[0]) / (span[1] - span[0]) * (chart.clientWidth - LEFT - RIGHT);
const ct = x => span[0] + (x - LEFT) / (chart.clientWidth - LEFT - RIGHT) * (span[1] - span[0]);

function bands() {  // the rows of the chart, from above: [top, bottom] in pixels
  const height = chart.clientHeight, marks = LANES.length * LANE, speed = Math.max(34, height * .12);
  const bottom = height - BOTTOM, marksTop = bottom - marks;
  const speedBox = [marksTop - 8 - speed, marksTop - 8];
  const sure = [speedBox[0] - 44, speedBox[0] - 10];
  return { along: [TOP, sure[0] - 12], sure, speed: speedBox, marks: [marksTop, bottom] };
}

let reach = [0, LENGTH];  // metres along the path that the chart shows
function alongReach() {  // all of it, or what the pings in sight need
  if (isWhole()) return [0, LENGTH];
  let low = Infinity, high = -Infinity;
  const after = held("along_m");
  for (let i = Math.max(0, firstAt(span[0]) - 1); i < N && (P.time_ms[i] <= span[1] || P.time_ms[i - 1] <= span[1]); i++)
    for (const along of [P.along_m[i], after[i], S && S.along_m[i]]) if (along !== null && along !== undefined) { low = Math.min(low, along); high = Math.max(high, along) }
  if (!(high >= low)) return [0, LENGTH];
  const pad = Math.max(60, (high - low) * .12);
  return [Math.max(0, low - pad), Math.min(LENGTH, high + pad)];
}

function drawChart() {
  const { draw, width, height } = canvas(chart, 0), box = bands();
  draw.textBaseline = "middle";
  const inner = [LEFT, width - RIGHT];
  drawTimes(draw, inner, height);
  for (const spell of day.spells) {
    const from = Math.max(cx(spell.from_ms), LEFT), to = Math.min(cx(spell.to_ms ?? WHOLE[1]), inner[1]);
    if (to <= from) continue;
    draw.fillStyle = C.off; draw.globalAlpha = .13; draw.fillRect(from, TOP, to - from, height - BOTTOM - TOP); draw.globalAlpha = 1;
  }
  reach = alongReach();
  const yAlong = a => box.along[1] - (a - reach[0]) / (reach[1] - reach[0]) * (box.along[1] - box.along[0]);
  drawStopLines(draw, inner, yAlong);
  draw.save(); draw.beginPath(); draw.rect(inner[0], 0, inner[1] - inner[0], height); draw.clip();
  draw.save(); draw.beginPath(); draw.rect(0, TOP - 6, width, box.along[1] - TOP + 10); draw.clip();
  drawAlong(draw, yAlong);
  draw.restore();
  line(draw, box.sure, held("on_route_p"), 1, C.visit);
  drawSpeed(draw, box.speed);
  drawMarks(draw, box.marks[0]);
  draw.restore();
  draw.fillStyle = C.off; draw.textAlign = "left"; draw.font = "11px system-ui, sans-serif";
  for (const spell of day.spells) {
    const from = Math.max(cx(spell.from_ms), LEFT), to = Math.min(cx(spell.to_ms ?? WHOLE[1]), inner[1]);
    if (to - from > 80) draw.fillText("off the route", from + 5, box.along[0] + 10);
  }
  label(draw, "along the path", box.along[0] + 2);
  const most = (box.along[1] - box.along[0]) / 34, step = [50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000].find(one => (reach[1] - reach[0]) / one <= most) ?? 1e5;
  for (let at = Math.ceil(reach[0] / step) * step; at <= reach[1]; at += step) if (yAlong(at) > box.along[0] + 12) label(draw, at >= 1000 || at === 0 ? +(at / 1000).toFixed(2) + " km" : at + " m", yAlong(at), C.faint);
  label(draw, "on the route", (box.sure[0] + box.sure[1]) / 2);
  label(draw, "speed", box.speed[0] + 8);
  LANES.forEach((lane, l) => label(draw, lane.name, box.marks[0] + l * LANE + LANE / 2, C[lane.colour]));
  $("whole").hidden = isWhole();
  $("hint").hidden = !isWhole();
}

function label(draw, text, y, colour = C.muted) {
  draw.fillStyle = colour; draw.textAlign = "right"; draw.textBaseline = "middle"; draw.font = "11px system-ui, sans-serif";
  draw.fillText(text, LEFT - 8, y);
}

function drawTimes(draw, [left, right], height) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400].map(s => s * 1000);
  const step = steps.find(one => (span[1] - span[0]) / one * 74 <= right - left) ?? steps.at(-1);
  const parts = Object.fromEntries(zone({ year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" }).formatToParts(span[0]).map(p => [p.type, +p.value]));
  const ahead = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second) - Math.floor(span[0] / 1000) * 1000;
  draw.strokeStyle = C.line; draw.lineWidth = 1; draw.textAlign = "center"; draw.textBaseline = "middle";
  for (let t = Math.ceil((span[0] + ahead) / step) * step - ahead; t <= span[1]; t += step) {
    const x = Math.round(cx(t)) + .5;
    trace(draw, [[x, TOP], [x, height - BOTTOM]]); draw.stroke();
    draw.fillStyle = C.muted; draw.fillText((step < 60000 ? CLOCK : MINUTE).format(t), x, height - BOTTOM / 2);
  }
}

function drawStopLines(draw, [left, right], y) {
  draw.textAlign = "left"; draw.font = "10px system-ui, sans-serif";
  let last = Infinity;
  for (const [i, stop] of STOPS.entries()) {
    if (stop.along_m < reach[0] || stop.along_m > reach[1]) continue;
    const at = y(stop.along_m), visited = day.visits.some(visit => visit.stop === i);
    draw.strokeStyle = C.line; draw.lineWidth = 1; trace(draw, [[left, at], [right, at]]); draw.stroke();
    if (last - at < 10.5) continue;
    last = at;
    draw.fillStyle = visited ? C.visit : C.muted; draw.fillText(stopLabel(i), right + 6, at);
  }
}

const stopLabel = i => { const text = `${i + 1} ${day.stops[i].name}`; return text.length > 9 ? text.slice(0, 8) + "…" : text };

function drawAlong(draw, y) {
  draw.strokeStyle = C.plan; draw.lineWidth = 1.2; draw.setLineDash([2, 4]);
  trace(draw, STOPS.filter(stop => stop.planned_ms !== null).map(stop => [cx(stop.planned_ms), y(stop.along_m)])); draw.stroke();
  draw.setLineDash([]);
  for (const visit of day.visits) {
    const at = y(day.stops[visit.stop].along_m), from = cx(visit.came_ms), to = cx(visit.left_ms ?? WHOLE[1]);
    draw.strokeStyle = C.visit; draw.globalAlpha = .45; draw.lineWidth = 7; trace(draw, [[from, at], [Math.max(to, from + 1), at]]); draw.stroke(); draw.globalAlpha = 1;
  }
  for (const visit of day.stored_visits ?? []) {
    const at = y(day.stops[visit.stop].along_m), from = cx(visit.came_ms), to = cx(visit.left_ms ?? WHOLE[1]);
    draw.strokeStyle = C.stored; draw.lineWidth = 1; draw.strokeRect(from, at - 4, Math.max(to - from, 1), 8);
  }
  const from = Math.max(0, firstAt(span[0]) - 1), to = Math.min(N, firstAt(span[1]) + 2);
  const sd = held("along_sd_m"), heldAlong = held("along_m");
  draw.fillStyle = C.muted; draw.globalAlpha = .22;
  for (let i = from, above = [], below = []; i <= to; i++) {
    const known = i < to && P.along_m[i] !== null && sd[i] !== null;
    if (known) { above.push([cx(P.time_ms[i]), y(P.along_m[i] + 2 * sd[i])]); below.push([cx(P.time_ms[i]), y(P.along_m[i] - 2 * sd[i])]) }
    if (i === to || KIND[i] !== NOT_BELIEVED && P.along_m[i] === null) { trace(draw, [...above, ...below.reverse()]); draw.fill(); above = []; below = [] }
  }
  draw.globalAlpha = 1;
  draw.strokeStyle = C.faint; draw.lineWidth = 1; draw.setLineDash([1, 3]);  // the last place on the path that was told
  const told = [];
  for (let i = from; i < to; i++) if (heldAlong[i] !== null) told.push([cx(P.time_ms[i]), y(heldAlong[i])]);
  trace(draw, told); draw.stroke(); draw.setLineDash([]);
  if (S) {
    draw.strokeStyle = C.stored; draw.lineWidth = 1.2; draw.setLineDash([4, 3]); draw.beginPath();
    for (let i = from, before = false; i < to; i++) {
      const here = S.along_m[i] !== null && S.believed[i];
      if (here) before ? draw.lineTo(cx(P.time_ms[i]), y(S.along_m[i])) : draw.moveTo(cx(P.time_ms[i]), y(S.along_m[i]));
      before = here || before && !S.believed[i];
    }
    draw.stroke(); draw.setLineDash([]);
  }
  for (let i = from; i < to; i++) if (P.hypotheses[i] && KIND[i] !== NOT_BELIEVED) for (const [along, weight] of P.hypotheses[i]) {  // other places that are held possible
    if (P.along_m[i] !== null && Math.abs(along - P.along_m[i]) < 60) continue;
    draw.fillStyle = wayColour(band(along), "snap"); draw.globalAlpha = .2 + .8 * weight;
    draw.beginPath(); draw.arc(cx(P.time_ms[i]), y(along), 1 + 2.5 * Math.sqrt(weight), 0, 7); draw.fill();
  }
  draw.globalAlpha = 1;
  let last = -1;
  draw.lineWidth = 1.8;
  for (let i = from; i < to; i++) {
    if (KIND[i] === NOT_BELIEVED) continue;
    if (P.along_m[i] === null) { last = -1; continue }
    if (last >= 0) { draw.strokeStyle = wayColour(band(P.along_m[i]), "snap"); trace(draw, [[cx(P.time_ms[last]), y(P.along_m[last])], [cx(P.time_ms[i]), y(P.along_m[i])]]); draw.stroke() }
    last = i;
  }
  if ((to - from) * 6 < chart.clientWidth) for (let i = from; i < to; i++) if (P.along_m[i] !== null) {
    draw.fillStyle = KIND[i] === ON ? wayColour(band(P.along_m[i]), "snap") : kindColour(i);
    draw.beginPath(); draw.arc(cx(P.time_ms[i]), y(P.along_m[i]), 2.6, 0, 7); draw.fill();
  }
}

function line(draw, [top, bottom], values, most, colour) {
  const from = Math.max(0, firstAt(span[0]) - 1), to = Math.min(N, firstAt(span[1]) + 1), points = [];
  for (let i = from; i < to; i++) if (values[i] !== null && KIND[i] !== NOT_BELIEVED) points.push([cx(P.time_ms[i]), bottom - Math.min(values[i] / most, 1) * (bottom - top)]);
  if (!points.length) return;
  draw.fillStyle = draw.strokeStyle = colour; draw.lineWidth = 1.1;
  trace(draw, points); draw.stroke();
  draw.globalAlpha = .13; draw.lineTo(points.at(-1)[0], bottom); draw.lineTo(points[0][0], bottom); draw.fill(); draw.globalAlpha = 1;
}

function drawSpeed(draw, box) {
  const told = SPEED.filter((v, i) => v !== null && KIND[i] !== NOT_BELIEVED).sort((a, b) => a - b);
  const most = Math.max(8, told[Math.floor(told.length * .995)] ?? 8);
  line(draw, box, SPEED, most, C.muted);
  const tick = [2, 5, 10, 20, 30].filter(v => v <= most).at(-1), at = box[1] - tick / most * (box[1] - box[0]);
  draw.strokeStyle = C.line; draw.lineWidth = 1; trace(draw, [[LEFT, at], [chart.clientWidth - RIGHT, at]]); draw.stroke();
  draw.fillStyle = C.faint; draw.textAlign = "left"; draw.font = "10px system-ui, sans-serif"; draw.fillText(`${tick} m/s${phoneSpeed ? "" : ", from place to place"}`, LEFT + 4, at - 6);
}

function drawMarks(draw, top) {
  LANES.forEach((lane, l) => {
    const y = top + l * LANE;
    draw.strokeStyle = C.line; draw.lineWidth = 1; trace(draw, [[LEFT, y + LANE - .5], [chart.clientWidth - RIGHT, y + LANE - .5]]); draw.stroke();
    draw.fillStyle = C[lane.colour];
    for (let i = firstAt(span[0]); i < N && P.time_ms[i] <= span[1]; i++) if (lane.has(i)) draw.fillRect(cx(P.time_ms[i]) - 1, y + 2, 2, LANE - 4);
  });
}

function drawChartOver() {
  const { draw, height } = canvas(chart, 1), i = shown(), box = bands();
  if (brush) { draw.fillStyle = C.ink; draw.globalAlpha = .1; draw.fillRect(Math.min(brush.from, brush.to), TOP, Math.abs(brush.to - brush.from), height - TOP - BOTTOM); draw.globalAlpha = 1 }
  if (i < 0 || P.time_ms[i] < span[0] || P.time_ms[i] > span[1]) return;
  const x = cx(P.time_ms[i]);
  draw.strokeStyle = C.ink; draw.lineWidth = 1; draw.globalAlpha = .5; trace(draw, [[x, TOP], [x, height - BOTTOM]]); draw.stroke(); draw.globalAlpha = 1;
  const along = P.along_m[i] ?? heldAfter("along_m", i);
  for (const pass of passesNear(RX[i], RY[i])) if (pass.along >= reach[0] && pass.along <= reach[1]) {
    draw.strokeStyle = wayColour(band(pass.along), "snap"); draw.lineWidth = 1.6;
    draw.beginPath(); draw.arc(x, box.along[1] - (pass.along - reach[0]) / (reach[1] - reach[0]) * (box.along[1] - box.along[0]), 4, 0, 7); draw.stroke();
  }
  if (along !== null) ring(draw, x, box.along[1] - (along - reach[0]) / (reach[1] - reach[0]) * (box.along[1] - box.along[0]), 5, kindColour(i));
  const text = CLOCK.format(P.time_ms[i]), half = draw.measureText(text).width / 2 + 7;
  draw.fillStyle = C.ink; draw.beginPath(); draw.roundRect(x - half, height - BOTTOM + 2, half * 2, 18, 6); draw.fill();
  draw.fillStyle = C.surface; draw.textAlign = "center"; draw.textBaseline = "middle"; draw.fillText(text, x, height - BOTTOM + 11.5);
}

// --- beside it: one ping, and what was decided ----------------------------------------------------------------------

function rowsOf(pairs) {
  return `<dl>${pairs.filter(([, value]) => value !== null && value !== "").map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join("")}</dl>`;
}

function was(i) {  // what is stored, where it says something else
  if (!S || !P.differs[i]) return null;
  const told = S.believed[i] ? S.on_route[i] && S.along_m[i] !== null ? `on the route at ${metres(S.along_m[i])}` : "not on the route" : "not believed";
  return `<span class="was">${[told, ...S.flags[i].map(flag => flag.replaceAll("_", " "))].join(", ")}</span>`;
}

function passes(i) {  // all places along the path that this ping could be at
  const near = passesNear(RX[i], RY[i]);
  if (near.length < 2 && P.along_m[i] !== null) return null;
  return near.slice(0, 6).map(pass => {
    const chosen = P.along_m[i] !== null && Math.abs(pass.along - P.along_m[i]) < 100, words = `${metres(pass.along)}, ${metres(pass.away)} away`;
    return `<i class="pass" style="--c:${wayColour(band(pass.along), "snap")}"></i>${chosen ? `<b>${words}</b>` : words}`;
  }).join("<br>") || `none within ${NEARBY_M} m`;
}

function mayBeAt(i) {  // what the track holds possible after this ping
  const places = HYPOTHESES[i];
  if (!places.length || places.length === 1 && places[0][1] > .99) return null;
  return places.map(([along, weight]) => `<i class="pass" style="--c:${wayColour(band(along), "snap")}"></i>${metres(along)}, ${Math.round(100 * weight)} %`).join("<br>");
}

function describe() {
  const i = shown();
  if (i < 0) return hoveredStop >= 0 ? describeStop(hoveredStop) : describeNothing();
  const [sd, p, next, delay] = ["along_sd_m", "on_route_p", "next_stop", "delay_s"].map(name => heldAfter(name, i));
  const spell = day.spells.find(s => P.time_ms[i] >= s.from_ms && (s.to_ms === null || P.time_ms[i] < s.to_ms));
  const visit = day.visits.find(v => P.time_ms[i] >= v.came_ms && P.time_ms[i] <= (v.left_ms ?? Infinity));
  const verdict = [
    `<span class="on">On the route</span>`, `<span class="off-route">Off the route</span>`, "Not on the route", `<span class="bad-word">Not believed</span>`,
  ][KIND[i]];
  const flags = P.flags[i].map(flag => `<b class="${day.unbelieved.includes(flag) ? "bad-word" : ""}">${escape(flag)}</b>${WHY[flag] ? `: ${WHY[flag]}` : ""}`).join("<br>");
  return `<h2>${CLOCK.format(P.time_ms[i])}<small>ping ${i + 1} of ${N}${pinned === i && hovered < 0 ? ", kept" : ""}</small></h2>
    <p class="verdict">${verdict}${visit ? ` <span class="quiet">· at stop ${escape(stopName(visit.stop))}</span>` : ""}</p>` + rowsOf([
      ["flags", flags],
      ["first judged", P.first_flags[i] === null ? null : `${P.first_flags[i].join(", ") || "no flag"}; a later ping changed that`],
      ["off since", spell && KIND[i] === OFF ? `${CLOCK.format(spell.from_ms)}, known at ${CLOCK.format(spell.known_ms)}` : null],
      ["along_m", P.along_m[i] === null ? null : `${metres(P.along_m[i])}${sd === null ? "" : ` ± ${metres(sd)}`} <span class="quiet">of ${metres(LENGTH)}</span>`],
      ["offset_m", P.offset_m[i] === null ? null : `${metres(Math.abs(P.offset_m[i]))} ${P.offset_m[i] >= 0 ? "left" : "right"} of the path`],
      ["passes here", passes(i)],
      ["may be at", mayBeAt(i)],
      ["on the route", p === null ? null : `${(100 * p).toFixed(p > .99 || p < .01 ? 1 : 0)} % sure`],
      ["stored", was(i)],
      ["next stop", next === null ? null : escape(stopName(next))],
      ["delay", delay === null ? null : delay >= 0 ? duration(delay) : duration(-delay) + " ahead of the plan"],
      ["accuracy", P.accuracy_m[i] === null ? "not said" : `${metres(P.accuracy_m[i])} <span class="quiet">(the circle)</span>`],
      ["speed", P.speed_mps[i] === null ? null : `${P.speed_mps[i].toFixed(1)} m/s`],
      ["heading", P.heading_deg[i] === null ? null : `${Math.round(P.heading_deg[i])}°`],
      ["place", `${P.lat[i].toFixed(6)}, ${P.lon[i].toFixed(6)}`],
      ["arrived", P.late[i] ? "late, after pings that were recorded later" : null],
    ]);
}

function describeStop(s) {
  const stop = day.stops[s], of = visits => (visits ?? []).filter(visit => visit.stop === s).map(visit => `${CLOCK.format(visit.came_ms)} – ${visit.left_ms === null ? "…" : CLOCK.format(visit.left_ms)}`).join("<br>");
  return `<h2>Stop ${escape(stopName(s))}</h2><p class="verdict">${of(day.visits) ? `<span class="on">Visited</span>` : "Not visited"}</p>` + rowsOf([
    ["visits", of(day.visits)], ["stored", day.stored_visits ? `<span class="was">${of(day.stored_visits) || "no visit"}</span>` : null],
    ["planned", stop.planned_ms === null ? null : CLOCK.format(stop.planned_ms)], ["along_m", metres(stop.along_m)],
    ["fence", stop.fence ? stop.fence.type : `circle of ${metres(stop.radius_m)}`],
  ]);
}

function describeNothing() {
  return `<h2>Point at a ping</h2><p class="quiet">on the map or in the chart, and both show where it is and what was made of it.</p>
    <p class="quiet">The path changes its colour along the way. Where a street is driven twice its two passes have two colours; the colour of a snapped place says
    which pass the ping was put on.</p>`;
}

function decisions() {
  const list = day.facts.filter(fact => FACTS[fact.type]).map(fact => {
    const [words, colour, hollow] = FACTS[fact.type], wait = (fact.known_ms - fact.occurred_ms) / 1000;
    return { at: fact.occurred_ms, to: fact.known_ms, known: fact.known_ms, colour, hollow, text: fact.stop === null ? words : `${words} ${stopName(fact.stop)}`, small: wait > 0 ? `known ${duration(wait)} later` : "" };
  });
  for (const one of day.differences) list.push({ at: one.from_ms, to: one.to_ms, known: one.from_ms, colour: "stored", text: one.what, small: "differs" });
  list.sort((a, b) => a.at - b.at);
  $("decisions-title").textContent = S ? `What today's geo decides, and where what is stored differs (${day.differences.length})` : `What was decided (${list.length})`;
  for (const one of list) {
    const item = document.createElement("li");
    item.tabIndex = 0;
    item.style.setProperty("--c", `var(--${one.colour})`);
    item.innerHTML = `<time>${CLOCK.format(one.at)}</time><i class="${one.hollow ?? ""}"></i><span>${escape(one.text)}</span><small>${one.small}</small>`;
    const go = () => { pin(Math.min(firstAt(one.known), N - 1)); look(one.at - 150000, one.to + 150000) };
    item.onclick = go;
    item.onkeydown = event => { if (event.key === "Enter") go() };
    $("decisions").append(item);
  }
}

// --- moving about ---------------------------------------------------------------------------------------------------

function look(from, to, moveMap = true) {
  const least = 20000;
  if (to - from < least) { const middle = (from + to) / 2; from = middle - least / 2; to = middle + least / 2 }
  span = [Math.max(from, WHOLE[0]), Math.min(to, WHOLE[1])];
  if (span[1] - span[0] < least) span = from < WHOLE[0] ? [WHOLE[0], Math.min(WHOLE[0] + least, WHOLE[1])] : [Math.max(WHOLE[1] - least, WHOLE[0]), WHOLE[1]];
  if (moveMap) isWhole() ? fitWhole() : fitSpan();
  redraw(DIRTY.map | DIRTY.chart);
}

function hover(i, stop = -1) {
  if (i === hovered && stop === hoveredStop) return;
  hovered = i; hoveredStop = stop;
  $("details").innerHTML = describe();
  redraw(DIRTY.over);
}

function pin(i) {
  pinned = i; hovered = -1; hoveredStop = -1;
  $("details").innerHTML = describe();
  redraw(DIRTY.over);
}

const inside = (event, element) => { const box = element.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top] };

function nearestOnMap(x, y) {
  let best = -1, least = 14 ** 2;
  for (let i = firstAt(span[0]); i < N && P.time_ms[i] <= span[1]; i++) {
    let d = (mx(RX[i]) - x) ** 2 + (my(RY[i]) - y) ** 2;
    if (SX[i] !== null) d = Math.min(d, (mx(SX[i]) - x) ** 2 + (my(SY[i]) - y) ** 2 + 4);
    if (d < least) { least = d; best = i }
  }
  return best;
}

let drag = null;
map.onpointerdown = event => { if (event.target.closest("button")) return; drag = { x: event.clientX, y: event.clientY, moved: false }; map.setPointerCapture(event.pointerId); map.classList.add("held") };
map.onpointermove = event => {
  const [x, y] = inside(event, map);
  if (drag) {
    const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
    if (!drag.moved && Math.hypot(dx, dy) < 4) return;
    view.x -= dx / view.k; view.y += dy / view.k;
    drag = { x: event.clientX, y: event.clientY, moved: true };
    return redraw(DIRTY.map);
  }
  const stop = STOPS.findIndex(one => Math.hypot(mx(one.x) - x, my(one.y) - y) < 8);
  hover(stop >= 0 ? -1 : nearestOnMap(x, y), stop);
};
map.onpointerup = event => { if (drag && !drag.moved) pin(nearestOnMap(...inside(event, map))); drag = null; map.classList.remove("held") };
map.onpointerleave = () => hover(-1);
map.onwheel = event => {
  event.preventDefault();
  const [x, y] = inside(event, map), wx = view.x + (x - map.clientWidth / 2) / view.k, wy = view.y - (y - map.clientHeight / 2) / view.k;
  view.k = Math.max(1e-4, Math.min(40, view.k * Math.exp(-event.deltaY * .0016)));
  view.x = wx - (x - map.clientWidth / 2) / view.k; view.y = wy + (y - map.clientHeight / 2) / view.k;
  redraw(DIRTY.map);
};

function nearestInTime(x) {
  const t = ct(x), after = firstAt(t);
  const one = after >= N || after > 0 && t - P.time_ms[after - 1] < P.time_ms[after] - t ? after - 1 : after;
  return x < LEFT - 6 || x > chart.clientWidth - RIGHT + 6 || P.time_ms[one] < span[0] || P.time_ms[one] > span[1] ? -1 : one;
}

chart.onpointerdown = event => { if (event.target.closest("button")) return; const [x] = inside(event, chart); brush = { from: x, to: x }; chart.setPointerCapture(event.pointerId) };
chart.onpointermove = event => { const [x] = inside(event, chart); if (brush) brush.to = x; hover(nearestInTime(x)); redraw(DIRTY.over) };
chart.onpointerup = event => {
  const [x] = inside(event, chart), { from, to } = brush ?? { from: x, to: x };
  brush = null;
  if (Math.abs(to - from) > 6) look(ct(Math.min(from, to)), ct(Math.max(from, to)));
  else pin(nearestInTime(x));
};
chart.onpointerleave = () => { if (!brush) hover(-1) };
chart.ondblclick = () => look(...WHOLE);
chart.onwheel = event => {
  event.preventDefault();
  const t = ct(inside(event, chart)[0]), by = Math.exp(event.deltaY * .0016), move = event.deltaX / chart.clientWidth * (span[1] - span[0]);
  look(t - (t - span[0]) * by + move, t + (span[1] - t) * by + move, false);
};

document.onkeydown = event => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (event.key === "Escape") pin(-1);
  if (!step) return;
  event.preventDefault();
  const i = Math.max(0, Math.min(N - 1, (pinned < 0 ? firstAt(span[0]) - Math.max(step, 0) : pinned) + step));
  if (P.time_ms[i] < span[0] || P.time_ms[i] > span[1]) { const by = (P.time_ms[i] < span[0] ? -.5 : .5) * (span[1] - span[0]); look(span[0] + by, span[1] + by, false) }
  pin(i);
  const x = mx(RX[i]), y = my(RY[i]);
  if (x < 30 || y < 30 || x > map.clientWidth - 30 || y > map.clientHeight - 30) { view.x = RX[i]; view.y = RY[i]; redraw(DIRTY.map) }
};

$("fit").onclick = () => isWhole() ? fitWhole() : fitSpan();
$("whole").onclick = () => look(...WHOLE);

// --- the words around it --------------------------------------------------------------------------------------------

function heading() {
  document.title = `${day.name} explained`;
  $("name").textContent = day.name;
  const left = [day.repeated && `${day.repeated} repeated rows`, day.refused && `${day.refused} rows that no door takes`].filter(Boolean);
  $("about").innerHTML = `${DATE.format(P.time_ms[0])}, ${CLOCK.format(P.time_ms[0])} to ${CLOCK.format(P.time_ms[N - 1])} (${escape(day.timezone)}), ${escape(day.origin)}, folded by Reparto ${escape(day.version)}` +
    (left.length ? `; left out: ${left.join(" and ")}` : "") + "." + day.notes.map(note => ` <b>${escape(note)}</b>`).join("");
  const count = kind => KIND.reduce((sum, one) => sum + (one === kind), 0);
  const visited = new Set(day.visits.map(visit => visit.stop)).size;
  const figures = [
    [N.toLocaleString("en-GB").replaceAll(",", " "), "pings"], [count(NOT_BELIEVED), "not believed", "bad"], [`${(LENGTH / 1000).toFixed(1)} km`, "path"],
    [`${visited} / ${STOPS.length}`, "stops visited"], [day.spells.length, day.spells.length === 1 ? "time off the route" : "times off the route", day.spells.length ? "off" : ""],
  ];
  if (S) figures.push([P.differs.filter(Boolean).length, "pings differ from stored", "stored"]);
  $("figures").innerHTML = figures.map(([value, name, kind]) => `<li class="${value === 0 ? "" : kind ?? ""}"><b>${value}</b>${name}</li>`).join("");
}

function legend() {
  const svg = inner => `<svg viewBox="0 0 34 14">${inner}</svg>`, dot = (x, y, fill) => `<circle cx="${x}" cy="${y}" r="3" fill="${fill}"/>`;
  const ramp = [0, .2, .4, .6, .8, 1].map(f => `<stop offset="${f}" stop-color="${wayColour(f * BANDS, "path")}"/>`).join("");
  const rows = [
    [`<defs><linearGradient id="way">${ramp}</linearGradient></defs><rect y="5" width="34" height="5" rx="2.5" fill="url(#way)"/>`, "planned path, from start to end"],
    [`<path d="M8 11 26 4" stroke="var(--muted)"/>${dot(8, 11, "var(--ink)")}${dot(26, 4, wayColour(BANDS * .3, "snap"))}`, "ping, and its place on the path"],
  ];
  if (KIND.includes(OFF)) rows.push([`<path d="M3 7h28" stroke="var(--off)" stroke-width="9" opacity=".28" stroke-linecap="round"/>${dot(17, 7, "var(--off)")}`, "off the route"]);
  if (KIND.includes(NOWHERE)) rows.push([dot(17, 7, "var(--faint)"), "not on the tour, or not yet"]);
  if (KIND.includes(NOT_BELIEVED)) rows.push([`<path d="m13.5 3.5 7 7m0-7-7 7" stroke="var(--bad)" stroke-width="1.6"/>`, "not believed"]);
  rows.push([`<circle cx="10" cy="7" r="6" fill="var(--visit)"/><circle cx="25" cy="7" r="6" fill="var(--surface)" stroke="var(--muted)"/>`, "stop visited, not visited"]);
  if (S) rows.push([`<path d="m17 2 5 5-5 5-5-5z" fill="none" stroke="var(--stored)" stroke-width="1.3"/>`, "stored place that differs"]);
  $("legend").innerHTML = rows.map(([picture, words]) => `<li>${svg(picture)}${words}</li>`).join("");
}

function start() {
  readColours(); heading(); legend(); decisions();
  $("details").innerHTML = describe();
  fitWhole();
  redraw(DIRTY.map | DIRTY.chart);
}

dark.onchange = () => { readColours(); legend(); redraw(DIRTY.map | DIRTY.chart) };
let size = [map.clientWidth, map.clientHeight];
addEventListener("resize", () => {
  view.k *= Math.min(map.clientWidth / size[0], map.clientHeight / size[1]) || 1;
  size = [map.clientWidth, map.clientHeight];
  redraw(DIRTY.map | DIRTY.chart);
});
start();

})();
