"""A depot in Medellín, two vans, drivers for them, and an application that plans."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from api.http.config import ApiConfig
from api.planning import orders, plans, publish, replan, resources, slots
from sql.pool import Pool
from tests.zones import zone_where_it_is
from work.planning.make import PlanMaker
from work.roads.protocol import Roads

DAY = "2026-03-02"
DEPOT = {"name": "Bodega Centro", "lat": 6.2442, "lon": -75.5690, "timezone": "America/Bogota"}
NOON_ZONE = zone_where_it_is(12, datetime.now(UTC))
"""Where the day began twelve hours ago: there no day that goes on ends while a test runs."""

Call = Callable[..., Awaitable[Any]]


@pytest.fixture
def api_config() -> ApiConfig:
    return ApiConfig(public_url="https://reparto.example", max_stops=200, max_path_vertices=1_000)


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, *(one.operations.add_to for one in (orders, resources, plans, replan, publish, slots))]


@pytest.fixture
def call(client: Any, account: Any) -> Call:
    """`await call("PUT", "/v1/…", body)`: the answer's JSON; `status` says which one is meant."""

    async def ask(method: str, path: str, body: Any = None, *, status: int | None = None) -> Any:
        response = await client.request(method, path, json=body, headers=account.headers)
        text = await response.text()
        assert response.status == status if status else response.status < 300, (response.status, text)
        return await response.json(content_type=None) if text else None

    return ask


@pytest.fixture
async def day(call: Call, client: Any, account: Any, make_driver: Call) -> None:
    """A depot, two vans with a shift each."""
    await call("PUT", "/v1/depots/centro", DEPOT)
    for name, driver in (("van-1", "ana"), ("van-2", "luis")):
        await make_driver(client, account.key, driver)
        await call("PUT", f"/v1/vehicles/{name}", {"capacity": {"kg": 100}})
        shift = {
            "date": DAY,
            "vehicle": name,
            "depot": "centro",
            "driver": driver,
            "start_at": f"{DAY}T08:00:00-05:00",
            "end_at": f"{DAY}T16:00:00-05:00",
        }
        await call("PUT", f"/v1/shifts/turno-{name}", shift)


def some_orders(count: int, *, seed: int = 1, **more: Any) -> list[dict[str, Any]]:
    """Orders around the centre."""
    rng = np.random.default_rng(seed)
    return [
        {
            "external_id": f"ped-{row}",
            "name": f"Cliente {row}",
            "address": f"Calle {row}",
            "lat": round(6.2442 + float(rng.uniform(-0.03, 0.03)), 6),
            "lon": round(-75.5690 + float(rng.uniform(-0.03, 0.03)), 6),
            "earliest": DAY,
            "latest": DAY,
            "load": {"kg": 5},
            "service_s": 180,
            **more,
        }
        for row in range(count)
    ]


@pytest.fixture
async def maker(roads: Roads) -> AsyncIterator[PlanMaker]:
    """What makes plans, as the role `work` does."""
    made = PlanMaker(roads)
    yield made
    await made.drop()


@pytest.fixture
def planned(call: Call, pool: Pool, maker: PlanMaker) -> Call:
    """`await planned(**asked)`: ask for a plan and wait until it is made."""

    async def plan(**asked: Any) -> Any:
        made = await call("POST", "/v1/plans", {"date": DAY, "depot": "centro", "limit_s": 1.5, **asked}, status=202)
        return await settled(call, pool, maker, made["id"])

    return plan


async def settled(call: Call, pool: Pool, maker: PlanMaker, plan_id: str) -> Any:
    """Wait until a plan that was asked for is made, or cannot be; give it."""
    async with asyncio.timeout(60):
        while True:
            await maker.look(pool)
            found = await call("GET", f"/v1/plans/{plan_id}")
            if found["state"] not in ("queued", "running"):
                return found
            await asyncio.sleep(0.05)


async def searching(pool: Pool, maker: PlanMaker) -> int:
    """Wait until the planner's process is at it; give its id."""
    async with asyncio.timeout(30):
        while True:
            await maker.look(pool)
            if maker.planner_pid is not None and await pool.fetchval(
                "SELECT bool_or(progress > 0) FROM plan WHERE state = 'running'"
            ):
                return maker.planner_pid
            await asyncio.sleep(0.1)
