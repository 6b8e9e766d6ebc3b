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
    driver_id=1, route_id=None, recorded_at=AT, lat_e6=6_250_000, lon_e6=-75_570_000, speed_mps=8.0, heading_deg=10.0,
    along_m=None, on_route=None, next_stop_id=None, delay_s=None, received_at=AT, battery=None, heard_at=AT,
    silent=False, alarm=None, alarm_at=None, break_since=None, at_stop_id=None, at_break=False,
)  # fmt: skip


def names(told: list[tuple[str, bytes]]) -> list[tuple[str, list[str]]]:
    said = [(event, json.loads(data)) for event, data in told]
    return [(event, one.get("driver_ids") or [of["id"] for of in one["features"]]) for event, one in said]


def test_streams_share_what_is_told_and_whoever_is_behind_gets_all_of_it() -> None:
    shared = SharedChanges(cast(Any, None))
    beto = replace(ANA, driver_id=2)
    first = {1: ANA, 2: beto}
    desk, told = shared.told(7, ALL, first, None, AT)
    assert names(told) == [("snapshot", ["dr_1", "dr_2"])]
    other, same = shared.told(7, ALL, first, None, AT)
    assert other is desk
    assert same is told
    second = {1: replace(ANA, lon_e6=1), 2: beto}
    third = {1: second[1]}
    after, told = shared.told(7, ALL, second, desk, AT)
    assert names(told) == [("changed", ["dr_1"])]
    assert shared.told(7, ALL, second, desk, AT)[1] is told
    desk, told = shared.told(7, ALL, third, after, AT)
    assert names(told) == [("gone", ["dr_2"])]
    late, told = shared.told(7, ALL, third, other, AT)  # it was busy with the first
    assert names(told) == [("changed", ["dr_1"]), ("gone", ["dr_2"])]
    assert late is desk  # and is with the others again
    assert shared.told(8, ALL, {}, None, AT)[0] == {}


def test_time_alone_takes_a_van_out_of_what_is_asked_for() -> None:
    shared = SharedChanges(cast(Any, None))
    positions = {1: ANA}
    moving, told = shared.told(7, MOVING, positions, None, AT)
    assert names(told) == [("snapshot", ["dr_1"])]
    assert names(shared.told(7, MOVING, positions, moving, AT + timedelta(seconds=90))[1]) == [("gone", ["dr_1"])]
