"""The API as Traccar's clients see it, with the client that Home Assistant uses."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any, TypeAlias

import aiohttp
import pytest
from pytraccar import ApiClient

from api.desk.passwords import PASSWORDS, Passwords
from api.fleet import positions
from api.http.config import ApiConfig
from api.traccar import events, fences, fleet, session, socket
from tests.api.conftest import send_out
from tests.api.desk.desk import CHEAP

Traccar: TypeAlias = Callable[..., AbstractAsyncContextManager[ApiClient]]


OF_PYTRACCAR = [
    pytest.mark.filterwarnings(f"ignore:{what}:DeprecationWarning")
    for what in ("BasicAuth is deprecated", "verify_ssl is deprecated", "The 'auth' parameter", "verify_ssl")
]
"""What it still asks aiohttp for in old words."""


@pytest.fixture
def public_url() -> str:
    """By http: else its client keeps the cookie to itself; a test may override this fixture."""
    return ""


@pytest.fixture
def api_config(api_config: ApiConfig, public_url: str) -> ApiConfig:
    return replace(api_config, public_url=public_url, max_page=2)


@pytest.fixture
def app_parts(app_parts: list[Any], sealer: Any) -> list[Any]:
    def cheaply(app: Any) -> None:
        app[PASSWORDS] = Passwords(CHEAP)

    modules = (session, fleet, fences, events, socket, positions)
    return [*app_parts, cheaply, send_out(sealer), *(module.operations.add_to for module in modules)]


@pytest.fixture
def traccar(client: Any) -> Traccar:
    """`async with traccar(key) as api`: pytraccar, set up as Home Assistant does."""

    @asynccontextmanager
    async def opened(key: str, email: str = "api@tienda.example") -> AsyncIterator[ApiClient]:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            yield ApiClient(client.host, email, key, browser, port=client.port)

    return opened
