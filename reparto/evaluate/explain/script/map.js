// The map: path, fences, stops, and each ping with its place on the path.

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
