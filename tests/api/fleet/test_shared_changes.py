"""What many streams tell is written once; who comes later, or falls behind, misses nothing."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from api.fleet.position_view import Filter
from api.fleet.shared_changes import SharedChanges
from sql.track.live import LivePosition

AT = datetime(2026, 3, 2, 15, tzinfo=UTC)
ALL, MOVING = Filter(box=None, statuses=None), Filter(box=None, statuses=frozenset({"moving"}))
ANA = LivePosition(
    driver_id=1, route_id=None, recorded_at=AT, lat_e6=6_250_000, lon_e6=-75_570_000, accuracy_m=4.0, speed_mps=8.0,
    heading_deg=10.0, along_m=None, on_route=None, next_stop_id=None, delay_s=None, received_at=AT, battery=None,
    heard_at=AT, silent=False, alarm=None, alarm_at=None, break_since=None, at_stop_id=None, at_break=False,
)  # fmt: skip


def names(told: list[tuple[str, bytes]]) -> list[tuple[str, list[str]]]:
    said = [(event, json.loads(data)) for event, data in told]
    return [(event, one.get("driver_ids") or [of["id"] for of in one["features"]]) for event, one in said]


def test_streams_share_what_is_told_and_whoever_is_behind_gets_all_of_it() -> None:
    shared = SharedChanges(cast(Any, None))
    beto = replace(ANA, driver_id=2)
    first = {1: ANA, 2: beto}
    begun = shared.newest(7, ALL, first, None, AT)
    assert names(begun.told(None)) == [("snapshot", ["dr_1", "dr_2"])]
    assert shared.newest(7, ALL, first, None, AT) is begun
    assert begun.told(None) is begun.told(None)
    second = {1: replace(ANA, lon_e6=1), 2: beto}
    third = {1: second[1]}
    moved = shared.newest(7, ALL, second, begun.now, AT)
    assert names(moved.told(begun.now)) == [("changed", ["dr_1"])]
    assert shared.newest(7, ALL, second, begun.now, AT).told(begun.now) is moved.told(begun.now)
    left = shared.newest(7, ALL, third, moved.now, AT)
    assert names(left.told(moved.now)) == [("gone", ["dr_2"])]
    assert names(left.told(begun.now)) == [("changed", ["dr_1"]), ("gone", ["dr_2"])]  # it was busy with the first
    assert shared.newest(8, ALL, {}, None, AT).now.vans == {}


def test_time_alone_takes_a_van_out_of_what_is_asked_for() -> None:
    shared = SharedChanges(cast(Any, None))
    positions = {1: ANA}
    moving = shared.newest(7, MOVING, positions, None, AT)
    assert names(moving.told(None)) == [("snapshot", ["dr_1"])]
    later = shared.newest(7, MOVING, positions, moving.now, AT + timedelta(seconds=90))
    assert names(later.told(moving.now)) == [("gone", ["dr_1"])]
