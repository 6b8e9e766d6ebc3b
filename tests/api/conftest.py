"""A real application over a real pool, two accounts in it, and a small tour through the centre of Medellín."""

import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from api.account import endpoints as account_api
from api.account import keys
from api.driver.events import endpoints as driver_events
from api.fleet import devices, drivers, shifts
from api.http import assets
from api.http.app_keys import CONFIG, GUARD, POOL, ROADS, SEALER
from api.http.auth import KEY_PREFIX, hash_of, new_secret
from api.http.config import ApiConfig
from api.http.itself import openapi
from api.http.known.devices import DEVICES, DeviceCache
from api.http.known.keys import KEYS, KeyCache
from api.http.problem import problems
from api.http.shares.bodies import BODIES, Bodies
from api.http.shares.rates import ACCOUNT_WRITES, QUARANTINE_RATE, Rates
from api.places import geofences
from api.routes import ending, links, pins, reopening
from api.routes import endpoints as routes
from sql.account.accounts import ensure_account
from sql.account.keys import create_key
from sql.config import DatabaseConfig
from sql.pool import Pool
from tests.api.driver.driver_day import Phone, hours
from tests.api.stream.streams import hub_part, look_first
from tests.providers import watched
from tests.providers.watched import LOCAL
from work.outgoing.sealed import Sealer
from work.roads.choose import STRAIGHT
from work.roads.protocol import Roads

Part = Callable[[web.Application], None]

# Carrera 46, Calle 52, Carrera 43, Calle 57: lon, lat of the corners that the van turns at.
STREETS = [
    [-75.5690, 6.2442],
    [-75.5684, 6.2461],
    [-75.5678, 6.2480],
    [-75.5655, 6.2487],
    [-75.5632, 6.2494],
    [-75.5638, 6.2513],
    [-75.5644, 6.2532],
    [-75.5667, 6.2525],
    [-75.5690, 6.2518],
]

TOUR: dict[str, Any] = {
    "driver": None,
    "date": "2026-03-02",
    "timezone": "America/Bogota",
    "start_at": "2026-03-02T08:00:00-05:00",
    "end_at": "2026-03-02T14:00:00-05:00",
    "depot": {"name": "Bodega Centro", "lat": 6.2442, "lon": -75.5690},
    "path": {"type": "LineString", "coordinates": STREETS},
    "stops": [
        {
            "external_id": "ped-1",
            "kind": "delivery",
            "name": "Ana Restrepo",
            "address": "Cra. 46 # 52-10, apto 301",
            "lat": 6.24805,
            "lon": -75.56785,
            "phone": "+573001112233",
            "locale": "es",
            "window": {"start": "2026-03-02T08:00:00-05:00", "end": "2026-03-02T10:00:00-05:00"},
            "planned_arrival": "2026-03-02T08:20:00-05:00",
            "parcels": [{"barcode": "MDE0001", "description": "Caja pequeña", "quantity": 1}],
            "proof": ["photo"],
        },
        {
            "external_id": "ped-2",
            "kind": "delivery",
            "name": "Ferretería El Tornillo",
            "address": "Cl. 52 # 43-80",
            "lat": 6.24875,
            "lon": -75.56545,
            "planned_arrival": "2026-03-02T08:40:00-05:00",
            "service_s": 300,
            "cash_on_delivery": {"amount": 85000, "currency": "COP"},
        },
        {
            "external_id": "rec-3",
            "kind": "pickup",
            "name": "Taller Laureles",
            "address": "Cra. 43 # 55-21",
            "lat": 6.25135,
            "lon": -75.56375,
            "planned_arrival": "2026-03-02T09:00:00-05:00",
        },
        {
            "external_id": "ped-4",
            "kind": "delivery",
            "name": "Lucía Gómez",
            "address": "Cl. 57 # 45-02",
            "lat": 6.25245,
            "lon": -75.56685,
            "planned_arrival": "2026-03-02T09:20:00-05:00",
        },
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TestAccount:
    """An account and a key of each role."""

    __test__ = False

    id: int
    key: str  # of an admin
    dispatcher_key: str
    viewer_key: str

    @property
    def headers(self) -> dict[str, str]:
        """What an admin of this account sends with every request."""
        return bearer_headers(self.key)


def bearer_headers(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def bearer() -> Callable[[str], dict[str, str]]:
    """`headers=bearer(secret)`."""
    return bearer_headers


async def _make_account(pool: Pool, name: str) -> TestAccount:
    account_id = await ensure_account(pool, name)
    secrets = {}
    for role in ("admin", "dispatcher", "viewer"):
        secrets[role] = new_secret(KEY_PREFIX)
        await create_key(pool, account_id=account_id, role=role, label="test", secret_hash=hash_of(secrets[role]))
    return TestAccount(
        id=account_id, key=secrets["admin"], dispatcher_key=secrets["dispatcher"], viewer_key=secrets["viewer"]
    )


@pytest.fixture
async def account(pool: Pool) -> TestAccount:
    """The account that asks."""
    return await _make_account(pool, "mensajeria")


@pytest.fixture
async def other_account(pool: Pool) -> TestAccount:
    """An account that must never see the first one's things."""
    return await _make_account(pool, "competencia")


@pytest.fixture
def api_config() -> ApiConfig:
    """Settings of the application under test; a test module may override this fixture."""
    return ApiConfig(public_url="https://reparto.example", max_stops=20, max_path_vertices=200)


@pytest.fixture
def stream_clients() -> int:
    """How many streams may be open; a test module may override this fixture."""
    return 100


@pytest.fixture
def remembers() -> bool:
    """Whether answers may come from memory without a look; else what a test writes by itself is seen at once."""
    return False


@pytest.fixture
def app_parts(database: DatabaseConfig, stream_clients: int) -> list[Part]:
    """What is put into the application, in order. A test module adds its own by overriding this fixture:

    @pytest.fixture
    def app_parts(app_parts):
        return [*app_parts, track.operations.add_to]
    """
    modules = (keys, account_api, drivers, devices, routes, links, geofences)
    hub = hub_part(database, stream_clients=stream_clients)
    return [hub, *(module.operations.add_to for module in modules), assets.add_to, openapi.operations.add_to]


@pytest.fixture
def roads() -> Roads:
    """What makes a path for a route that brings none; a test module may override this fixture."""
    return STRAIGHT


@pytest.fixture
async def client(
    pool: Pool, api_config: ApiConfig, app_parts: list[Part], roads: Roads, remembers: bool
) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """A client of the application; every request needs its own `headers=account.headers`."""
    middlewares = [problems] if remembers else [look_first, problems]
    app = web.Application(middlewares=middlewares, client_max_size=api_config.max_body_bytes)
    app[POOL] = pool
    app[CONFIG] = api_config
    app[BODIES] = Bodies(api_config.body_bytes_at_once, wait_s=api_config.body_wait_s)
    app[QUARANTINE_RATE] = Rates(api_config.quarantine_bytes_per_minute, of="bytes that nobody can use")
    app[ACCOUNT_WRITES] = Rates(api_config.account_writes_per_minute, of="changes", whose="account")
    app[DEVICES] = DeviceCache(pool)
    app[KEYS] = KeyCache(pool)
    app[ROADS] = roads
    for add in app_parts:
        add(app)
    async with TestClient(TestServer(app)) as made:
        yield made


@pytest.fixture(autouse=True)
def watched_connections() -> Iterator[None]:
    """Nothing in these tests reaches beyond the machine."""
    watched.watch()
    watched.beyond.clear()
    yield
    assert watched.beyond == []


def send_out(sealer: Sealer) -> Part:
    """Give what an application needs that knows providers and endpoints of others."""

    def add(app: web.Application) -> None:
        app[SEALER], app[GUARD] = sealer, LOCAL

    return add


def say_events(app: web.Application) -> None:
    """What is there to say of stops: by their drivers, by dispatchers."""
    app[driver_events.OLDEST], app[shifts.LONGEST_SHIFT] = timedelta(days=30), timedelta(hours=16)
    for module in (driver_events, shifts, pins, reopening, ending):
        module.operations.add_to(app)


Call = Callable[..., Awaitable[Any]]


async def _ok(response: Any, *statuses: int) -> Any:
    assert response.status in statuses, (response.status, await response.text())
    return await response.json()


@pytest.fixture
def tour() -> dict[str, Any]:
    """The body that `put_route` sends, to be changed at will."""
    return copy.deepcopy(TOUR)


@pytest.fixture
def put_route(tour: dict[str, Any]) -> Call:
    """`await put_route(client, key, route="tour-1", **changes)`: put the tour, give the answer."""

    async def put(client: Any, key: str, route: str = "tour-1", **changes: Any) -> Any:
        body = {**tour, **changes}
        return await _ok(await client.put(f"/v1/routes/{route}", json=body, headers=bearer_headers(key)), 200, 201)

    return put


@pytest.fixture
def make_driver() -> Call:
    """`await make_driver(client, key, "ana")`: make a driver, give the answer."""

    async def make(client: Any, key: str, external_id: str = "ana", **more: Any) -> Any:
        body = {"external_id": external_id, "name": external_id.title(), **more}
        return await _ok(await client.post("/v1/drivers", json=body, headers=bearer_headers(key)), 201)

    return make


@pytest.fixture
def make_device() -> Call:
    """`await make_device(client, key, driver["id"], app="native")`: make a device, give the answer with its secrets."""

    async def make(client: Any, key: str, driver_id: str, **more: Any) -> Any:
        response = await client.post(f"/v1/drivers/{driver_id}/devices", json=more, headers=bearer_headers(key))
        return await _ok(response, 201)

    return make


@pytest.fixture
async def phone(
    client: TestClient[web.Request, web.Application],
    account: TestAccount,
    make_driver: Call,
    make_device: Call,
    put_route: Call,
    tour: dict[str, Any],
) -> Phone:
    """Ana's phone, with the tour of today; only where the application has `say_events`."""
    driver = await make_driver(client, account.key, "ana")
    device = await make_device(client, account.key, driver["id"])
    tour |= hours() | {"driver": "ana"}
    put = await put_route(client, account.key)
    stops = [stop["id"] for stop in put["stops"]]
    return Phone(client=client, account=account, token=device["token"], driver=driver["id"], stops=stops)


@pytest.fixture
def refused() -> Call:
    """`await refused(response, 422, "/stops/0/lat")`: it is a problem of this status that names these fields."""

    async def check(response: Any, status: int, *at: str) -> Any:
        assert response.status == status, (response.status, await response.text())
        assert response.content_type == "application/problem+json"
        problem = await response.json(content_type=None)
        assert problem["status"] == status
        assert problem["title"]
        assert problem["detail"]
        assert {error["at"] for error in problem.get("errors", [])} >= set(at)
        assert all(error["why"] for error in problem.get("errors", []))
        return problem

    return check
