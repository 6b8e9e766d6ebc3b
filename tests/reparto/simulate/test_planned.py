"""The demo's day: orders that a planner can put onto all of its vans, and tours read back from routes."""

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from api.planning.body import OrderBody
from reparto.command import out
from reparto.simulate import demo
from reparto.simulate.fleet import GUADALAJARA, drive_tour, make_trip, route_of_tour, tour_of_route
from reparto.simulate.planned import CAPACITY, WAITING, made_up_orders
from work.planning.protocol import PlannerFailed

LEAVES = datetime(2026, 3, 2, 15, tzinfo=UTC)


def test_orders_are_what_the_door_takes_and_need_every_van() -> None:
    orders = made_up_orders("x", 6 * WAITING, city=GUADALAJARA, leaves=LEAVES)
    assert orders == made_up_orders("x", 6 * WAITING, city=GUADALAJARA, leaves=LEAVES)
    for order in orders:
        msgspec.convert({name: value for name, value in order.items() if name != "external_id"}, OrderBody)
    assert len({order["external_id"] for order in orders}) == len(orders)
    assert 5 * CAPACITY < sum(order["load"]["parcels"] for order in orders) <= 6 * WAITING
    assert 0 < sum(bool(order["windows"]) for order in orders) < len(orders) / 2


def test_a_tour_that_was_published_is_driven_like_one_that_was_made_up() -> None:
    trip = make_trip(3, city=GUADALAJARA, stops=12, every_s=5.0)
    made = trip.tour
    body = route_of_tour(made, "x", driver="ana", leaves_ms=round(LEAVES.timestamp() * 1000), city=GUADALAJARA).body
    stops = [{**stop, "along_m": m} for stop, m in zip(body["stops"], made.stop_along_m.tolist(), strict=True)]
    tour = tour_of_route({**body, "stops": stops})
    assert tour.path_along_m == pytest.approx(made.path_along_m)
    assert tour.stop_arrival_s == pytest.approx(made.stop_arrival_s, abs=1.0)
    assert timedelta(seconds=tour.duration_s - made.duration_s) < timedelta(minutes=31)
    again = drive_tour(tour, 3, every_s=5.0)
    assert np.abs(again.stays_ms - trip.stays_ms).max() < 10
    assert (again.truth.lon, again.truth.lat) == (pytest.approx(trip.truth.lon), pytest.approx(trip.truth.lat))


def test_without_a_planner_the_demo_says_so_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(engine: str) -> None:
        raise PlannerFailed(f"{engine} is not installed: pip install 'reparto[plan]'")

    monkeypatch.setattr(demo, "require_installed", missing)
    with out.capture() as said:
        assert not demo._planner()
    assert said.get() == "Tours are made up, not planned: pyvrp is not installed: pip install 'reparto[plan]'\n"
