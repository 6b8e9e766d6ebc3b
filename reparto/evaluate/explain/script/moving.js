// Moving about with pointer, wheel and keys.

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
