"""What drivers say while trackers fold their pings: neither waits for the other in a circle, and both are kept."""

import asyncio
import random
from datetime import timedelta
from uuid import UUID

from api.driver.events.body import Event, read_event
from api.driver.events.record import record
from api.http.config import ApiConfig
from ingest.config import IngestConfig
from sql.account.devices import DeviceRow
from tests.ingest.track.conftest import START, Fleet
from tests.ingest.track.planning import commit, make_route, plan
from tests.ingest.track.trackers import Trackers

ROUNDS = 12
KINDS = ("arrived", "departed", "completed", "failed", "skipped", "note", "break_started", "break_ended")


def said(chance: random.Random, stop_ids: list[int], seconds: float) -> Event:
    """Make an event of some stop."""
    kind = chance.choice(KINDS)
    at = START + timedelta(seconds=seconds)
    raw = {
        "id": str(UUID(int=chance.getrandbits(128))),
        "type": kind,
        "occurred_at": at.isoformat(),
        "stop_id": f"st_{chance.choice(stop_ids)}",
        "data": {"reason": "other"} if kind == "failed" else {},
    }
    made = read_event(raw, f"/events/{raw['id']}", now=at, oldest=START - timedelta(days=1), config=ApiConfig())
    assert isinstance(made, Event)
    return made


async def test_the_door_and_two_trackers_never_wait_in_a_circle(fleet: Fleet, tour, east):
    chance = random.Random(7)
    phones = [await fleet.phone(await fleet.driver(name)) for name in ("ana", "bo")]
    route_id, stops = await make_route(fleet, "tour", [600, 1500])
    # both have had the route, so each speaks of stops that the other one's tracker settles
    for version, (phone, told) in enumerate(((phones[0], phones[:1]), (phones[1], phones)), start=1):
        at = START + timedelta(seconds=150 * (version - 1)) if version > 1 else START - timedelta(days=9)
        await commit(fleet, plan(route_id, version, at, phone, stops, told, fleet.account_id))
    trackers = Trackers(fleet, IngestConfig(rerun_every_s=0.0, lanes_at_once=1))
    devices = [
        DeviceRow(id=one.device_id, account_id=fleet.account_id, driver_id=one.driver_id, lane=one.lane, app="native")
        for one in phones
    ]

    async def say(device: DeviceRow, events: list[Event]) -> int:
        cases = await record(fleet.pool, device, events, ApiConfig(), now=START, spend=lambda _: None)
        assert not any(case.refused for case in cases.values())
        return sum(case.is_new for case in cases.values())

    async def track(which: int) -> None:
        for _ in range(3):
            await trackers.turn(which)

    kept = 0
    size = len(tour) // ROUNDS + 1
    for n in range(ROUNDS):
        for phone in phones:
            await fleet.send(phone, east(tour[n * size : (n + 1) * size] or tour[-1:]))
        batches = [
            (device, [said(chance, list(stops), chance.randrange(600)) for _ in range(8)])
            for device in devices
            for _ in range(2)
        ]
        done = await asyncio.gather(*(say(*batch) for batch in batches), track(0), track(1))
        kept += sum(one for one in done if one is not None)
    await trackers.settle()

    assert await fleet.pool.fetchval("SELECT count(*) FROM driver_event") == kept == ROUNDS * 4 * 8
    assert await fleet.pool.fetchval("SELECT count(*) FROM visit WHERE stop_id IS NOT NULL") > 0
    # what the last word in force says is what the stop says
    assert (
        await fleet.pool.fetchval(
            "SELECT count(*) FROM stop WHERE status <> (SELECT event.type FROM driver_event AS event"
            " WHERE event.stop_id = stop.id AND event.effective AND event.type IN ('completed', 'failed', 'skipped'))"
        )
        == 0
    )
    assert await fleet.pool.fetchval("SELECT count(*) FROM stop WHERE outcome_at IS NOT NULL") == len(stops)
