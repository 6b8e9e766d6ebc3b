"""The dispatcher's map and list: every van, live, and what is selected stays."""

import asyncio
from datetime import timedelta
from typing import Any

from yarl import URL

from tests.api.tour_rows import Tour, e6
from tests.browser.desk.conftest import PHONE, Office
from tests.browser.desk.looks import picture, shut_out
from tests.browser.waiting import until


async def test_vans_are_on_the_map_and_in_the_list_and_move_by_themselves(browser: Any, office: Office) -> None:
    other = await Tour.put(
        office.pool, office.account_id, start_at=office.now - timedelta(minutes=30), external_id="sur-2",
        driver="Beto Ruiz",
    )  # fmt: skip
    await other.see_van(700, at=office.now - timedelta(minutes=9), on_route=False, speed_mps=None, heading_deg=None)
    page = await office.sit(browser)
    await page.goto(f"{office.url}/desk")
    await until(page, "document.querySelectorAll('#vans button').length === 2")
    await _listed(page, "Beto Ruiz", "Marta Quintero")  # what needs attention is first
    await page.wait_for_selector("#map canvas")
    await page.click("#vans button >> nth=1")
    assert "/desk/tours/rt_" in str(await page.get_attribute("#to-tour", "href"))
    await page.click("#follow")
    await office.tour.see_van(420, at=office.now, delay_s=1500.0, heading_deg=90.0)
    await office.tour.tell()
    await page.mouse.move(900, 40)
    await until(page, "document.querySelector('#vans [aria-pressed=true] small').textContent.includes('Late')")
    await picture(page, "map")
    await page.fill("#filter", "sur-2")
    await _listed(page, "Beto Ruiz")
    await page.fill("#filter", "")
    await office.tour.see_van(420, at=office.now, delay_s=60.0)
    await office.tour.say("break_started", at=office.now)
    await office.tour.tell()
    await until(page, "document.querySelector('.chip[data-state=on_break] b').textContent === '1'")
    await page.click(".chip[data-state=on_break]")
    await _listed(page, "Marta Quintero")
    assert page.wrong == []


async def test_nobody_is_shut_out_of_the_map(browser: Any, office: Office) -> None:
    page = await office.sit(browser, "viewer", lang="es", color_scheme="dark", **PHONE)
    assert await shut_out(page, f"{office.url}/desk") == {}
    plain = await office.sit(browser, "viewer", java_script_enabled=False)
    await plain.goto(f"{office.url}/desk")
    assert "norte-1" in await plain.inner_text("table")
    assert page.wrong == []


async def test_a_server_without_a_seat_is_asked_again(browser: Any, office: Office) -> None:
    page = await office.sit(browser)
    await page.clock.install()
    stream = "**/v1/positions/stream?*"
    await page.route(stream, lambda route: route.fulfill(status=503))
    await page.goto(f"{office.url}/desk")
    await page.wait_for_selector("#cut:not([hidden])")
    await page.unroute(stream)
    await page.clock.fast_forward(6_000)
    await until(page, "document.querySelectorAll('#vans button').length === 1 && document.getElementById('cut').hidden")


async def test_what_the_map_shows_is_asked_for_before_the_rest(browser: Any, office: Office) -> None:
    """The map goes near a van and away from it; the stream goes on each time, and the list stays true."""
    far = await Tour.put(
        office.pool, office.account_id, start_at=office.now - timedelta(minutes=30), external_id="sur-2",
        driver="Beto Ruiz",
    )  # fmt: skip
    await far.see_van(200, at=office.now, lat_e6=e6(4.6), lon_e6=e6(-74.08))
    page = await office.sit(browser)
    asked: list[URL] = []
    page.on(
        "request", lambda one: asked.append(URL(one.url)) if one.url.partition("?")[0].endswith("/stream") else None
    )
    await page.goto(f"{office.url}/desk")
    await until(page, "document.querySelectorAll('#vans button').length === 2")
    await page.wait_for_selector("#map canvas")
    for n, tour in enumerate((office.tour, far)):
        await page.click(f"#vans button:has-text('{('Marta', 'Beto')[n]}')")
        async with asyncio.timeout(60):
            while asked[-1].query.get("drivers") != f"dr_{tour.driver_id}" or not holds(asked[-1], n):
                await asyncio.sleep(0.05)
        assert asked[-1].query["last_event_id"].count(".") == 1
    await office.tour.see_van(300, at=office.now, on_route=False)
    await office.tour.tell()
    await until(page, "document.querySelector('.chip[data-state=off_route] b').textContent === '1'")
    assert page.wrong == []


def holds(url: URL, place: int) -> bool:
    """Tell whether a view holds one van's place, and not the other's."""
    west, south, east, north = map(float, url.query["view"].split(","))
    inside = [west < lon < east and south < lat < north for lon, lat in ((-75.5686, 6.2452), (-74.08, 4.6))]
    return inside == [place == 0, place == 1]


async def _listed(page: Any, *drivers: str) -> None:
    """Wait until the list holds these drivers in this order; rows outside its window are not drawn, and count."""
    await until(
        page,
        "wanted => [...document.querySelectorAll('#vans strong')].map(row => row.textContent).join() === wanted",
        ",".join(drivers),
    )
