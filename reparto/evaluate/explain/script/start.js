// The words around it, and the start.

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
