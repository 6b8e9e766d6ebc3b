// What is looked at: the span of time, the place on the map, the ping; and drawing it again.

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
