"""`make desk-screens`: pictures of every page of the desk, full and empty, in each language, size and scheme.

They lie in build/screens/desk with a page that shows them all. Kept out of the suite, where `test_every_page.py` holds
the pages to what a program can tell; what is told here besides is for whoever looks.
"""

import asyncio
import os
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from sql.account.accounts import ensure_account
from tests.browser.desk.conftest import DESK, PHONE, Office
from tests.browser.desk.every_page import empty_pages, fill, pages_of
from tests.browser.screens import write_index

FOLDER = Path("build/screens/desk")
SIZES = {"phone": PHONE, "wide": DESK}
LANGUAGES = ("es", "pt", "en")
STILL_MS, DRAWN_MS = 200, 2_500

ONLY = os.environ.get("ONLY", "")
"""A part of the names of those that are wanted; empty: all."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("is_empty", [False, True], ids=["full", "empty"])
async def test_pictures_of_every_page(browser: Any, office: Office, language: str, is_empty: bool) -> None:
    if is_empty:
        office.account_id = await ensure_account(office.pool, "Empresa nueva")
    else:
        await fill(office, await office.sit(browser, "owner"))
    pages = empty_pages() if is_empty else pages_of(office)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for (size, looks), scheme in product(SIZES.items(), ("light", "dark")):
        names = {f"{'empty-' * is_empty}{name}-{language}-{size}-{scheme}": path for name, path in pages.items()}
        wanted = {name: path for name, path in names.items() if ONLY in name}
        page = await office.sit(browser, "owner", lang=language, color_scheme=scheme, **looks) if wanted else None
        for name, path in wanted.items():
            await page.goto(f"{office.url}{path}")
            if await page.locator("#map").count():
                await page.wait_for_selector("#map canvas", state="attached")
                await page.wait_for_timeout(DRAWN_MS)
            await page.wait_for_timeout(STILL_MS)
            await page.screenshot(path=str(FOLDER / f"{name}.png"), full_page=True)
    await asyncio.to_thread(write_index, FOLDER, sorted(one.name for one in FOLDER.glob("*.png")))
