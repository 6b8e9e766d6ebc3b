"""The made-up fleet: seeded, honest about time, and told by phones that behave like phones."""

import asyncio
import random
import time
from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import pytest

from reparto.client.recordings import SentPing
from reparto.client.tally import Latencies, Tally
from reparto.simulate.fleet import GUADALAJARA, Trip, make_trip, names, report, route_of_tour, seeds
from reparto.simulate.simulate import Clock, Options, make_vans, send_report
from reparto.simulate.van import fix_of

HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def trip() -> Trip:
    return make_trip(7, city=GUADALAJARA, stops=20, every_s=5.0)


class Heard:
    """Stands where the network is; keeps what it hears."""

    def __init__(self) -> None:
        self.batches: list[list[SentPing]] = []

    async def send(self, pings: Sequence[SentPing], *, hang_up_after_s: float | None = None) -> list[int]:
        self.batches.append(list(pings))
        return [0] if len(self.batches) == 1 else []


def test_the_same_seed_makes_the_same_fleet() -> None:
    options = Options(drivers=3, minutes=2, seed=5, name="x")
    one, other = make_vans(options), make_vans(options)
    assert [van.told.pings.rows.tobytes() for van in one] == [van.told.pings.rows.tobytes() for van in other]
    different = make_vans(Options(drivers=3, minutes=2, seed=6, name="x"))
    assert one[0].told.pings.rows.tobytes() != different[0].told.pings.rows.tobytes()


def test_a_van_is_found_shortly_before_a_stop_and_tells_of_the_minutes_asked_for() -> None:
    for van in make_vans(Options(drivers=10, minutes=3, every_s=2, seed=1, name="x")):
        to_come_ms = van.stays_ms[:, 0] - van.begins_ms
        assert 10_000 <= to_come_ms[to_come_ms > 0].min() <= 60_000
        recorded_ms = van.told.pings.rows["recorded_ms"] - van.begins_ms
        assert recorded_ms.min() >= 0
        assert recorded_ms.max() < 180_000


def test_what_was_recorded_without_network_is_sent_when_it_is_back(trip: Trip) -> None:
    told = report(trip, 3, from_ms=0, to_ms=HOUR_MS, offline_per_h=20, gaps_per_h=0)
    waited_ms = told.due_ms - told.pings.rows["recorded_ms"]
    assert (np.diff(told.due_ms) >= 0).all()
    assert (waited_ms >= 0).all()
    assert told.due_ms.max() <= HOUR_MS
    sent_at, pings = np.unique(told.due_ms, return_counts=True)
    backlog = sent_at[pings > 5]
    assert 5 <= len(backlog) <= 20
    assert len(report(trip, 3, from_ms=HOUR_MS * 50, to_ms=HOUR_MS * 51, offline_per_h=1, gaps_per_h=1)) == 0


def test_a_tour_is_planned_as_it_is_driven(trip: Trip) -> None:
    quick = make_trip(7, city=GUADALAJARA, stops=20, every_s=5.0, service=0.25)
    assert quick.tour.stop_service_s == pytest.approx(trip.tour.stop_service_s / 4)
    assert quick.tour.duration_s == pytest.approx(trip.tour.duration_s - 0.75 * trip.tour.stop_service_s.sum())
    gaps_s = np.diff(quick.tour.stop_arrival_s) - quick.tour.stop_service_s[:-1]
    assert gaps_s == pytest.approx(np.diff(trip.tour.stop_arrival_s) - trip.tour.stop_service_s[:-1])
    assert quick.home_ms < trip.home_ms


def test_a_route_has_people_places_and_times_in_order(trip: Trip) -> None:
    leaves_ms = 1_772_463_600_000
    body = route_of_tour(trip.tour, "sim-1", driver="ana", leaves_ms=leaves_ms, city=GUADALAJARA).body
    assert (body["date"], body["start_at"]) == ("2026-03-02", "2026-03-02T15:00:00+00:00")
    assert [stop["external_id"] for stop in body["stops"]] == [f"{number:02}" for number in range(1, 21)]
    planned = [stop["planned_arrival"] for stop in body["stops"]]
    assert planned == sorted(planned)
    assert all(stop["name"] and stop["address"] and stop["parcels"] for stop in body["stops"])
    again = route_of_tour(trip.tour, "sim-1", driver="ana", leaves_ms=leaves_ms, city=GUADALAJARA).body
    assert again == body


async def test_a_phone_sends_full_batches_when_they_are_due_and_all_in_the_end(trip: Trip) -> None:
    told = report(trip, 3, from_ms=0, to_ms=10 * 60_000, offline_per_h=6, gaps_per_h=2)
    heard, kept = Heard(), list[Any]()
    clock = Clock(starts_ms=0, speed=2000.0)
    await send_report(heard, told, 0, clock, batch=4, chance=random.Random(1), keep=kept.append)  # type: ignore[arg-type]
    sent = [ping for batch in heard.batches for ping in batch]
    assert [ping.time for ping in sent] == told.pings.rows["recorded_ms"].tolist()
    assert all(len(batch) >= 4 for batch in heard.batches[:-1])
    assert kept == [fix_of(ping) for ping in sent][1:]  # the first one was refused


async def test_the_clock_of_a_fleet_runs_faster_than_ours() -> None:
    clock = Clock(starts_ms=1_000_000, speed=600.0)
    began_s = time.monotonic()
    await clock.until(1_000_000 + 60_000)
    assert time.monotonic() - began_s >= 0.1
    assert clock.now_ms() >= 1_060_000
    async with asyncio.timeout(5):
        await clock.until(0)


def test_people_and_seeds_do_not_repeat_at_once() -> None:
    assert len(set(islice(names(1), 50))) > 30
    assert len(set(seeds(1, 1000))) == 1000


def test_latencies_are_told_within_two_percent() -> None:
    latencies = Latencies()
    for ms in range(1, 1001):
        latencies.add(ms / 1000)
    assert latencies.quantile_s(0.5) == pytest.approx(0.5, rel=0.03)
    assert latencies.quantile_s(0.99) == pytest.approx(0.99, rel=0.03)
    assert np.isnan(Latencies().quantile_s(0.5))


def test_a_tally_says_what_is_on_disk() -> None:
    tally = Tally(sent=12, acknowledged=10)
    tally.refused["lat-out-of-range"] = 2
    tally.retried["503"] = 1
    assert tally.accepted == 8
    assert "refused: lat-out-of-range 2" in tally.lines()
    assert "sent again: 503 1" in tally.lines()
