"""A day from orders to doors: planned, driven, broken into by an express order and a van that stands, planned again.

`make day` makes it 300 orders long, on the real streets of Porto Alegre where their extract and Valhalla are at hand;
the suite has 40 orders and straight lines.
"""

import asyncio
import os
import uuid
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from reparto.client.client import Client
from reparto.operate.road_build import build
from reparto.simulate.fleet import enlist
from sql.pool import Pool
from tests.conftest import SHARED_DATA
from tests.journeys.conftest import no_logo
from tests.settling import settle
from work.job import Job, repeat
from work.messages.sending.service import message_jobs
from work.outgoing.guard import Guard
from work.outgoing.sealed import Sealer, keys_in, new_key
from work.planning.make import plan_job
from work.roads.choose import STRAIGHT, open_roads
from work.roads.config import RoadsConfig
from work.roads.protocol import NoWay, Roads
from work.upkeep.config import RetentionConfig
from work.upkeep.retention import retention_guard

ORDERS = int(os.environ.get("REPARTO_TEST_ORDERS", "40"))
VANS = max(3, ORDERS // 25 + 1)
NOW = datetime.now(UTC).replace(microsecond=0)
LEFT, HOME = NOW - timedelta(minutes=50), NOW + timedelta(hours=8)
TODAY = (NOW - timedelta(hours=3)).date().isoformat()
OLD_NEWS = timedelta(minutes=5)
"""What is older when it becomes known makes no message (docs/reference/messages.md)."""

DEPOT = {"name": "Depósito Centro", "lat": -30.0300, "lon": -51.2200, "timezone": "Etc/GMT+3"}
EXTRACT = SHARED_DATA / "osm-extracts" / "porto-alegre.osm.pbf"


@pytest.fixture(scope="module")
def streets(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """Road data of the town; None: the short day is driven on straight lines."""
    if "REPARTO_TEST_ORDERS" not in os.environ:
        return None
    if not EXTRACT.exists() or find_spec("valhalla") is None:
        pytest.skip(f"a long day needs the town at {EXTRACT}, and pip install 'reparto[valhalla]'")
    folder = tmp_path_factory.mktemp("roads")
    assert build("valhalla", EXTRACT, folder, tell=lambda words, step, steps: None)
    return folder


@pytest.fixture
def roads_config(streets: Path | None) -> RoadsConfig:
    return RoadsConfig() if streets is None else RoadsConfig(roads="valhalla", roads_data=str(streets))


@dataclass(slots=True)
class Day:
    """The account's side of the day, and everybody's phones."""

    client: Client
    pool: Pool
    tokens: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    async def prepare(self) -> None:
        for kind in ("booked", "departed_depot", "approaching", "delivered"):
            body = {"enabled": True, "channels": ["log"], "quiet_hours": None, "after_s": 0, "wait_for_workday": False}
            await self.client.ask("PUT", f"/v1/account/messages/{kind}", body=body)
        await self.client.ask("PUT", "/v1/account/channels/log", body={})
        await self.client.ask("PUT", "/v1/depots/centro", body=DEPOT)
        room = -(-ORDERS // (VANS - 1)) + 2  # all but one must drive
        for number in range(VANS):
            driver, van = f"driver-{number}", f"van-{number}"
            _, _, self.tokens[driver] = await enlist(self.client, driver, f"Ana {number}")
            await self.client.ask("PUT", f"/v1/vehicles/{van}", body={"capacity": {"parcels": room}})
            shift = {"date": TODAY, "vehicle": van, "depot": "centro", "driver": driver}
            hours = {"start_at": LEFT.isoformat(), "end_at": HOME.isoformat()}
            await self.client.ask("PUT", f"/v1/shifts/turno-{number}", body=shift | hours)

    def order(self, name: str, lon: float, lat: float) -> dict[str, Any]:
        person = {"external_id": name, "name": f"Cliente {name}", "phone": f"+55519{crc32(name.encode()) % 10**8:08}"}
        place = {"lat": round(lat, 6), "lon": round(lon, 6), "earliest": TODAY, "latest": TODAY}
        return {**person, **place, "load": {"parcels": 1}, "service_s": 120}

    async def planned(self, path: str, **asked: Any) -> dict[str, Any]:
        made = await self.client.ask("POST", path, body=asked)
        async with asyncio.timeout(300):
            while True:
                plan: dict[str, Any] = await self.client.ask("GET", f"/v1/plans/{made['id']}")
                if plan["state"] not in ("queued", "running"):
                    assert plan["state"] == "done", plan["why"]
                    return plan
                await asyncio.sleep(0.1)

    async def publish(self, plan: dict[str, Any]) -> dict[str, Any]:
        published: dict[str, Any] = await self.client.ask("POST", f"/v1/plans/{plan['id']}/publish")
        return published

    async def route(self, name: str) -> dict[str, Any]:
        shown: dict[str, Any] = await self.client.ask("GET", f"/v1/routes/{name}")
        return shown

    async def page(self, order: str) -> dict[str, Any]:
        """What a recipient sees who opens the link that they were given in the morning."""
        seen: dict[str, Any] = await self.client.ask("GET", f"/v1/track/{self.links[order]}")
        return seen

    async def say(self, driver: str, *events: tuple[str, datetime, str | None]) -> None:
        body = [
            {
                "id": str(uuid.uuid4()),
                "type": kind,
                "occurred_at": at.isoformat(),
                **({"stop_id": stop} if stop else {}),
            }
            for kind, at, stop in events
        ]
        said = await self._phone(driver, "POST", "/v1/driver/events", {"events": body})
        assert {one["result"] for one in said["results"]} == {"applied"}, said

    async def manifest(self, driver: str, since: int | None = None) -> dict[str, Any]:
        query = "" if since is None else f"?since={since}"
        shown: dict[str, Any] = await self._phone(driver, "GET", f"/v1/driver/manifest{query}", None)
        return shown

    async def _phone(self, driver: str, method: str, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.tokens[driver]}"}
        while True:
            async with self.client.session.request(
                method, self.client.url + path, json=body, headers=headers
            ) as answer:
                if answer.status != 503:  # a busy machine: phones send it again
                    assert answer.status == 200, await answer.text()
                    return await answer.json()
            await asyncio.sleep(0.5)

    async def drive(self, tour: dict[str, Any]) -> list[str]:
        """Drive a tour as it is planned until now, with pings and words; give what is still to come."""
        driver = tour["driver"]
        stops = (await self.route(tour["route"]))["stops"]
        row = await self.pool.fetchrow(
            "SELECT path_lon, path_lat, path_along_m, stop_along_m FROM route_version WHERE route_id = $1",
            int(tour["route"][3:]),
        )
        times, along, words = [LEFT], [0.0], [("shift_started", LEFT, None), ("route_started", LEFT, None)]
        for stop, at_m, planned in zip(stops, row["stop_along_m"], tour["stops"], strict=True):
            here = [datetime.fromisoformat(planned[name]) for name in ("arrive_at", "depart_at")]
            times += here
            along += [at_m, at_m]
            if here[1] < NOW:
                words += [("arrived", here[0], stop["id"]), ("completed", here[1], stop["id"])]
        seconds = np.arange(0, (NOW - LEFT).total_seconds(), 15.0)
        at_m = np.interp(seconds, [(at - LEFT).total_seconds() for at in times], along)
        lon, lat = (np.interp(at_m, row["path_along_m"], row[name]) for name in ("path_lon", "path_lat"))
        pings = [
            {"time": (LEFT + timedelta(seconds=s)).isoformat(), "lat": y, "lon": x, "accuracy_m": 8.0}
            for s, x, y in zip(seconds.tolist(), lon.tolist(), lat.tolist(), strict=True)
        ]
        await self._phone(driver, "POST", "/v1/pings", {"pings": pings})
        await self.say(driver, *words)
        return [stop["order"] for stop in tour["stops"] if datetime.fromisoformat(stop["depart_at"]) >= NOW]

    async def heard(self) -> dict[str, Counter[str]]:
        """What each recipient was told, or will be when it is not too soon after another message; by order."""
        rows = await self.pool.fetch(
            "SELECT stop.external_id, message.kind FROM message JOIN stop ON stop.id = message.stop_id"
            " WHERE message.state IN ('sent', 'held')"
        )
        told: dict[str, Counter[str]] = {}
        for row in rows:
            told.setdefault(row["external_id"], Counter())[row["kind"]] += 1
        return told

    async def until(self, count: int, kind: str) -> None:
        async with asyncio.timeout(60):
            while sum(kinds[kind] for kinds in (await self.heard()).values()) < count:
                await asyncio.sleep(0.1)


async def doors(roads: Roads) -> list[tuple[float, float]]:
    """Choose doors: anywhere around the depot, or at streets on the ways from it to such places."""
    rng, here = np.random.default_rng(5), np.array([DEPOT["lon"], DEPOT["lat"]], float)
    some = here + rng.uniform(-0.025, 0.025, (4 * ORDERS, 2))
    if roads is STRAIGHT:
        return [(lon, lat) for lon, lat in some[: ORDERS + 1].tolist()]
    found: list[tuple[float, float]] = []
    for place in some:
        with suppress(NoWay):
            way = await roads.route(np.stack((here, place)))
            rows = rng.integers(len(way.lon) // 3, len(way.lon), 3)
            found += [(float(way.lon[row]), float(way.lat[row])) for row in rows]
        if len(found) > ORDERS:
            break
    return found[: ORDERS + 1]


async def test_a_day_from_orders_to_doors(
    client: Client, pool: Pool, streets: Path | None, roads_config: RoadsConfig
) -> None:
    stop = asyncio.Event()
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        roads = await stack.enter_async_context(open_roads(roads_config.roads, folder=streets or Path(), osrm_url=""))
        retention = retention_guard(RetentionConfig(), proof_retention_days=730)
        sending = message_jobs(
            Sealer(keys_in(new_key())),
            Guard(),
            public_url="https://x.example",
            retention=retention,
            find_logo=no_logo,
        )
        for job in (plan_job(roads), *sending):
            tasks.create_task(repeat(job, pool, stop) if isinstance(job, Job) else job.run(pool, stop))
        try:
            await a_day(Day(client, pool), await doors(roads))
        finally:
            stop.set()


async def a_day(day: Day, places: list[tuple[float, float]]) -> None:
    """Plan, drive, plan again, go on."""
    await day.prepare()
    orders = [day.order(f"ped-{row}", *place) for row, place in enumerate(places[:-1])]
    put = await day.client.ask("POST", "/v1/orders", body={"orders": orders})
    assert put["accepted"] == ORDERS
    asked = {
        "date": TODAY,
        "depot": "centro",
        "limit_s": 1 if ORDERS <= 50 else 15,
        "shifts": [f"turno-{n}" for n in range(VANS - 1)],
    }
    plan = await day.planned("/v1/plans", **asked)
    assert plan["unplanned"] == []
    tours = (await day.publish(plan))["tours"]
    for tour in tours:
        for stop in (await day.route(tour["route"]))["stops"]:
            day.links[stop["external_id"]] = stop["tracking_url"].rpartition("/")[2]
    assert len(day.links) == ORDERS

    await day.until(ORDERS, "booked")
    left = {tour["route"]: await day.drive(tour) for tour in tours}
    await settle(day.pool)
    gone = {stop["order"]: datetime.fromisoformat(stop["depart_at"]) for tour in tours for stop in tour["stops"]}
    done = set(day.links) - {order for orders_left in left.values() for order in orders_left}
    assert {(await day.page(order))["status"] for order in sorted(done)[:5]} == {"completed"}

    broken = max(tours, key=lambda tour: len(left[tour["route"]]))
    begun = {stop["external_id"] for stop in (await day.route(broken["route"]))["stops"] if stop["arrived_at"]}
    left[broken["route"]] = [
        order for order in left[broken["route"]] if order not in begun
    ]  # who is at a door finishes
    assert len(left[broken["route"]]) > 3
    others = {tour["driver"]: (await day.manifest(tour["driver"]))["version"] for tour in tours if tour is not broken}
    pages = {order: await day.page(order) for order in left[broken["route"]][:3]}
    await day.client.ask("POST", "/v1/orders", body={"orders": [day.order("urgente", *places[-1])]})
    proposal = await day.planned(
        "/v1/plans/replan", because="avería y un pedido urgente", out=[{"route": broken["route"]}]
    )
    assert proposal["unplanned"] == []
    what = Counter(one["what"] for one in proposal["proposal"]["recipients"])
    assert (what["moved"], what["added"]) == (len(left[broken["route"]]), 1)
    for order, page in pages.items():  # what is expected moves with the clock, what is known does not
        now = await day.page(order)
        assert (now["status"], now["stop"]) == (page["status"], page["stop"])
    assert "urgente" not in await day.heard()

    accepted = await day.publish(proposal)
    await settle(day.pool)
    await day.until(ORDERS + 1, "booked")
    now_on = {stop["order"]: tour for tour in accepted["tours"] for stop in tour["stops"]}
    for order in left[broken["route"]]:
        assert now_on[order]["driver"] != broken["driver"]
        assert (await day.page(order))["status"] in ("pending", "en_route")  # the link of the morning leads on
    for driver, version in others.items():
        changed = any(tour["driver"] == driver and tour["route"] for tour in accepted["tours"] if _has_new(tour, left))
        assert ((await day.manifest(driver, version))["version"] > version) >= changed
    heard = await day.heard()
    assert max(kinds[kind] for kinds in heard.values() for kind in ("booked", "departed_depot")) == 1
    assert heard["urgente"]["booked"] == 1

    order = left[broken["route"]][-1]
    taker = now_on[order]
    stops = {stop["external_id"]: stop for stop in (await day.route(taker["route"]))["stops"]}
    fetch = next(stop["order"] for stop in taker["stops"] if order in (stop["loads"] or ()))
    words = [("completed", stops[name]["id"]) for name in (fetch, order)]
    if taker["route"] not in left:
        words.insert(0, ("route_started", None))
    moment = datetime.now(UTC)
    await day.say(
        taker["driver"], *((kind, moment + timedelta(milliseconds=n), stop) for n, (kind, stop) in enumerate(words))
    )
    await settle(day.pool)
    assert (await day.page(order))["status"] == "completed"
    async with asyncio.timeout(60):
        while not (heard := await day.heard())[order]["delivered"]:
            await asyncio.sleep(0.1)
    old = {order for order in done if gone[order] < NOW - OLD_NEWS}
    assert {heard[one]["delivered"] for one in old} == {0}, "phones said all of the past hour at once"
    moved = set(left[broken["route"]]) - {order}
    groups = {"delivered long before their van said so": old, "delivered a moment before": done - old}
    groups |= {"moved to another van": moved, "moved and delivered": {order}, "express order": {"urgente"}}
    _tell(heard, groups | {"all others": set(day.links) - done - moved - {order}})


def _tell(heard: dict[str, Counter[str]], groups: dict[str, set[str]]) -> None:
    """Print what recipients heard, for whoever looks (`make day`)."""
    for group, orders in groups.items():
        kinds = {kind for order in orders for kind in heard.get(order, ())}
        told = [
            f"{kind} {min(times)} to {max(times)} times"
            for kind in sorted(kinds)
            if (times := [heard.get(order, Counter())[kind] for order in orders])
        ]
        print(f"{group} ({len(orders)} recipients): {', '.join(told) or 'nothing'}")


def _has_new(tour: dict[str, Any], left: dict[str, list[str]]) -> bool:
    return any(stop["order"] not in left.get(tour["route"], ()) for stop in tour["stops"])
