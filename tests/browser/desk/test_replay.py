"""A dispatcher goes back in a tour's day: the van at a moment, why a ping did not count, what was told when."""

import re
from datetime import timedelta
from typing import Any

import pytest

from tests.browser.desk.conftest import PHONE, Office, tell
from tests.browser.desk.looks import picture, shut_out, shut_out_here
from tests.browser.waiting import until


async def test_a_day_is_seen_again_at_any_moment(browser: Any, office: Office) -> None:
    at = office.now - timedelta(minutes=29)
    await office.tour.keep_pings([at + timedelta(minutes=n) for n in range(20)])
    off = {"on_route": False, "along_m": None, "offset_m": None, "snapped_lat_e6": None, "snapped_lon_e6": None}
    await office.tour.keep_pings([at + timedelta(minutes=20)], **off)
    far = {**off, "believed": False, "flags": 2, "lat_e6": 6_900_000}
    await office.tour.keep_pings([at + timedelta(minutes=21)], **far)
    await office.tour.keep_pings([at + timedelta(minutes=22)])
    await tell(office)
    page = await office.sit(browser)
    await page.goto(f"{office.url}/desk/tours/rt_{office.tour.route_id}?lang=en")
    await page.get_by_role("link", name="The day again").click()
    await page.wait_for_selector("#map canvas")
    log = await page.inner_text("#log")
    for said in ("Came to 4711 · Ana Restrepo (by GPS)", "failed: 4711", "Told 4711 · Ana Restrepo: Booked, e-mail"):
        assert said in log
    assert log.index("Off the route") < log.index("Back on the route")
    moments = page.locator("#log [data-at]")
    await moments.get_by_text("Off the route").click()
    assert "Off the route" in await page.inner_text("#ping")
    await page.locator("#at").press("ArrowRight")
    while "does not count" not in await page.inner_text("#ping"):
        await page.locator("#at").press("ArrowRight")
    assert "cannot have come here" in await page.inner_text("#ping")
    assert "#20" in page.url  # a link to this moment
    there = await page.inner_text("#clock")
    await page.reload()
    await until(page, "document.getElementById('clock').textContent.length > 0")
    assert await page.inner_text("#clock") == there
    await page.wait_for_selector("#map canvas")
    await page.uncheck("[data-show=snapped]")
    await picture(page, "replay")
    assert await shut_out_here(page) == {}
    assert page.wrong == []


async def test_nobody_is_shut_out_of_a_day_of_which_nothing_is_known(browser: Any, office: Office) -> None:
    page = await office.sit(browser, "viewer", lang="es", color_scheme="dark", **PHONE)
    url = f"{office.url}/desk/tours/rt_{office.tour.route_id}/replay"
    assert await shut_out(page, url) == {}
    await until(page, "document.getElementById('state').textContent.startsWith('Todavía')")
    assert page.wrong == []  # viewers read no messages, so none are asked for


@pytest.mark.parametrize("locale", ["es-MX", "es-CO", "pt-BR", "en-US", "en-GB"])
async def test_scripts_write_times_as_the_page_does(browser: Any, office: Office, locale: str) -> None:
    at = office.now - timedelta(minutes=29)
    await office.tour.keep_pings([at + timedelta(minutes=n) for n in range(3)])
    page = await office.sit(browser, locale=locale)
    await page.goto(f"{office.url}/desk/tours/rt_{office.tour.route_id}/replay?lang={locale[:2]}")
    await until(page, "document.getElementById('clock').textContent.length > 0")
    by_script = (await page.inner_text("#clock")).lower()
    await page.goto(f"{office.url}/desk/tours/rt_{office.tour.route_id}?lang={locale[:2]}")
    by_page = (await page.inner_text("main")).lower()
    halves = re.compile(r"\d{1,2}:\d\d(:\d\d)?\s*[ap]\.?\s?m\.?")
    assert bool(halves.search(by_script)) == bool(halves.search(by_page)), (by_script, by_page)
