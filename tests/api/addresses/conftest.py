"""A depot in Medellín, and a geocoder on this machine that answers what the test says."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from api.addresses import book, geocoder
from api.history import events
from api.http.app_keys import GUARD, SEALER
from api.planning import orders, resources
from api.portal import by_link
from api.recipient import stream as tracking
from sql.pool import Pool
from tests.api.planning.conftest import DEPOT, call
from work.addresses.find import place_orders
from work.addresses.geocode import Geocoding
from work.outgoing.guard import Guard, networks_of
from work.outgoing.sealed import Sealer

__all__ = ["call"]

LOCAL = Guard(networks_of("127.0.0.0/8"))


@dataclass(slots=True)
class Answering:
    """A geocoder. `say`: by address, what it answers: JSON to send, a status, `hangs`, or bytes that are none."""

    say: Callable[[str], Any] = lambda address: []
    asked: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        address = request.query.get("q", "")
        self.asked.append(address)
        self.agents.append(request.headers["User-Agent"])
        said = self.say(address)
        if said == "hangs":
            await asyncio.Event().wait()
        if isinstance(said, int):
            return web.Response(status=said, headers={"Location": "http://169.254.169.254/"})
        if isinstance(said, bytes):
            return web.Response(body=said)
        return web.Response(text=json.dumps(said), content_type="application/json")


def house(lat: float = 6.2500, lon: float = -75.5700, rank: int = 30) -> list[dict[str, Any]]:
    """What Nominatim says of a house."""
    address = {"house_number": "12", "road": "Calle 10"}
    return [{"lat": str(lat), "lon": str(lon), "place_rank": rank, "address": address}]


@pytest.fixture
async def nominatim() -> AsyncIterator[Answering]:
    made = Answering()
    app = web.Application()
    app.router.add_get("/search", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
def sealer() -> Sealer:
    return Sealer([bytes(32)])


@pytest.fixture
def app_parts(app_parts: list[Any], sealer: Sealer) -> list[Any]:
    def keys(app: web.Application) -> None:
        app[SEALER], app[GUARD] = sealer, LOCAL

    modules = (orders, tracking, by_link, book, geocoder, events, resources)
    return [*app_parts, keys, *(module.operations.add_to for module in modules)]


@pytest.fixture
async def depot(call: Any) -> None:
    await call("PUT", "/v1/depots/centro", DEPOT)


@pytest.fixture
def look(pool: Pool, sealer: Sealer) -> Callable[[], Any]:
    """`await look()`: as the role `work` looks where orders are."""
    asking = Geocoding(sealer, LOCAL, "https://reparto.example")

    async def once() -> bool:
        return await place_orders(pool, asking)

    return once
