// How things are called and numbers are written.

const WHY = {
  inaccurate: "the phone itself calls it too inaccurate",
  jump: "it cannot have come here from the last believed place",
  too_fast: "its speed is impossible and does not count; its place does",
  clock_corrected: "the phone's clock is wrong; its time was corrected",
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
