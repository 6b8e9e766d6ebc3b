"""Promise 3 on days made at random: whatever the order, the batches and the crashes, history ends the same."""

import asyncio
import random
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from geo.pings import Pings
from geo.times import SINCE_EVER
from geo.trust.clean import Flag
from ingest.config import IngestConfig
from ingest.track.batch import Limits
from ingest.track.take import STEPS
from sql.pool import Db
from tests.ingest.track.conftest import START, UNSETTLED, Fleet, Phone, after, pings_east
from tests.ingest.track.planning import Change, claim, commit, fence, make_fence, make_route, plan
from tests.ingest.track.trackers import Trackers, deadly, kill_at_commit

_FORGET = """
TRUNCATE driver_event, packed_ping, track, checkpoint, rerun, live, visit, event, route_eta, route_version,
         geofence_version, lane_attempt, inbox;
UPDATE stop SET status = 'pending', arrived_at = NULL, departed_at = NULL;
UPDATE route SET status = 'planned', started_at = NULL, finished_at = NULL
"""


@dataclass(slots=True)
class Day:
    """What is sent, what is planned in the course of it, and what drivers say: each claim, and what becomes of it."""

    sends: list[tuple[Phone, Pings]]
    changes: list[Change]
    words: list[list[Change]]


def _words(
    chance: random.Random, phones: list[Phone], tours: dict[int, list[int]], account_id: int
) -> list[list[Change]]:
    """Make up what drivers say, sensible or not; some of it is in force for a while only, or only after a while."""
    words = []
    for phone in phones:
        for _ in range(chance.choice((0, 2, 6, 12))):
            kind = chance.choice(
                (
                    "arrived",
                    "arrived",
                    "departed",
                    "departed",
                    "completed",
                    "failed",
                    "reopened",
                    "route_started",
                    "note",
                )
            )
            route_id = chance.choice(list(tours))
            stop_id = None if kind == "route_started" else chance.choice(tours[route_id])
            what = phone, account_id, UUID(int=chance.getrandbits(128)), kind, route_id, stop_id
            at = after(chance.choice((chance.randrange(-200, 900), chance.uniform(0, 600))))
            at = at.replace(microsecond=at.microsecond // 1000 * 1000)
            changing = chance.choice(((True,), (True,), (True, False), (False, True), (True, False, True)))
            words.append([claim(*what, at, effective) for effective in changing])
    return words


def _drive(chance: random.Random, stops_m: list[float], every_s: float, start_s: float) -> list[tuple[float, float]]:
    """Make a drive along the street that serves stops: (seconds, metres east)."""
    places = []
    at_s, at_m = start_s, chance.uniform(0, 40)
    for stop_m in [*stops_m, stops_m[-1] + 260]:
        while at_m < stop_m:
            places.append((at_s, at_m + chance.gauss(0, 3)))
            at_s, at_m = at_s + every_s, min(at_m + 9 * every_s, stop_m)
        for _ in range(int(chance.choice((15, 70, 100)) / every_s)):
            places.append((at_s, at_m + chance.gauss(0, 3)))
            at_s += every_s
    return places


def _spoil(chance: random.Random, pings: Pings) -> None:
    """Make some pings what real ones sometimes are."""
    rows = pings.rows
    n = len(rows)
    for _ in range(chance.randrange(1, 5)):  # jumps, alone or a few that agree
        at = chance.randrange(n)
        rows["lat_e6"][at : at + chance.choice((1, 1, 2, 3))] += chance.choice((30_000, 300_000))
    for _ in range(chance.randrange(4)):
        rows["accuracy_m"][chance.randrange(n)] = 900
    for _ in range(chance.randrange(3)):
        rows["mock"][chance.randrange(n)] = 1
    for _ in range(chance.randrange(4)):  # some in one millisecond, but not in one place
        at, count = chance.randrange(n), chance.choice((2, 3, 30))
        rows["recorded_ms"][at : at + count] = rows["recorded_ms"][at]
        rows["lat_e6"][at : at + count] += np.arange(len(rows["lat_e6"][at : at + count]))
    for _ in range(chance.randrange(3)):  # a gap
        at, gap_s = chance.randrange(n), chance.choice((60, 400, 4_000))
        rows["recorded_ms"][at:] += gap_s * 1000
    for _ in range(chance.randrange(3)):  # a clock ahead, of which we know
        at = chance.randrange(n)
        rows["flags"][at] = Flag.CLOCK_AHEAD
        rows["recorded_ms"][at] += chance.choice((400_000, 3_000_000, 40_000_000))


def _otherwise(chance: random.Random, pings: Pings) -> Pings:
    """Make a copy that tells less, or another thing."""
    copy = pings.rows_at(np.arange(len(pings)))
    for name in ("accuracy_m", "speed_mps", "heading_deg", "battery"):
        told = copy.rows[name][0]
        copy.rows[name] = chance.choice((float("nan"), told, chance.uniform(0, 1), chance.uniform(1, 300)))
    copy.rows["mock"] = chance.choice((-1, -1, 0, 0, 0, 1))
    if chance.random() < 0.1:
        copy.rows["flags"] |= np.uint32(Flag.CLOCK_AHEAD)
    return copy


async def make_day(fleet: Fleet, chance: random.Random) -> Day:
    """Make up a fleet, its plans and what its phones record."""
    names = ("ana", "bo", "cy", "dee")
    phones = {name: await fleet.phone(await fleet.driver(name)) for name in names}
    second = await fleet.phone(phones["ana"].driver_id)
    account_id = fleet.account_id
    changes: list[Change] = []

    tour, tour_stops = await make_route(fleet, "tour", [300, 600, 900, 1500])
    told = [phones["ana"]]
    first = dict(list(tour_stops.items())[:3])
    changed_s = chance.randrange(30, 600)
    changes.append(plan(tour, 1, SINCE_EVER, phones["ana"], first, told, account_id))
    home = chance.random() < 0.5
    changes.append(plan(tour, 2, after(changed_s), phones["ana"], tour_stops, told, account_id, home=home))

    given, given_stops = await make_route(fleet, "given away", [400, 1000])
    moved_s = chance.randrange(30, 600)
    back_s = moved_s + chance.randrange(20, 300)
    both = [phones["bo"], phones["cy"]]
    changes.append(plan(given, 1, SINCE_EVER, phones["bo"], given_stops, both[:1], account_id))
    changes.append(plan(given, 2, after(moved_s), phones["cy"], given_stops, both, account_id))
    if chance.random() < 0.5:
        changes.append(plan(given, 3, after(back_s), phones["bo"], given_stops, both, account_id))
    quiet, quiet_stops = await make_route(fleet, "without pings", [500, 800])
    eve = await fleet.phone(await fleet.driver("eve"))
    changes.append(plan(quiet, 1, SINCE_EVER, eve, quiet_stops, [eve], account_id))

    next_tour, next_stops = await make_route(fleet, "next", [700, 200])
    next_stops = dict(sorted(next_stops.items(), key=lambda item: item[1]))
    changes.append(
        plan(next_tour, 1, SINCE_EVER, phones["ana"], next_stops, told, account_id, start=START + timedelta(minutes=20))
    )

    geofence_id = await make_fence(fleet, "depot")
    changes.append(fence(account_id, geofence_id, 1, after(chance.randrange(-100, 200)), 500, 120))
    changes.append(fence(account_id, geofence_id, 2, after(chance.randrange(201, 700)), 700, 60))

    sends: list[tuple[Phone, Pings]] = []
    for name, stops_m, every_s in (
        ("ana", [300, 600, 900, 1500], 10),
        ("bo", [400, 1000], 10),
        ("cy", [200, 400, 1000], 5),
        ("dee", [500, 700, 1200], 2),
    ):
        pings = pings_east(_drive(chance, stops_m, every_s, chance.uniform(-100, 100)))
        _spoil(chance, pings)
        sends += [(phones[name], pings.rows_at([i])) for i in range(len(pings))]
        if name == "ana":  # another phone in the same van, for a while or to the end
            other = pings.rows_at(slice(chance.randrange(30), chance.choice((40, None))))
            other.rows["recorded_ms"] += 1_500
            sends += [(second, other.rows_at([i])) for i in range(len(other))]
    sends += [(phone, _otherwise(chance, pings)) for phone, pings in chance.choices(sends, k=len(sends) // 10)]
    sends.sort(key=lambda send: send[1].rows["recorded_ms"][0])
    words = _words(chance, [phones["ana"]], {tour: list(tour_stops), next_tour: list(next_stops)}, account_id)
    words += _words(chance, both, {given: list(given_stops)}, account_id)
    words += _words(chance, [eve], {quiet: list(quiet_stops)}, account_id)
    return Day(sends, changes, words)


async def _history(fleet: Fleet) -> dict[str, list[tuple[Any, ...]]]:
    assert await fleet.pool.fetchval("SELECT count(*) FROM inbox") == 0
    assert await fleet.pool.fetchval("SELECT count(*) FROM quarantine") == 0
    assert await fleet.pool.fetchval(UNSETTLED) == 0
    return await fleet.history()


async def told_at_once(fleet: Fleet, day: Day, config: IngestConfig) -> dict[str, list[tuple[Any, ...]]]:
    """Plan everything, send everything, fold."""
    await fleet.pool.execute(_FORGET)
    for change in [*day.changes, *(change for word in day.words for change in word)]:
        await commit(fleet, change)
    for phone in {phone for phone, _ in day.sends}:
        await fleet.send(phone, Pings.concat([pings for sender, pings in day.sends if sender is phone]))
    await Trackers(fleet, config).settle()
    return await _history(fleet)


async def told_in_any_order(
    fleet: Fleet, day: Day, trackers: Trackers, chance: random.Random
) -> dict[str, list[tuple[Any, ...]]]:
    """Send in some order and in batches, some of it twice, and plan in between, while two trackers take turns."""
    await fleet.pool.execute(_FORGET)
    sends = [*day.sends, *chance.sample(day.sends, len(day.sends) // 10)]
    how = chance.choice(("live", "shuffled", "newest first", "mostly in order"))
    if how == "shuffled":
        chance.shuffle(sends)
    elif how == "newest first":
        sends.sort(key=lambda send: (send[0].device_id, -send[1].rows["recorded_ms"][0]))
    elif how == "mostly in order":
        sends.sort(key=lambda send: send[1].rows["recorded_ms"][0] + chance.choice((0, 0, 0, 60_000, 400_000)))
    jobs: list[Change] = []
    while sends:
        size = 1 if how == "live" else chance.choice((1, 3, 20, 150))
        jobs.append(partial(_send, fleet, sends[:size]))
        del sends[:size]
    places = sorted(chance.choice((0, len(jobs), chance.randrange(len(jobs)))) for _ in day.changes)
    for change, place in reversed(list(zip(day.changes, places, strict=True))):
        jobs.insert(place, change)
    for word in day.words:
        places = sorted((chance.choice((0, len(jobs), chance.randrange(len(jobs)))) for _ in word), reverse=True)
        for change, place in zip(reversed(word), places, strict=True):
            jobs.insert(place, change)
    for job in jobs:
        turns = [trackers.turn(which) for which in (0, 1) if chance.random() < 0.3]
        await asyncio.gather(commit(fleet, job), *turns)
    await trackers.settle()
    return await _history(fleet)


async def _send(fleet: Fleet, sends: list[tuple[Phone, Pings]], _: Db) -> None:
    for phone in dict.fromkeys(phone for phone, _ in sends):
        await fleet.send(phone, Pings.concat([pings for sender, pings in sends if sender is phone]))


async def check_day(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Make a day and tell it twice."""
    chance = random.Random(seed)
    config = replace(
        IngestConfig(),
        rerun_every_s=chance.choice((0, 0, 0.1)),
        lanes_at_once=chance.choice((1, 2, 8)),
        pings_worth_a_take=chance.choice((1, 600)),
        drivers_worth_a_take=chance.choice((1, 300)),
    )
    day = await make_day(fleet, chance)
    expected = await told_at_once(fleet, day, config)
    assert expected["visits"]
    often = chance.choice((0.0, 0.01, 0.03))
    trackers = Trackers(
        fleet,
        config,
        steps=deadly(STEPS, chance, often=often),
        # checkpoints and the ends of takes fall on other pings
        limits=Limits(
            steps=chance.choice((2, 4, 16, 64, 256)), behind=chance.choice((1, 2, 32)), parts=chance.choice((1, 5, 256))
        ),
    )
    with monkeypatch.context() as patch:
        kill_at_commit(patch, chance, often=often)
        assert await told_in_any_order(fleet, day, trackers, chance) == expected


@pytest.mark.parametrize("seed", range(4))
async def test_a_day_ends_the_same_however_it_is_told(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    await check_day(fleet, monkeypatch, seed)
