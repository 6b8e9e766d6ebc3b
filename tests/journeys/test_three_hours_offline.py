"""A phone without a network for three hours ends where a phone that was always online ends.

Two drivers drive the same tour, do the same and take the same photos. One phone tells it as it happens. The other one
tells everything afterwards, twice, in no order, four things at once.
"""

import asyncio
import hashlib
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias, TypeVar
from uuid import NAMESPACE_URL, uuid4, uuid5

from reparto.client.client import Client, Phone, route_path
from reparto.client.recordings import SentPing
from reparto.client.tally import Tally
from reparto.simulate.day import OUTCOMES, Deed, Photo, make_day
from reparto.simulate.driver_app import DriverApp, open_app
from reparto.simulate.fleet import GUADALAJARA, Report, Trip, enlist, make_trip, report, route_of_tour
from tests.journeys.histories import history

HOURS_MS = 3 * 3_600_000
PINGS, EVENTS, PHOTOS = 2_500, 60, 40
AT_ONCE = 4
LIVE_PINGS, BACKLOG_PINGS = 60, 150
"""In a request."""

OF_A_PROOF = (
    *("event_id", "kind", "state", "sha256", "size", "type", "served"),
    *("taken_at", "taken_source", "place", "distance_m", "fix"),
)

T = TypeVar("T")
Settled: TypeAlias = Callable[[], Awaitable[None]]
Job: TypeAlias = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What both drivers do, by a clock that is 0 when they leave."""

    trip: Trip
    told: Report
    deeds: list[Deed]
    leaves_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """One of them, with all that their phone has to send; of photos also when they were taken."""

    name: str
    phone: Phone
    app: DriverApp
    pings: list[SentPing]
    events: list[dict[str, Any]]
    photos: list[tuple[int, Photo]]


def make_the_day() -> Day:
    """Make three hours: 34 stops, 40 photos, a stop that failed and was delivered a little later."""
    trip = make_trip(3, city=GUADALAJARA, stops=34, every_s=4.0, service=1.6)
    told = report(trip, 3, from_ms=0, to_ms=HOURS_MS, offline_per_h=0, gaps_per_h=0.5)
    deeds = make_day("the day", trip.stays_ms, from_ms=0, to_ms=HOURS_MS)
    at_stops = [deed.id for deed in deeds if deed.type in OUTCOMES]
    photos = Counter((at_stops * 2)[:PHOTOS])
    failed = next(deed for deed in deeds if deed.type == "failed")
    deeds = [replace(deed, photos=photos[deed.id]) for deed in deeds]
    deeds.append(Deed(id=str(uuid4()), at_ms=failed.at_ms + 5_000, type="completed", stop=failed.stop))
    leaves_ms = (int(time.time()) - 60) * 1000 - HOURS_MS
    return Day(trip=trip, told=told, deeds=sorted(deeds, key=lambda deed: deed.at_ms), leaves_ms=leaves_ms)


async def hire(client: Client, day: Day, name: str) -> Driver:
    """Make a driver with the tour of the day, and do all of the day; nothing of it is told yet."""
    _, _, token = await enlist(client, name, "Ana Ríos")
    planned = route_of_tour(day.trip.tour, "the day", driver=name, leaves_ms=day.leaves_ms, city=GUADALAJARA)
    answer = await client.put_route(replace(planned, external_id=name))
    chance = random.Random(name)
    app = open_app(client, token, Tally(), chance, route=name, stops=answer["stops"])
    await app.fetch_manifest()
    events, photos = [], []
    for deed in day.deeds:
        at_ms = day.leaves_ms + deed.at_ms
        event, taken = await app.write(deed, at_ms)
        taken = [replace(photo, upload_id=str(uuid4())) for photo in taken]  # no two phones make the same
        if taken:
            event["data"]["proofs"] = [{"upload_id": photo.upload_id, "kind": "photo"} for photo in taken]
        events.append(event)
        photos += [(at_ms, photo) for photo in taken]
    return Driver(
        name=name,
        phone=Phone(client.session, client.url, token, Tally(), chance),
        app=app,
        pings=day.told.sent_pings(0, len(day.told), leaves_ms=day.leaves_ms),
        events=[*events, misheard(events)],
        photos=photos,
    )


def misheard(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Make the first try of a delivery for which the driver typed a wrong PIN."""
    event = next(event for event in events if "pin" in event.get("data", {}))
    pin = f"{(int(event['data']['pin']) + 1) % 10_000:04}"
    another = str(uuid5(NAMESPACE_URL, event["id"]))
    return event | {"id": another, "occurred_at": event["occurred_at"] - 1_000, "data": event["data"] | {"pin": pin}}


async def live(driver: Driver, settled: Settled) -> None:
    """Tell everything as it happens."""
    jobs: list[tuple[int, Job]] = [
        (batch[-1].time, partial(driver.phone.send, batch)) for batch in _batches(driver.pings, LIVE_PINGS)
    ]
    jobs += [(event["occurred_at"], partial(driver.app.say, [event])) for event in driver.events]
    jobs += [(at_ms + 500, partial(driver.app.upload, photo)) for at_ms, photo in driver.photos]
    for number, (_, do) in enumerate(sorted(jobs, key=lambda job: job[0])):
        await do()
        if number % 50 == 0:
            await settled()


async def afterwards(driver: Driver, chance: random.Random) -> None:
    """Tell everything twice in no order, four things at once."""
    for _ in range(2):
        pings, events = chance.sample(driver.pings, len(driver.pings)), chance.sample(driver.events, len(driver.events))
        jobs: list[Job] = [partial(driver.phone.send, batch) for batch in _batches(pings, BACKLOG_PINGS)]
        jobs += [partial(driver.app.say, batch) for batch in _batches(events, 3)]
        jobs += [partial(driver.app.upload, photo) for _, photo in driver.photos]
        chance.shuffle(jobs)

        async def work(left: list[Job]) -> None:
            while left:
                await left.pop()()

        await asyncio.gather(*(work(jobs) for _ in range(AT_ONCE)))


async def end_state(client: Client, driver: Driver) -> dict[str, Any]:
    """Read everything that must not depend on when and how often it was told, without the server's own ids."""
    shown = await client.ask("GET", route_path(driver.name))
    proofs = {
        stop["external_id"]: sorted(
            (
                {name: proof[name] for name in OF_A_PROOF}
                for proof in (await client.ask("GET", f"/v1/stops/{stop['id']}/proofs"))["proofs"]
            ),
            key=lambda proof: str(proof["sha256"]),
        )
        for stop in shown["stops"]
    }
    standing = await driver.app.say(driver.events)
    assert {one["result"] for one in standing} == {"duplicate"}
    return await history(client, driver.name, shift_ms=0) | {
        "events": {one["id"]: (one["effective"], one.get("why")) for one in standing},
        "proofs": proofs,
        "shifts": await client.ask("GET", f"/v1/drivers/{driver.name}/shifts"),
    }


async def test_three_hours_offline_end_where_three_hours_online_end(client: Client, settled: Settled) -> None:
    day = await asyncio.to_thread(make_the_day)
    online, offline = await hire(client, day, "online"), await hire(client, day, "offline")
    for driver in (online, offline):
        assert len(driver.pings) >= PINGS
        assert len(driver.events) >= EVENTS
        assert len(driver.photos) == PHOTOS
    await live(online, settled)
    await afterwards(offline, random.Random(1))
    await settled()

    expected, told = await end_state(client, online), await end_state(client, offline)
    assert expected.keys() == told.keys()
    for what in expected:
        assert told[what] == expected[what], what

    kept = [proof for of_stop in expected["proofs"].values() for proof in of_stop]
    assert Counter(proof["state"] for proof in kept) == {"stored": PHOTOS}
    assert Counter(proof["sha256"] for proof in kept) == Counter(
        hashlib.sha256(photo.content).hexdigest() for _, photo in online.photos
    )
    whys = Counter(why for _, why in expected["events"].values())
    assert whys == {None: len(online.events) - 2, "wrong-pin": 1, "already-failed": 1}
    statuses = Counter(stop["status"] for stop in expected["stops"])
    (shift,) = expected["shifts"]["shifts"]
    assert shift["settlement"]["stops"] == {kind: n for kind, n in statuses.items() if kind in OUTCOMES}
    assert shift["settlement"]["stops"].keys() >= {"completed", "partially_completed", "failed"}
    assert shift["settlement"]["cash"][0]["collected"] > 0
    assert {visit["source"] for visit in expected["visits"]} == {"auto", "driver"}


def _batches(things: Sequence[T], size: int) -> list[list[T]]:
    return [list(things[at : at + size]) for at in range(0, len(things), size)]
