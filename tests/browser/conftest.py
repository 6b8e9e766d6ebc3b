"""The recipient's page in a real browser: Debian's chromium, driven by playwright's Python package."""

import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from api.http import assets
from api.http.app_keys import CONFIG, POOL
from api.http.auth import DEVICES, DeviceCache
from api.http.config import ApiConfig
from api.http.problem import problems
from api.recipient import page as tracking_page
from api.recipient import stream as tracking
from sql.account.accounts import ensure_account
from sql.config import DatabaseConfig
from sql.pool import Pool
from tests.api.stream.streams import hub_part
from tests.api.tour_rows import Tour

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--no-first-run"),
)


@pytest.fixture
async def browser() -> AsyncIterator[Any]:
    """A browser without a window."""
    playwright = pytest.importorskip("playwright.async_api", reason="playwright's Python package is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine (apt-get install chromium)")
    async with playwright.async_playwright() as driver:
        launched = await driver.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield launched
        await launched.close()


@dataclass(kw_only=True)
class Site:
    """The page's server, and a tour to track."""

    url: str
    tour: Tour

    def page_of(self, place: int, query: str = "") -> str:
        """Give the address of the tracking page of a stop, by its place in the tour."""
        return f"{self.url}/t/{self.tour.tokens[place]}{query}"


@pytest.fixture
def api_config() -> ApiConfig:
    return ApiConfig()


@pytest.fixture
async def site(database: DatabaseConfig, pool: Pool, api_config: ApiConfig) -> AsyncIterator[Site]:
    """Four stops; the van is 150 m on its way to the first, twelve minutes from it and from each to the next."""
    app = web.Application(middlewares=[problems])
    app[POOL] = pool
    app[CONFIG] = api_config
    app[DEVICES] = DeviceCache(pool)
    parts: list[Callable[[web.Application], None]] = [
        *(tracking.operations.add_to, tracking_page.operations.add_to, assets.add_to, hub_part(database)),
    ]
    for add in parts:
        add(app)
    now = datetime.now(UTC)
    tour = await Tour.put(pool, await ensure_account(pool, "Mensajería Aburrá"), start_at=now - timedelta(minutes=30))
    await tour.see_van(150, at=now, heading_deg=17.0)
    await tour.expect({n: now + timedelta(minutes=12 * (n + 1)) for n in range(4)}, as_of=now)
    server = TestServer(app)
    await server.start_server()
    yield Site(url=str(server.make_url("/")).rstrip("/"), tour=tour)
    await server.close()
