"""Late is not wrong: a morning told over HTTP in any order, in any batches, with a route replaced on the way and with
what the driver said of it ends in the same settled history as told in order.

Every order has a driver and a route of its own and is told by itself: the day ends now, by each one's own clock. The
moment from which a replaced route is in force is our clock's, so that there is a tunnel in the morning, of which the
phone recorded nothing: wherever in it the replacement falls, it is between the same two pings.
"""

import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from reparto.client.client import Client, Phone, route_path
from reparto.client.planner import PlannedRoute, route_of_case
from reparto.client.recordings import Case, Recording, SentPing, read_case
from reparto.client.tally import Tally
from reparto.data.importer import import_routes
from tests.journeys.histories import history

HERE = Path(__file__).parent
Settled = Callable[[], Awaitable[None]]

TUNNEL_AT_S, TUNNEL_S, ENDS_S = 1_300, 45, 1_545
"""Between mvd-09 and mvd-10; after the tunnel less is told than a clock may be ahead without a flag, 300 s. The phone
says when it sends, so that its clock is not taken to be fast."""

SAID = (
    ("route_started", None, 5),
    ("arrived", "mvd-02", 180),
    ("departed", "mvd-02", 310),
    ("completed", "mvd-03", 420),
    ("arrived", "mvd-07", 992),
    ("skipped", "mvd-07", 1_010),
    ("failed", "mvd-09", 1_290),
)
"""What the driver said: type, stop, and when in the morning, seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An entry of the driver's app, as `POST /v1/driver/events` takes it."""

    time: int
    body: dict[str, Any]


Told: TypeAlias = SentPing | Event


@dataclass(slots=True)
class Morning:
    """A driver's morning, moved in time so that its tunnel begins now.

    Attributes:
        jobs: what happens, in the order in which the product hears of it.
        shift_ms: what was added to the times of the recording before the tunnel.
    """

    name: str
    client: Client
    settled: Settled
    phone: Phone
    token: str
    before: Sequence[Told]
    after: Sequence[Told]
    plan: PlannedRoute
    begins_ms: int
    shift_ms: int
    replaced_ms: list[int] = field(default_factory=list)

    async def replace_route(self) -> None:
        """Replace the route: mvd-04, visited, and mvd-07, which is passed by, go; mvd-10 is another order's now."""
        stops = [stop for stop in self.plan.body["stops"] if stop["external_id"] not in ("mvd-04", "mvd-07")]
        stops[-1] = stops[-1] | {"external_id": "mvd-11"}
        await self.client.put_route(replace(self.plan, body=self.plan.body | {"stops": stops}))
        self.replaced_ms.append(round(time.time() * 1000))

    async def tell(self, things: Sequence[Told]) -> None:
        """Send a batch of pings, and one of what the driver said."""
        if pings := [one for one in things if isinstance(one, SentPing)]:
            assert not await self.phone.send(pings)
        if events := [one.body for one in things if isinstance(one, Event)]:
            async with self.client.session.post(
                f"{self.client.url}/v1/driver/events",
                json={"events": events, "sent_at": round(time.time() * 1000)},
                headers={"Authorization": f"Bearer {self.token}"},
            ) as response:
                results = (await response.json())["results"]
                assert {one["result"] for one in results} <= {"applied", "conflict", "duplicate"}, results


Job = Callable[[], Awaitable[None]]
Order = Callable[[Morning, random.Random], list[Job]]


def batches(morning: Morning, told: Sequence[Told], chance: random.Random) -> list[Job]:
    """Split what is told at random: single things, some, many."""
    jobs: list[Job] = []
    at = 0
    while at < len(told):
        size = chance.choice((1, 7, 40, 150))
        jobs.append(lambda batch=told[at : at + size]: morning.tell(batch))
        at += size
    return jobs


def in_order(morning: Morning, chance: random.Random) -> list[Job]:
    """Tell it as it happens."""
    return [
        *batches(morning, sorted(morning.before, key=_time), chance),
        morning.replace_route,
        *batches(morning, sorted(morning.after, key=_time), chance),
    ]


def backwards(morning: Morning, chance: random.Random) -> list[Job]:
    """Tell the last ping first; the route was replaced long before anything was heard."""
    return [morning.replace_route, *batches(morning, sorted(_all(morning), key=_time, reverse=True), chance)]


def replaced_last(morning: Morning, chance: random.Random) -> list[Job]:
    """Hear of the new route when all is driven and folded."""
    return [*batches(morning, _all(morning), chance), morning.settled, morning.replace_route]


def shuffled(morning: Morning, chance: random.Random) -> list[Job]:
    """Tell everything in no order at all, a tenth of it twice."""
    told = [*_all(morning), *chance.sample(_all(morning), 32)]
    chance.shuffle(told)
    jobs = batches(morning, told, chance)
    jobs.insert(chance.randrange(len(jobs)), morning.replace_route)
    return jobs


def backlogs(morning: Morning, chance: random.Random) -> list[Job]:
    """Tell it in stretches, each in order, but the stretches in none: what a phone with a bad network does."""
    told = sorted(_all(morning), key=_time)
    starts = sorted([0, *chance.sample(range(1, len(told)), 5)])
    stretches = [told[begin:end] for begin, end in zip(starts, [*starts[1:], None], strict=True)]
    chance.shuffle(stretches)
    jobs = [job for stretch in stretches for job in batches(morning, stretch, chance)]
    jobs.insert(chance.randrange(len(jobs)), morning.replace_route)
    return jobs


def said_last(morning: Morning, chance: random.Random) -> list[Job]:
    """Hear what the driver said when all is driven and folded, the last first."""
    pings = [one for one in _all(morning) if isinstance(one, SentPing)]
    said = [one for one in _all(morning) if isinstance(one, Event)]
    return [
        morning.replace_route,
        *batches(morning, pings, chance),
        morning.settled,
        *(lambda one=one: morning.tell([one]) for one in reversed(said)),
    ]


ORDERS: dict[str, tuple[Order, int]] = {
    "in order": (in_order, 0),
    "in order, other batches": (in_order, 1),
    "backwards": (backwards, 2),
    "replaced last": (replaced_last, 3),
    "said last": (said_last, 7),
    "shuffled": (shuffled, 4),
    "shuffled otherwise": (shuffled, 5),
    "in backlogs": (backlogs, 6),
}


async def test_a_morning_told_in_any_order_is_the_same_history(client: Client, settled: Settled) -> None:
    case = read_case(HERE / "montevideo.route.json")
    histories = {}
    for name, (order, seed) in ORDERS.items():
        chance = random.Random(seed)
        morning = await begin(client, settled, case, name)
        for job in order(morning, chance):
            await job()
            if chance.random() < 0.2:  # some of it is folded before more comes
                await settled()
        await settled()
        (replaced_ms,) = morning.replaced_ms
        assert replaced_ms < morning.begins_ms + TUNNEL_S * 1000, "this machine was too slow for the tunnel"
        histories[name] = await history(client, morning.name, shift_ms=morning.shift_ms)

    expected = histories["in order"]
    visited = {visit["stop"]: visit["source"] for visit in expected["visits"]}
    assert [*visited] == [*(f"mvd-0{number}" for number in range(1, 10)), "mvd-11"]
    assert visited["mvd-07"] == "driver"  # nobody would have seen it
    assert visited["mvd-08"] == "auto"
    assert set(expected["track"]["route_version"]) == {1, 2}
    statuses = {stop["stop"]: stop["status"] for stop in expected["stops"]}
    assert [statuses[stop] for stop in ("mvd-03", "mvd-04", "mvd-07", "mvd-09", "mvd-10")] == [
        *("completed", "removed", "skipped", "failed", "removed"),
    ]
    for name, told in histories.items():
        for what in expected:
            assert told[what] == expected[what], f"{what}, {name}"


async def begin(client: Client, settled: Settled, case: Case, name: str) -> Morning:
    """Make a driver, a phone and a route for a morning that is in its tunnel now."""
    recording = case.recording
    assert recording is not None
    now_ms = int(time.time()) * 1000
    shift_ms = now_ms - recording.first_ms - TUNNEL_AT_S * 1000
    tunnel_ms = recording.first_ms + TUNNEL_AT_S * 1000
    ends_ms = recording.first_ms + ENDS_S * 1000
    before = Recording(name=name, pings=tuple(ping for ping in recording.pings if ping.time <= tunnel_ms))
    after = Recording(name=name, pings=tuple(ping for ping in recording.pings if tunnel_ms < ping.time <= ends_ms))
    route = route_of_case(case, shift_ms=shift_ms, timezone="UTC")
    route = replace(route, external_id=name, driver=name, body=route.body | {"driver": name})
    drivers = await import_routes(client, [route])
    stop_ids = {stop["external_id"]: stop["id"] for stop in (await client.ask("GET", route_path(name)))["stops"]}
    said = [
        Event(
            time=(at_ms := recording.first_ms + shift_ms + at_s * 1000),
            body={
                "id": str(uuid5(NAMESPACE_URL, f"{name}/{number}")),
                "type": kind,
                "occurred_at": at_ms,
                **({"stop_id": stop_ids[stop]} if stop else {"route_id": name}),
                **({"data": {"reason": "nobody_home"}} if kind == "failed" else {}),
            },
        )
        for number, (kind, stop, at_s) in enumerate(SAID)
    ]
    _, token = await client.device(drivers[name], "test")
    return Morning(
        name=name,
        client=client,
        settled=settled,
        phone=Phone(client.session, client.url, token, Tally(), random.Random(0)),
        token=token,
        before=[*before.shifted(shift_ms).pings, *said],
        after=after.shifted(shift_ms + TUNNEL_S * 1000).pings,
        plan=route,
        begins_ms=now_ms,
        shift_ms=shift_ms,
    )


def _time(one: Told) -> int:
    return one.time


def _all(morning: Morning) -> list[Told]:
    return [*morning.before, *morning.after]
