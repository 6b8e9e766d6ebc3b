/* What every page of the desk can: search from anywhere, back with Esc, on and back in lists with j and k, print. */

document.documentElement.classList.add("scripted");

const find = /** @type {HTMLInputElement | null} */ (document.getElementById("find"));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const typing = event.target instanceof Element && event.target.closest("input, textarea, select");
  if (event.key === "/" && find && !typing) {
    event.preventDefault();
    find.focus();
    find.select();
  } else if (event.key === "Escape" && typing) {
    /** @type {HTMLElement} */ (typing).blur();
  } else if (event.key === "Escape" && history.length > 1) {
    history.back();
  } else if (!typing && (event.key === "j" || event.key === "k")) {
    go(event.key === "j" ? 1 : -1);
  }
});

/** Go on in what the page lists, by the first link of each. @param {1 | -1} by */
function go(by) {
  const rows = [...document.querySelectorAll("main :is(.stops, .found, .board) > li:has(a)")];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
  /** @type {HTMLElement | null | undefined} */ (next?.querySelector("a"))?.focus();
}

document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-print]")) print();
});
