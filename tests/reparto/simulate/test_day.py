"""A simulated driver's day: what is said is what the door takes, at its time, and sent when there is a network."""

import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from PIL import Image

from api.driver.events.body import Event, read_event
from api.http.config import ApiConfig
from geo.pings import Pings
from reparto.simulate.day import OUTCOMES, Deed, event_of, make_day, needs_pin, photos_of
from reparto.simulate.fleet import GUADALAJARA, Report, Trip, make_trip, route_of_tour
from reparto.simulate.simulate import Clock, work

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def trip() -> Trip:
    return make_trip(3, city=GUADALAJARA, stops=60, every_s=5.0)


@pytest.fixture(scope="module")
def day(trip: Trip) -> list[Deed]:
    return make_day("ana", trip.stays_ms, from_ms=0, to_ms=trip.home_ms)


def test_a_driver_does_the_same_again_and_another_one_something_else(trip: Trip, day: list[Deed]) -> None:
    assert make_day("ana", trip.stays_ms, from_ms=0, to_ms=trip.home_ms) == day
    assert {deed.id for deed in make_day("luz", trip.stays_ms, from_ms=0, to_ms=trip.home_ms)}.isdisjoint(
        deed.id for deed in day
    )


def test_a_day_is_a_shift_in_which_every_stop_is_done_once_while_the_van_is_there(trip: Trip, day: list[Deed]) -> None:
    assert [deed.at_ms for deed in day] == sorted(deed.at_ms for deed in day)
    assert [day[0].type, day[1].type, day[-1].type] == ["shift_started", "route_started", "shift_ended"]
    done = {deed.stop: deed for deed in day if deed.type in OUTCOMES}
    assert list(done) == [f"{number:02}" for number in range(1, 61)]
    for (came_ms, left_ms), deed in zip(trip.stays_ms.tolist(), done.values(), strict=True):
        assert came_ms < deed.at_ms < left_ms
    counts = Counter(deed.type for deed in day)
    assert counts["completed"] > 40
    assert counts["arrived"] > counts["departed"] > 0
    assert counts["break_started"] == counts["break_ended"] > 0


def test_a_stop_that_the_stretch_cuts_is_not_done(trip: Trip) -> None:
    came_ms, left_ms = trip.stays_ms[4].tolist()
    for from_ms, to_ms in ((came_ms + 1, trip.home_ms), (0, left_ms - 1)):
        assert "05" not in {deed.stop for deed in make_day("ana", trip.stays_ms, from_ms=from_ms, to_ms=to_ms)}


def test_the_door_takes_everything_that_is_said(trip: Trip, day: list[Deed]) -> None:
    planned = route_of_tour(trip.tour, "tour", driver="ana", leaves_ms=0, city=GUADALAJARA).body["stops"]
    empty = {"proof": [], "cash_on_delivery": None}
    stops = {stop["external_id"]: empty | stop | {"id": f"st_{n}"} for n, stop in enumerate(planned, 1)}
    at_ms = int(NOW.timestamp() * 1000)
    asked = photos = 0
    for deed in day:
        stop = stops[deed.stop] if deed.stop else None
        taken = photos_of(deed, stop) if stop else []
        pin = "1234" if stop and needs_pin(deed, stop) else None
        event = event_of(deed, stop, taken, at_ms=at_ms, pin=pin)
        read = read_event(event, "/events/0", now=NOW, oldest=NOW - timedelta(days=1), config=ApiConfig())
        assert isinstance(read, Event), (read, event)
        asked += "pin" in event.get("data", {})
        photos += len(taken)
        if stop and "photo" in stop["proof"] and deed.type == "completed":
            assert event["data"]["proofs"]
        if stop and stop["cash_on_delivery"] and deed.type == "completed":
            assert event["data"]["cash"]["amount"] <= stop["cash_on_delivery"]["amount"]
    assert asked > 3
    assert photos > 10


def test_photos_are_small_and_no_two_the_same() -> None:
    deed = Deed(id="d", at_ms=0, type="completed", stop="01", photos=3)
    photos = photos_of(deed, {"id": "st_1", "proof": []})
    assert len({photo.content for photo in photos}) == len({photo.upload_id for photo in photos}) == 3
    for photo in photos:
        assert len(photo.content) < 20_000
        assert Image.open(io.BytesIO(photo.content)).format == "JPEG"


async def test_what_is_done_without_a_network_is_told_when_it_is_back() -> None:
    class App:
        def __init__(self) -> None:
            self.said: list[Any] = []

        async def fetch_manifest(self) -> None:
            self.said.append("manifest")

        async def do(self, deed: Deed, at_ms: int) -> None:
            self.said.append((deed.type, at_ms))

        async def sync(self) -> None:
            self.said.append("sync")

    told = Report(pings=Pings.empty(), due_ms=np.zeros(0, np.int64), offline_ms=[(15.0, 35.0), (34.0, 45.0)])
    deeds = [Deed(id=kind, at_ms=at_ms, type=kind) for at_ms, kind in ((10, "a"), (20, "b"), (30, "c"), (50, "d"))]
    assert [told.sendable_ms(deed.at_ms) for deed in deeds] == [10, 45, 45, 50]
    app = App()
    await work(app, deeds, told, 1_000, Clock(starts_ms=0, speed=1000.0))  # type: ignore[arg-type]
    assert app.said == [
        *("manifest", ("a", 1_010), "sync"),
        *(("b", 1_020), ("c", 1_030), "sync", "sync"),
        *(("d", 1_050), "sync"),
    ]
