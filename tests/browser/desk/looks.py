"""What holds of every page of the desk, and pictures of them where `SCREENS` names a folder."""

import os
from pathlib import Path
from typing import Any

from tests.browser.axe import serious_violations

SCREENS = os.environ.get("SCREENS", "")
ASIDE = "(all) => all.map((one) => one.scrollWidth - one.clientWidth)"
"""How much of each is out of sight at its side."""

STILL_MS = 600
"""What moves has come to rest by then."""


async def shut_out(page: Any, *urls: str) -> dict[tuple[str, str], Any]:
    """Give what shuts people out of pages: serious findings of axe (WCAG 2.2 AA), and what is wider than the screen."""
    found: dict[tuple[str, str], Any] = {}
    for url in urls:
        await page.goto(url)
        await picture(page, url.partition("/desk")[2])
        found |= await shut_out_here(page)
    return found


async def shut_out_here(page: Any) -> dict[tuple[str, str], Any]:
    """Give what shuts people out of a page as it stands there."""
    found: dict[tuple[str, str], Any] = {}
    wide = await page.evaluate("document.documentElement.scrollWidth") - page.viewport_size["width"]
    if wide > 0:
        found[page.url, "wide"] = wide
    return found | await serious_violations(page, page.url)


async def picture(page: Any, name: str) -> None:
    """Take a picture, where somebody wants to see some."""
    if SCREENS:
        await page.wait_for_timeout(STILL_MS)
        size = page.viewport_size["width"]
        file = "".join(letter if letter.isalnum() else "-" for letter in name).strip("-") or "desk"
        await page.screenshot(path=str(Path(SCREENS) / f"{file}-{size}.png"), full_page=True)
