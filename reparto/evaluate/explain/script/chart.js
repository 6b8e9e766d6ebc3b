// The chart: the same pings over time.

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
