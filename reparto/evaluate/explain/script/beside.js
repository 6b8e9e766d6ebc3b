// Beside them: one ping in words, and what was decided.

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
