/* The board on a wall comes anew every half minute; while the line is cut it stays, and says of when it is. */

const AGAIN_MS = 30_000;

setInterval(async () => {
  const response = await fetch(location.href).catch(() => null);
  if (response?.redirected) location.reload(); // nobody is signed in any more
  if (!response?.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  document.querySelector("main")?.replaceWith(/** @type {HTMLElement} */ (page.querySelector("main")));
}, AGAIN_MS);
