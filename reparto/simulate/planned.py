"""The demo's orders, planned like anybody's: depot, vehicles, shifts, orders, a plan, published routes to drive."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from reparto.client.client import Client, route_path
from reparto.command import CannotRun
from reparto.simulate.fleet import City, made_up_stop

DEPOT = "demo"
CAPACITY, WAITING = 60, 52
"""Parcels that a van can carry, and how many wait for each: not one of six can stay at home."""

_SPREAD_DEG = 0.011
_SERVICE_S = (25, 95)
_EARLY = 0.25  # of the orders are promised for the first hour
_SHIFT = timedelta(hours=6)
_PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDay:
    """What a plan became.

    Attributes:
        orders: on its tours.
        km: of all tours.
        routes: by driver, as `GET /v1/routes/{route}` shows them.
    """

    orders: int
    km: float
    routes: Mapping[str, Mapping[str, Any]]


async def plan_day(
    client: Client, crews: Mapping[str, str], *, name: str, city: City, leaves: datetime, limit_s: float
) -> PlannedDay:
    """Make up orders, have them planned, and publish the plan.

    Args:
        crews: by driver the vehicle, external ids.
        name: orders begin with it; nobody else's may. The same name makes the same orders.
        leaves: when vans may leave.
        limit_s: of the planner.

    Raises:
        CannotRun: there is no plan, or it cannot be published.
    """
    local = leaves.astimezone(ZoneInfo(city.timezone))
    day = local.date().isoformat()
    depot = {"name": "Bodega", "lat": city.lat, "lon": city.lon, "timezone": city.timezone}
    await client.ask("PUT", f"/v1/depots/{DEPOT}", body=depot)
    hours = {"start_at": leaves.isoformat(), "end_at": (leaves + _SHIFT).isoformat()}
    shifts = []
    for driver, vehicle in crews.items():
        await client.ask("PUT", f"/v1/vehicles/{vehicle}", body={"capacity": {"parcels": CAPACITY}})
        shift = {"date": day, "vehicle": vehicle, "depot": DEPOT, "driver": driver}
        shifts.append(f"{vehicle}-{local:%H%M}")
        await client.ask("PUT", f"/v1/shifts/{shifts[-1]}", body=shift | hours)
    orders = made_up_orders(name, WAITING * len(crews), city=city, leaves=leaves)
    days = {"depot": DEPOT, "earliest": day, "latest": day}
    await client.ask("POST", "/v1/orders", body={"orders": [order | days for order in orders]})
    asked = {"date": day, "depot": DEPOT, "objective": "balanced", "limit_s": limit_s, "shifts": shifts}
    plan = await _planned(client, asked | {"orders": [order["external_id"] for order in orders]})
    published = await client.ask("POST", f"/v1/plans/{plan['id']}/publish")
    routes = [await client.ask("GET", route_path(tour["route"])) for tour in published["tours"]]
    return PlannedDay(
        orders=sum(len(route["stops"]) for route in routes),
        km=published["cost"]["km"],
        routes={route["driver"]: route for route in routes},
    )


def made_up_orders(name: str, parcels: int, *, city: City, leaves: datetime) -> Sequence[dict[str, Any]]:
    """Make up orders around the middle of a city, of as many parcels or a few less; as `POST /v1/orders` takes them."""
    chance = random.Random(name)
    orders: list[dict[str, Any]] = []
    early = {"start": leaves.isoformat(), "end": (leaves + timedelta(hours=1)).isoformat()}
    while True:
        place = chance.gauss(city.lon, _SPREAD_DEG), chance.gauss(city.lat, _SPREAD_DEG)
        order = made_up_stop(f"{name}-{len(orders):03}", place, chance.randint(*_SERVICE_S), chance, city)
        parcels -= len(order["parcels"])
        if parcels < 0:
            return orders
        windows = [early] if chance.random() < _EARLY else []
        orders.append(order | {"load": {"parcels": len(order["parcels"])}, "windows": windows})


async def _planned(client: Client, asked: Mapping[str, Any]) -> dict[str, Any]:
    made = await client.ask("POST", "/v1/plans", body=asked)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                plan: dict[str, Any] = await client.ask("GET", f"/v1/plans/{made['id']}")
                if plan["state"] == "done":
                    return plan
                if plan["state"] not in ("queued", "running"):
                    raise CannotRun(plan["why"] or f"The plan is {plan['state']}.")
                await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError:
        raise CannotRun(f"There was no plan within {_PATIENCE_S:.0f} s.") from None
