"""What a recipient may see, rule by rule."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from api.recipient.standing import next_stop
from api.recipient.view import Ended, TrackingView, view_of
from sql.delivery.tracking import TrackedEta, TrackedRoute, TrackedStop, TrackedVan

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def a_stop(number: int, **changes: Any) -> TrackedStop:
    stop = TrackedStop(
        id=number,
        kind="delivery",
        name=f"Stop {number}",
        lat=6.25,
        lon=-75.57,
        along_m=1000.0 * number,
        locale=None,
        window_start=None,
        window_end=None,
        status="pending",
        arrived_at=None,
        departed_at=None,
        link_hash=bytes([number]),
        link_revoked=False,
    )
    return replace(stop, **changes)


def a_route(stops: list[TrackedStop] | None = None, **changes: Any) -> TrackedRoute:
    """Five stops, the van a minute ago before the first, ten minutes from stop to stop."""
    stops = stops or [a_stop(number) for number in range(1, 6)]
    ahead = [stop for stop in stops if stop.status in ("pending", "arrived") and stop.departed_at is None]
    expected = [NOW + minutes(10 * (place + 1)) for place in range(len(ahead))]
    route = TrackedRoute(
        id=7,
        settings={},
        version=2,
        status="started",
        timezone="America/Bogota",
        end_at=NOW + minutes(240),
        finished_at=None,
        updated_at=NOW - minutes(300),
        deleted_at=None,
        driver_name="Marta Quintero",
        van=TrackedVan(
            recorded_at=NOW - minutes(1),
            version=2,
            on_route=True,
            along_m=500.0,
            heading_deg=40.04,
            snapped_lat_e6=6_244_200,
            snapped_lon_e6=-75_569_000,
        ),
        eta=TrackedEta(
            version=2,
            as_of=NOW - minutes(1),
            stop_ids=[stop.id for stop in ahead],
            expected=expected,
            low=[time - minutes(3) for time in expected],
            high=[time + minutes(3) for time in expected],
        ),
        stops=stops,
    )
    return replace(route, **changes)


def shown(route: TrackedRoute, number: int, now: datetime = NOW, ahead: Any = ()) -> TrackingView:
    view = view_of(route, route.stops[number - 1], now, path_ahead=ahead)
    assert isinstance(view, TrackingView)
    return view


def ended(route: TrackedRoute, number: int, now: datetime = NOW) -> str | None:
    view = view_of(route, route.stops[number - 1], now)
    return view.why if isinstance(view, Ended) else None


@pytest.mark.parametrize(
    ("number", "visible"), [(1, True), (2, True), (4, True), (5, False)], ids=["next", "2nd", "3 before", "4 before"]
)
def test_the_van_is_seen_from_three_stops_before(number: int, visible: bool) -> None:
    view = shown(a_route(), number)
    assert view.stops_before == number - 1
    assert (view.position is not None) is visible


@pytest.mark.parametrize(
    ("rule", "number", "visible"),
    [
        ({"max_stops_before": 0, "max_minutes": 60}, 1, True),
        ({"max_stops_before": 0, "max_minutes": 60}, 2, False),
        ({"max_stops_before": 9, "max_minutes": 20}, 2, True),
        ({"max_stops_before": 9, "max_minutes": 20}, 3, False),
    ],
)
def test_both_parts_of_the_account_s_rule_must_hold(rule: dict[str, int], number: int, visible: bool) -> None:
    view = shown(a_route(settings={"visibility": rule}), number)
    assert (view.position is not None) is visible


@pytest.mark.parametrize(("number", "visible"), [(1, True), (2, True), (3, False)])
def test_the_van_is_seen_from_so_many_metres(number: int, visible: bool) -> None:
    """The van is 200 m on its way, stops are 1,000 m apart: the second is 1,800 m ahead, the third 2,800."""
    rule = {"max_stops_before": 9, "max_minutes": 600, "max_m": 2_000}
    route = a_route(settings={"visibility": rule})
    assert route.van is not None
    view = shown(replace(route, van=replace(route.van, along_m=200.0)), number)
    assert (view.position is not None) is visible


@pytest.mark.parametrize("never", ["position", "path", "driver", "stops_before"])
def test_what_an_account_never_shows_is_hidden_and_the_rest_is_not(never: str) -> None:
    rule = {"max_stops_before": 9, "max_minutes": 600, "never": [never]}
    route = a_route(settings={"visibility": rule})
    view = view_of(route, route.stops[1], NOW, path_ahead=[(-75.57, 6.24), (-75.57, 6.25)])
    first = view_of(route, route.stops[0], NOW, path_ahead=[(-75.57, 6.24), (-75.57, 6.25)])
    assert isinstance(view, TrackingView)
    assert isinstance(first, TrackingView)
    there = {
        "position": first.position is not None,
        "path": first.path_ahead is not None,
        "driver": first.driver is not None,
        "stops_before": view.stops_before is not None,
    }
    hidden = {never, "path"} if never == "position" else {never}  # the way begins where the van is
    assert {name for name, shown in there.items() if not shown} == hidden


def test_the_position_is_the_snapped_place() -> None:
    position = shown(a_route(), 1).position
    assert position is not None
    assert (position.lat, position.lon, position.heading_deg) == (6.2442, -75.569, 40.0)
    assert position.recorded_at == NOW - minutes(1)


def hidden_when(**van: Any) -> TrackingView:
    route = a_route()
    assert route.van is not None
    return shown(replace(route, van=replace(route.van, **van)), 1)


def test_off_the_route_there_is_no_position_and_the_eta_is_stale() -> None:
    view = hidden_when(on_route=False, snapped_lat_e6=None, snapped_lon_e6=None, along_m=None)
    assert view.position is None
    assert view.eta is not None
    assert view.eta.stale


def test_a_van_not_heard_of_for_half_an_hour_is_not_shown() -> None:
    assert hidden_when(recorded_at=NOW - minutes(29)).position is not None
    assert hidden_when(recorded_at=NOW - minutes(31)).position is None


def test_nothing_is_shown_during_a_break() -> None:
    on_break = a_stop(2, kind="break", status="arrived", arrived_at=NOW - minutes(5))
    stops = [a_stop(1), on_break, a_stop(3)]
    assert shown(a_route(stops), 3).position is None
    over = replace(on_break, departed_at=NOW)
    assert shown(a_route([a_stop(1), over, a_stop(3)]), 3).position is not None


def test_nothing_is_shown_outside_a_shift_of_who_uses_them() -> None:
    assert shown(a_route(off_shift=True), 1).position is None
    assert shown(a_route(off_shift=True), 1, ahead=[(-75.569, 6.2442), (-75.568, 6.248)]).path_ahead is None
    assert shown(a_route(shift_since=NOW), 1).position is None  # the newest place is from before it
    assert shown(a_route(shift_since=NOW - minutes(1)), 1).position is not None


def test_breaks_do_not_count_as_stops_before() -> None:
    stops = [a_stop(1), a_stop(2, kind="break"), a_stop(3)]
    assert shown(a_route(stops), 3).stops_before == 1


def test_only_whose_turn_it_is_sees_the_way_ahead() -> None:
    ahead = [(-75.569, 6.2442), (-75.568, 6.248)]
    line = shown(a_route(), 1, ahead=ahead).path_ahead
    assert line is not None
    assert line.coordinates == ahead
    assert shown(a_route(), 2, ahead=ahead).path_ahead is None


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"status": "completed", "arrived_at": NOW - minutes(9), "departed_at": NOW - minutes(5)}, "completed"),
        ({"status": "failed", "arrived_at": NOW - minutes(5)}, "failed"),
        ({"status": "skipped"}, "skipped"),
        ({"status": "arrived", "arrived_at": NOW - minutes(9), "departed_at": NOW - minutes(5)}, "departed"),
    ],
)
def test_a_stop_that_is_done_shows_neither_van_nor_driver_nor_eta(changes: dict[str, Any], status: str) -> None:
    view = shown(a_route([a_stop(1, **changes), a_stop(2)]), 1)
    assert view.status == status
    assert (view.position, view.path_ahead, view.driver, view.eta, view.stops_before) == (None,) * 5
    assert not view.under_way


def test_the_next_stop_is_on_its_way_the_others_wait() -> None:
    route = a_route()
    assert [shown(route, number).status for number in (1, 2)] == ["en_route", "pending"]
    assert next_stop(route) == route.stops[0]


def test_a_van_at_the_door_is_shown_without_an_eta() -> None:
    view = shown(a_route([a_stop(1, status="arrived", arrived_at=NOW - minutes(1)), a_stop(2)]), 1)
    assert view.status == "arrived"
    assert view.position is not None
    assert view.eta is None


def test_before_the_route_starts_nothing_moves() -> None:
    route = a_route(status="planned", van=None, eta=None)
    view = shown(route, 2)
    assert (view.status, view.under_way, view.stops_before) == ("pending", False, 1)
    assert (view.position, view.driver, view.eta) == (None, None, None)
    assert next_stop(route) is None


def test_the_van_of_a_finished_route_is_not_shown() -> None:
    route = a_route(status="finished", finished_at=NOW - minutes(30))
    assert shown(route, 3).position is None


def test_the_order_of_the_van_counts_not_that_of_the_plan() -> None:
    route = a_route()
    assert route.eta is not None
    swapped = replace(route, eta=replace(route.eta, stop_ids=[2, 1, 3, 4, 5]))
    assert [shown(swapped, number).stops_before for number in (1, 2)] == [1, 0]


def test_an_eta_of_an_earlier_version_does_not_order_the_stops() -> None:
    route = a_route()
    assert route.eta is not None
    older = replace(route, eta=replace(route.eta, version=1, stop_ids=[2, 1, 3, 4, 5]))
    assert [shown(older, number).stops_before for number in (1, 2)] == [0, 1]


def test_a_stop_that_was_passed_by_has_no_place_in_the_order() -> None:
    route = a_route()
    assert route.eta is not None
    eta = TrackedEta(
        version=2,
        as_of=route.eta.as_of,
        stop_ids=[2, 3],
        **{name: list(getattr(route.eta, name))[:2] for name in ("expected", "low", "high")},
    )
    view = shown(replace(route, eta=eta), 1)
    assert (view.stops_before, view.eta, view.position) == (None, None, None)


def test_silence_makes_the_eta_stale_and_its_window_wider() -> None:
    now = NOW + minutes(9)  # the ping is ten minutes old
    eta = shown(a_route(), 2, now).eta
    assert eta is not None
    assert eta.stale
    assert (eta.expected, eta.low, eta.high) == (NOW + minutes(20), NOW + minutes(17), NOW + minutes(32))


def test_nobody_is_expected_in_the_past() -> None:
    now = NOW + minutes(30)
    eta = shown(a_route(), 1, now).eta
    assert eta is not None
    assert eta.low == eta.expected == now
    assert eta.high > now


@pytest.mark.parametrize(
    ("stop", "route", "now", "why"),
    [
        ({"link_revoked": True}, {}, NOW, "revoked"),
        ({"status": "removed"}, {}, NOW, "removed"),
        ({}, {"status": "cancelled"}, NOW, "cancelled"),
        ({}, {"deleted_at": NOW}, NOW, "cancelled"),
        ({}, {}, NOW + timedelta(hours=15), None),  # planned to end in four hours, and half a day
        ({}, {}, NOW + timedelta(hours=16), "over"),
        ({}, {"status": "finished", "finished_at": NOW}, NOW + timedelta(hours=13), "over"),
        ({"status": "completed", "departed_at": NOW}, {}, NOW + timedelta(hours=23), None),
        ({"status": "completed", "departed_at": NOW}, {}, NOW + timedelta(hours=24), "over"),
        (
            {"status": "completed", "departed_at": NOW},
            {"status": "finished", "finished_at": NOW},
            NOW + timedelta(hours=20),
            None,
        ),
    ],
)
def test_links_end(stop: dict[str, Any], route: dict[str, Any], now: datetime, why: str | None) -> None:
    assert ended(a_route([a_stop(1, **stop), a_stop(2)], **route), 1, now) == why


def test_only_the_first_name_of_the_driver_is_told() -> None:
    assert shown(a_route(driver_name="  Marta  Quintero Ríos"), 1).driver.first_name == "Marta"  # type: ignore[union-attr]
    assert shown(a_route(driver_name=None), 1).driver is None


def test_a_page_without_a_stream_asks_sooner_the_nearer_the_van_is() -> None:
    near, far = shown(a_route(), 1), shown(a_route(), 5)
    planned = shown(a_route(status="planned"), 1)
    assert near.poll_after_s < far.poll_after_s < planned.poll_after_s


def test_who_waits_knows_what_there_is_to_pay_until_it_is_delivered() -> None:
    due: dict[str, Any] = {"cash_amount": Decimal("1390.50"), "cash_currency": "MXN"}
    waiting, pickup, done = (
        a_stop(1, **due),
        a_stop(1, **due, kind="pickup"),
        a_stop(1, **due, status="completed", outcome_at=NOW, received_by="Portería"),
    )
    views = [view_of(a_route([stop]), stop, NOW) for stop in (waiting, pickup, done)]
    assert not any(isinstance(view, Ended) for view in views)
    assert [view.cash and (view.cash.amount, view.cash.currency) for view in views] == [(1390.5, "MXN"), None, None]
    assert [view.received_by for view in views] == [None, None, "Portería"]


@pytest.mark.parametrize(
    ("written", "shown_as"),
    [
        ("Marta Lucía Gómez", "Marta G."),
        (" marta  gómez ", "marta G."),
        ("Marta", "Marta"),
        ("  ", None),
        (" ana  RESTREPO", "Ana Restrepo"),
        ("Ana Restrepo Gómez", "Ana G."),
    ],
)
def test_who_holds_the_link_reads_no_more_of_a_neighbour_than_a_first_name(written: str, shown_as: str | None) -> None:
    stop = a_stop(1, status="completed", outcome_at=NOW, received_by=written)
    stop = replace(stop, name="Ana Restrepo")
    view = view_of(a_route([stop]), stop, NOW)
    assert isinstance(view, TrackingView)
    assert view.received_by == shown_as
