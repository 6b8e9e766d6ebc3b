/* What every page of the desk can: search from anywhere, back with Esc, print. */

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
  }
});

document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-print]")) print();
});
