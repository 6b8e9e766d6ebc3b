"""What axe (WCAG 2.2 AA) finds on a page; what it says of all that is well stays in the browser, and is most of it."""

from typing import Any

from axe_playwright_python.async_playwright import Axe

_FOUND = f"{Axe().axe_script}\naxe.run({{ resultTypes: ['violations'] }}).then(({{ violations }}) => violations)"


async def violations(page: Any) -> list[dict[str, Any]]:
    """Give everything that it finds."""
    found: list[dict[str, Any]] = await page.evaluate(_FOUND)
    return found


async def serious_violations(page: Any, name: str) -> dict[tuple[str, str], Any]:
    """Give what shuts people out, by the page's name and the rule: where that is, and why."""
    return {
        (name, one["id"]): [(node["html"][:120], node["failureSummary"][:200]) for node in one["nodes"]]
        for one in await violations(page)
        if one["impact"] in ("serious", "critical")
    }
