// The colours of page.css, light or dark, and those of the way.

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
