"""`make screenshots`: a picture of every state of the page, in each language, on a phone and a desk, light and dark.

They lie in build/screens with a page that shows them all. This is kept out of the suite: it asserts nothing.
"""

import asyncio
import os
from itertools import product
from pathlib import Path
from typing import Any

from tests.browser.conftest import Site
from tests.browser.states import STATES, State, bring

FOLDER = Path("build/screens")
SIZES = {
    "phone": {
        "viewport": {"width": 360, "height": 780},
        "is_mobile": True,
        "has_touch": True,
        "device_scale_factor": 2,
    },
    "desk": {"viewport": {"width": 1440, "height": 900}},
}
LOCALES = {"es": "es-CO", "pt": "pt-BR", "en": "en-GB"}
STILL_MS = 200
OTHERS = ("unknown", "find", "ticket", "cancel")
"""Pages that are none of the states of a link."""

ONLY = os.environ.get("ONLY", "")
"""A part of the names of those that are wanted; empty: all."""


async def test_pictures_of_every_state(browser: Any, site: Site) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    lookers = {
        f"{language}-{size}-{scheme}": await browser.new_context(
            **SIZES[size], locale=LOCALES[language], color_scheme=scheme, reduced_motion="reduce"
        )
        for language, size, scheme in product(LOCALES, SIZES, ("light", "dark"))
        if any(ONLY in f"{name}-{language}-{size}-{scheme}" for name in (*STATES, *OTHERS))
    }
    taken = []
    for name, state in STATES.items():
        await bring(site.tour, state)
        for looker, context in lookers.items():
            if ONLY in f"{name}-{looker}":
                taken.append(await picture(context, site, f"{name}-{looker}.png", state))
    await bring(site.tour, STATES["reported"])
    ticket = await site.tour.pool.fetchval("SELECT 'tk_' || id FROM ticket")
    asked = await site.tour.pool.fetchval("SELECT 're_' || id FROM return_request")
    others = {
        "unknown": "/t/unknown-token-unknown",
        "find": "/find",
        "ticket": f"/t/{site.tour.tokens[0]}/tickets/{ticket}",
        "cancel": f"/t/{site.tour.tokens[0]}/returns/{asked}/cancel",
    }
    taken += [
        await other(context, site, path, f"{name}-{looker}.png")
        for (name, path), (looker, context) in product(others.items(), lookers.items())
        if ONLY in f"{name}-{looker}"
    ]
    await asyncio.to_thread(write_index, FOLDER, taken)


async def picture(context: Any, site: Site, file: str, state: State) -> str:
    page = await context.new_page()
    await page.goto(site.page_of(state.place, state.path), wait_until="networkidle" if state.path else "load")
    if state.typed is not None:
        await page.click(".send")
        await page.wait_for_selector("#summary")
    await page.wait_for_timeout(STILL_MS)
    return await shoot(page, file)


async def other(context: Any, site: Site, path: str, file: str) -> str:
    page = await context.new_page()
    await page.goto(site.url + path)
    return await shoot(page, file)


async def shoot(page: Any, file: str) -> str:
    await page.screenshot(path=str(FOLDER / file), full_page=True)
    await page.close()
    return file


def write_index(folder: Path, taken: list[str]) -> None:
    shown = "".join(
        f'<figure><img src="{file}" loading="lazy"><figcaption>{file}</figcaption></figure>' for file in taken
    )
    style = "body{font:14px system-ui;display:flex;flex-wrap:wrap;gap:16px}figure{margin:0;width:300px}img{width:100%}"
    (folder / "index.html").write_text(f"<!doctype html><meta charset=utf-8><style>{style}</style>{shown}", "utf-8")
