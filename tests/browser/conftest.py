"""The recipient's page in a real browser: Debian's chromium, driven by playwright's Python package."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from api.find import endpoints as find
from api.http import assets
from api.http.app_keys import CONFIG, GUARD, POOL, PROOFS, SEALER
from api.http.config import ApiConfig
from api.http.known.devices import DEVICES, DeviceCache
from api.http.known.keys import KEYS, KeyCache
from api.http.problem import problems
from api.http.shares.bodies import BODIES, Bodies
from api.portal import by_link, push
from api.proofs.uploads import form as proofs_post
from api.recipient import stream as tracking
from api.returns import by_link as returns
from api.tickets import by_link as tickets
from api.tracking_page import asides
from api.tracking_page import changing as tracking_forms
from api.tracking_page import endpoints as tracking_page
from api.tracking_page import photos as tracking_photos
from api.tracking_page.elsewhere import widget
from sql.account.accounts import ensure_account
from sql.config import DatabaseConfig
from sql.pool import Pool
from tests.api.stream.streams import hub_part
from tests.api.tour_rows import Tour
from tests.providers.watched import LOCAL
from work.outgoing.sealed import Sealer
from work.proofs.config import ProofConfig
from work.proofs.store import open_proof_store

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

ARGUMENTS = (
    *("--no-sandbox", "--disable-dev-shm-usage"),
    *("--use-angle=swiftshader", "--enable-unsafe-swiftshader"),  # maps are drawn with WebGL, here without a card
    *("--disable-background-networking", "--disable-component-update", "--no-first-run"),
    "--no-startup-window",
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",  # pages of its own, behind the address of each window
)


@pytest.fixture(scope="session")
def composed() -> Sequence[str]:
    """How pages are put together: by the processor, since all of them would go through what stands in for the card."""
    return ("--disable-gpu-compositing",)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory, composed: Sequence[str]) -> Iterator[str]:
    """The address of a browser without a window, the same for all tests: each has a profile of its own in it."""
    pytest.importorskip("playwright.async_api", reason="playwright's Python package is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine (apt-get install chromium)")
    home = tmp_path_factory.mktemp("chromium")
    where = (f"--user-data-dir={home}", "--remote-debugging-port=0", "--headless=new")
    with subprocess.Popen(
        [CHROMIUM, *ARGUMENTS, *composed, *where], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        told = home / "DevToolsActivePort"
        until_s = time.monotonic() + LAUNCHED_IN_S
        while not (told.exists() and "\n" in told.read_text()):
            assert running.poll() is None, "chromium ended"
            assert time.monotonic() < until_s, "chromium does not begin"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{told.read_text().splitlines()[0]}"
        running.terminate()


@pytest.fixture
def _function_scoped_runner(_session_scoped_runner: asyncio.Runner) -> asyncio.Runner:
    """Run all tests with a browser in one event loop: what drives it lives in a loop, and takes long to begin."""
    return _session_scoped_runner


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def driven(chromium: str) -> AsyncIterator[Any]:
    """The browser, by the one process that drives it for all tests."""
    from playwright.async_api import async_playwright

    async with async_playwright() as driver:
        connected = await driver.chromium.connect_over_cdp(chromium)
        yield connected
        await connected.close()


@pytest.fixture
async def browser(driven: Any) -> AsyncIterator[Any]:
    """The browser, without anything of the tests before."""
    yield driven
    for context in driven.contexts[1:]:  # the first is the browser's own
        await context.close()


LAUNCHED_IN_S = 60.0

CASES = (tickets, returns, asides, find, proofs_post)


@dataclass(kw_only=True)
class Site:
    """The page's server, and a tour to track; `stop` takes the server away."""

    url: str
    tour: Tour
    stop: Callable[[], Awaitable[None]]

    def page_of(self, place: int, query: str = "") -> str:
        """Give the address of the tracking page of a stop, by its place in the tour."""
        return f"{self.url}/t/{self.tour.tokens[place]}{query}"


@pytest.fixture
def api_config() -> ApiConfig:
    return ApiConfig()


@pytest.fixture
async def site(
    database: DatabaseConfig, pool: Pool, api_config: ApiConfig, sealer: Sealer, tmp_path: Path
) -> AsyncIterator[Site]:
    """Four stops; the van is 150 m on its way to the first, twelve minutes from it and from each to the next."""
    app = web.Application(middlewares=[problems])
    app[POOL] = pool
    app[CONFIG] = api_config
    app[DEVICES] = DeviceCache(pool)
    app[KEYS] = KeyCache(pool)
    app[SEALER], app[GUARD] = sealer, LOCAL
    app[BODIES] = Bodies(api_config.body_bytes_at_once, wait_s=api_config.body_wait_s)
    for module in (tracking, by_link, push, tracking_page, widget, tracking_forms, tracking_photos, *CASES):
        module.operations.add_to(app)
    for add in (assets.add_to, hub_part(database)):
        add(app)
    now = datetime.now(UTC)
    tour = await Tour.put(pool, await ensure_account(pool, "Mensajería Aburrá"), start_at=now - timedelta(minutes=30))
    await tour.see_van(150, at=now, heading_deg=17.0)
    await tour.expect({n: now + timedelta(minutes=12 * (n + 1)) for n in range(4)}, as_of=now)
    async with open_proof_store(ProofConfig(), folder=tmp_path) as app[PROOFS]:
        server = TestServer(app)
        await server.start_server()
        yield Site(url=str(server.make_url("/")).rstrip("/"), tour=tour, stop=server.close)
        await server.close()
