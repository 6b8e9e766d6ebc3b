"""The whole life of a delivery in a recipient's hands, from booked to rated; and what must hold in every state."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.browser.axe import serious_violations
from tests.browser.conftest import Site
from tests.browser.states import STATES, bring
from tests.browser.waiting import SOON_MS, until

PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
SMALLEST = {"viewport": {"width": 320, "height": 640}, "is_mobile": True}
DESK = {"viewport": {"width": 1440, "height": 900}}
HEAVIEST_KB = {"html": 8, "css": 10, "js": 60, "svg": 2, "json": 1}
"""Compressed, by part, of the heaviest page: the one with a map; all together far below 150."""


async def headline(page: Any, wanted: str, *, again: bool) -> None:
    """See the headline change by itself, or after loading the page again: what it shows may be a second old."""
    there = page.locator(f"h1:text-is('{wanted}')")
    async with asyncio.timeout(SOON_MS / 1000):
        while again and not await there.count():
            await page.reload()
    await there.wait_for(timeout=SOON_MS)


@pytest.mark.parametrize(
    ("locale", "device", "scripts", "says"),
    [
        ("es-CO", PHONE, True, ["Tu entrega está programada", "Eres la próxima parada", "Ya está aquí", "Entregado"]),
        ("pt-BR", PHONE, False, ["Sua entrega está programada", "Você é a próxima parada", "Chegou", "Entregue"]),
        ("en-GB", DESK, True, ["Your delivery is scheduled", "You are the next stop", "It is here", "Delivered"]),
        ("es-CO", DESK, False, ["Tu entrega está programada", "Eres la próxima parada", "Ya está aquí", "Entregado"]),
    ],
    ids=["phone", "phone-without-scripts", "desk", "desk-without-scripts"],
)
async def test_from_booked_to_rated(
    browser: Any, site: Site, locale: str, device: dict[str, Any], scripts: bool, says: list[str]
) -> None:
    context = await browser.new_context(**device, locale=locale, java_script_enabled=scripts)
    page, tour, again = await context.new_page(), site.tour, not scripts
    await bring(tour, STATES["booked"])
    await page.goto(site.page_of(0))
    await headline(page, says[0], again=False)

    await page.click(".choice[href*='/instructions']")
    await page.click(".send")
    await page.wait_for_selector("#text-error")
    await page.fill("textarea", "Portón verde, código 4711")
    await page.click(".send")
    await page.wait_for_selector("#heard .said")
    assert "Portón verde" in await page.text_content("#heard")
    assert "4711" not in await page.content()

    now = datetime.now(UTC)
    await tour.change_route(status="started", started_at=now)
    await tour.expect({n: now + timedelta(minutes=12 * (n + 1)) for n in range(4)}, as_of=now)
    await tour.tell()
    await headline(page, says[1], again=again)
    assert re.search(r"\d:\d\d.* – \d+:\d\d", await page.text_content("#eta-window"))

    await tour.visit(0, now)
    await tour.tell()
    await headline(page, says[2], again=again)

    await tour.change_stop(0, status="completed", departed_at=now, outcome_at=now)
    await tour.tell()
    await headline(page, says[3], again=again)
    await page.wait_for_selector(".choice[href*='/rating']", timeout=SOON_MS)
    await page.click(".choice[href*='/rating']")
    await page.check("input[value='5']", force=True)
    await page.check("input[value='kind']", force=True)
    await page.click(".send")
    await page.wait_for_selector("#heard .said >> text=5")
    assert await page.locator(".choice[href*='/rating']").count() == 0
    assert await tour.pool.fetchval("SELECT stars FROM rating") == 5
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nobody_is_shut_out(browser: Any, site: Site, scheme: str) -> None:
    """No serious finding of axe (WCAG 2.2 AA), and nothing wider than the smallest phone."""
    context = await browser.new_context(
        viewport={"width": 320, "height": 640},
        is_mobile=True,
        locale="es-CO",
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    found = {}
    page = await context.new_page()
    for name in ("away", "reported", "over", "form-problem-error", "form-pin-drop", "form-rating", "widget"):
        state = STATES[name]
        await page.goto("about:blank")  # else the page before loads itself anew, and comes between
        await bring(site.tour, state)
        await page.goto(site.page_of(state.place, state.path))
        if state.typed is not None:
            await page.click(".send")
            await page.wait_for_selector("#summary")
        assert await page.evaluate("document.documentElement.scrollWidth") == 320, name
        found |= await serious_violations(page, name)
    await context.close()
    assert found == {}


async def test_the_first_page_is_light(browser: Any, site: Site) -> None:
    """Everything that a page with a map loads, as it comes over the line."""
    context = await browser.new_context(locale="es-CO")
    page = await context.new_page()
    loaded: dict[str, float] = {}
    line = await context.new_cdp_session(page)
    kinds: dict[str, str] = {}
    line.on("Network.responseReceived", lambda one: kinds.update({one["requestId"]: one["response"]["mimeType"]}))

    def note(one: Any) -> None:
        part = kinds[one["requestId"]].partition("/")[2].partition("+")[0].replace("javascript", "js")
        loaded[part] = loaded.get(part, 0) + one["encodedDataLength"] / 1000

    line.on("Network.loadingFinished", lambda one: note(one) if one["requestId"] in kinds else None)
    await line.send("Network.enable")
    await page.goto(site.page_of(0))
    await page.wait_for_selector("#map .van")
    await context.close()
    assert loaded.keys() >= {"html", "css", "js"}, loaded
    assert {part: size for part, size in loaded.items() if size > HEAVIEST_KB.get(part, 0)} == {}


async def test_without_a_connection_the_last_visit_is_shown_and_called_so(browser: Any, site: Site) -> None:
    context = await browser.new_context(locale="es-CO")
    page = await context.new_page()
    await page.goto(site.page_of(0))
    await page.evaluate("navigator.serviceWorker.ready")
    await until(page, "navigator.serviceWorker.controller !== null")
    await page.reload()
    await page.wait_for_selector("#map .van")
    await page.goto("about:blank")  # else its stream keeps the server up
    await site.stop()
    await page.goto(site.page_of(0))
    assert await page.text_content("h1") == "Eres la próxima parada"
    assert (await page.text_content("#offline")).startswith("Sin conexión. Guardamos esta página")
    await context.close()


async def test_the_door_is_shown_by_moving_the_map(browser: Any, site: Site) -> None:
    context = await browser.new_context(**PHONE, locale="es-CO")
    page = await context.new_page()
    await page.goto(site.page_of(0, "/pin-drop"))
    await page.wait_for_selector(".door .cross")
    await page.focus(".door")
    await page.keyboard.press("ArrowUp")  # as by a finger: whoever uses keys moves it too
    await until(page, "document.querySelector('form').lat.value !== ''")
    await page.click(".send")
    await page.wait_for_selector("#heard .said")
    assert 1 < await site.tour.pool.fetchval("SELECT door_m FROM recipient_wish") < 200
    await context.close()


async def test_the_van_moves_on_between_two_fixes_and_stops_where_nobody_knows(browser: Any, site: Site) -> None:
    context = await browser.new_context(locale="es-CO")
    page = await context.new_page()
    await page.goto(site.page_of(0))
    await page.wait_for_selector("#map .van")
    paces = await page.evaluate(
        """async () => {
            const { measure, placeAt, paceOf, reckon, eased, alongOf, RECKONED_S } =
                await import(`${document.body.dataset.assets}/page/glide.js`);
            const line = [[-75.569, 6.2442], [-75.568, 6.2442], [-75.568, 6.2452]];
            const along = measure(line), length = along.at(-1), pace = paceOf(length, 0, 60_000);
            return {
                length, pace,
                places: [0, 10, 20, RECKONED_S, 600].map((age) => reckon(length, pace, age)),
                late: paceOf(length, 60_000, 0),
                turned: [placeAt(line, along, 5).heading, placeAt(line, along, length - 5).heading],
                eased: [eased(10, 40), eased(10, 200), eased(10, null), eased(40, 10)],
                back: alongOf(line, along, [-75.568, 6.2447]),
            };
        }"""
    )
    assert paces["length"] == pytest.approx(221.7, abs=0.5)
    assert paces["places"] == pytest.approx([0, 37, 74, 111, 111], abs=1)
    assert paces["late"] == 0
    assert paces["turned"] == pytest.approx([90, 0], abs=0.1)
    assert paces["eased"] == [40, 10, 10, 40]
    assert paces["back"] == pytest.approx(166, abs=1)
    before = await page.evaluate("document.querySelector('.van').style.transform")
    await until(page, "before => document.querySelector('.van').style.transform !== before", before)
    await context.close()
