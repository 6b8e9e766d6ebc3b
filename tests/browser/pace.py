"""`make page-pace`: how soon the page is read and used on a cheap phone far away; a measurement, it asserts nothing.

Chromium slows its processor down four times and its line to 150 ms there and back and 1.6 Mbit/s. Text is there at the
first contentful paint, the page is usable when its modules have run and the map has its van.
"""

from statistics import median
from typing import Any

from tests.browser.conftest import Site

PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
TIMES = 5
LINE = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 94_000}
SLOWER = 4


async def test_how_soon_the_page_is_there(browser: Any, site: Site, capsys: Any) -> None:
    taken = [await one_visit(browser, site) for _ in range(TIMES)]
    with capsys.disabled():
        for name in taken[0]:
            said = sorted(round(one[name]) for one in taken)
            print(f"\n{name}: {median(said)} ms ({said[0]} to {said[-1]})", end="")


async def one_visit(browser: Any, site: Site) -> dict[str, float]:
    context = await browser.new_context(**PHONE, locale="es-CO", service_workers="block")
    page = await context.new_page()
    line = await context.new_cdp_session(page)
    await line.send("Network.enable")
    await line.send("Network.emulateNetworkConditions", LINE)
    await line.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    await page.goto(site.page_of(0))
    await page.wait_for_selector("#map .van")
    taken: dict[str, float] = await page.evaluate(
        """() => {
            const [visit] = performance.getEntriesByType("navigation");
            const [paint] = performance.getEntriesByName("first-contentful-paint");
            const usable = visit.domContentLoadedEventEnd;
            return {answer: visit.responseEnd, text: paint.startTime, usable, map: performance.now()};
        }"""
    )
    await context.close()
    return taken
