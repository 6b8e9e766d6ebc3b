"""Waiting for what a page does by itself. Its policy lets nobody evaluate text in it, so that is asked from outside."""

import asyncio
from typing import Any

SOON_MS = 60_000
_AGAIN_S = 0.05


async def until(page: Any, expression: str, wanted: Any = None) -> None:
    """Wait until an expression about the page holds."""
    async with asyncio.timeout(SOON_MS / 1000):
        while not await _holds(page, expression, wanted):
            await asyncio.sleep(_AGAIN_S)


async def _holds(page: Any, expression: str, wanted: Any) -> bool:
    from playwright.async_api import Error

    try:
        return bool(await page.evaluate(expression, wanted))
    except Error as error:
        if "context was destroyed" not in str(error):  # it is being loaded anew
            raise
        return False
