"""The page in small on a shop's own page: a frame and the web component, on sites that the account names only."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.browser.conftest import Site
from tests.browser.waiting import SOON_MS, until

SHOP = """<!doctype html><title>Pedido 7</title><script type="module" src="{site}/widget.js"></script>
<iframe src="{site}/t/{token}/widget?lang=en" title="Delivery"></iframe>
<reparto-delivery link="{site}/t/{token}?lang=pt" lang="es" title="Tu entrega"></reparto-delivery>"""


@pytest.fixture
async def shop(site: Site) -> AsyncIterator[TestServer]:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text=SHOP.format(site=site.url, token=site.tour.tokens[0]), content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    server = TestServer(app)
    await server.start_server()
    yield server
    await server.close()


async def test_a_shop_that_is_named_shows_it_and_others_see_nothing(browser: Any, site: Site, shop: TestServer) -> None:
    origin = str(shop.make_url("/")).rstrip("/")
    await site.tour.pool.execute(
        "UPDATE account SET settings = settings || $1", {"widget_sites": [origin], "languages": ["es", "en"]}
    )
    context = await browser.new_context(viewport={"width": 360, "height": 780}, locale="es-CO")
    page = await context.new_page()
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    await page.goto(origin)
    framed, component = page.frame_locator("body > iframe"), page.frame_locator("reparto-delivery iframe")
    await framed.locator("h1:text-is('You are the next stop')").wait_for(timeout=SOON_MS)
    await component.locator("h1:text-is('Eres la próxima parada')").wait_for(timeout=SOON_MS)
    assert await component.locator("script").count() == 0
    assert await component.locator(".window").is_visible()
    await site.tour.visit(0, site.tour.start_at)
    await site.tour.tell()
    await component.locator("h1:text-is('Ya está aquí')").wait_for(timeout=SOON_MS)
    assert await component.locator("a").get_attribute("target") == "_top"
    assert mistakes == []

    stranger = await context.new_page()
    await stranger.goto(origin.replace("127.0.0.1", "localhost"))
    await until(stranger, "document.querySelector('reparto-delivery iframe') !== null")
    await stranger.wait_for_load_state("networkidle")
    shown = stranger.frame_locator("body > iframe")
    assert await shown.locator(".widget").count() == 0
    await context.close()
