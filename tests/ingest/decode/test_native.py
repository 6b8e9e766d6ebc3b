"""The native format: every value a phone can send becomes a ping, an unknown or a reason; never an exception."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgpack
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.pings import Pings
from geo.trust.clean import Flag
from ingest.decode import native
from ingest.decode.columns import Arrival, Decoded
from ingest.decode.refusals import TooMuch, Unreadable
from sql.inbox.quarantine import written

NOW_MS = 1_772_464_800_000  # 2026-03-02T15:20:00Z
NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)
DAY_MS = 86_400_000
ARRIVAL = Arrival(driver_id=11, device_id=12, received_ms=NOW_MS, oldest_ms=NOW_MS - 30 * DAY_MS)
GOOD: dict[str, Any] = {"time": NOW_MS - 1_000, "lat": 19.4, "lon": -99.1}
NAN = float("nan")


def read(body: bytes, *, packed: bool = False) -> Decoded:
    return native.decode(native.read(body, packed=packed), ARRIVAL, max_batch=10_000)


def decoded(*rows: Any) -> Decoded:
    return read(json.dumps({"pings": rows}).encode())


def whys(result: Decoded) -> list[tuple[int, str]]:
    return [(one.index, one.why) for one in result.rejected]


def one(**changes: Any) -> np.void:
    result = decoded(GOOD | changes)
    assert not result.rejected
    return result.pings.rows[0]  # type: ignore[no-any-return]


def equal(some: Decoded, other: Decoded) -> bool:
    return (
        some.pings.rows.tobytes() == other.pings.rows.tobytes()
        and some.pings.texts.tolist() == other.pings.texts.tolist()
        and some.rejected == other.rejected
    )


@pytest.mark.parametrize(
    ("time", "ms"),
    [
        ("2026-03-02T15:19:00Z", -60_000),
        ("2026-03-02T15:19:00.250Z", -59_750),
        ("2026-03-02T09:19:00-06:00", -60_000),
        ("2026-03-02T09:19:00.5-0600", -59_500),
        ("2026-03-02 15:19:00+00:00", -60_000),
        ("20260302T151900Z", -60_000),
        ("2026-03-02T15:19:00.250987Z", -59_750),  # finer times are cut
        (NOW_MS - 60_000 + 0.987, -60_000),
        (NOW_MS - 60_000 + 0.9999, -59_999),  # but a float is mostly a little less than what was meant
        (NOW_MS - 60_000, -60_000),
        (float(NOW_MS - 60_000), -60_000),
        (NOW_MS - 29 * DAY_MS, -29 * DAY_MS),
        (NOW_MS + DAY_MS, DAY_MS),
    ],
)
def test_times_with_a_zone_and_milliseconds_are_read(time: Any, ms: int) -> None:
    assert one(time=time)["recorded_ms"] == NOW_MS + ms


@pytest.mark.parametrize(
    ("time", "why"),
    [
        (None, "time-missing"),
        ("2026-03-02T15:19:00", "time-without-zone"),
        ("2026-03-02", "time-without-zone"),
        ("yesterday", "time-unreadable"),
        ("", "time-unreadable"),
        ("1772464740000", "time-unreadable"),
        (True, "time-unreadable"),
        ([1], "time-unreadable"),
        ({"seconds": 1}, "time-unreadable"),
        (1_772_464_740, "time-too-old"),  # seconds
        ("1970-01-01T00:00:00Z", "time-too-old"),
        ("0001-01-01T00:00:00+14:00", "time-too-old"),
        (-(10**30), "time-too-old"),
        (NOW_MS - 31 * DAY_MS, "time-too-old"),
        (NOW_MS + DAY_MS + 1, "time-too-far-ahead"),
        ("2099-01-01T00:00:00Z", "time-too-far-ahead"),
        ("9999-12-31T23:59:59-14:00", "time-too-far-ahead"),
        (10**300, "time-too-far-ahead"),
        (NAN, "time-missing"),
        (float("inf"), "time-too-far-ahead"),
    ],
)
def test_a_time_that_is_none_is_refused(time: Any, why: str) -> None:
    assert whys(decoded(GOOD | {"time": time}, GOOD)) == [(0, why)]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "missing"),
        (NAN, "missing"),
        ("19.4", "not-a-number"),
        (True, "not-a-number"),
        ([19.4], "not-a-number"),
        (181, "out-of-range"),
        (-180.000001, "out-of-range"),
        (float("inf"), "out-of-range"),
        (10**400, "out-of-range"),
    ],
)
@pytest.mark.parametrize("field", ["lat", "lon"])
def test_a_place_that_is_none_is_refused(field: str, value: Any, why: str) -> None:
    assert whys(decoded(GOOD, GOOD | {field: value})) == [(1, f"{field}-{why}")]


def test_a_number_too_large_for_a_float_is_refused_alone() -> None:
    body = json.dumps({"pings": [GOOD, GOOD]}).replace("19.4", "1e400", 1).encode()
    assert whys(read(body)) == [(0, "lat-out-of-range")]


@pytest.mark.parametrize("row", [None, 5, "ping", [], [1, 2], True])
def test_what_is_not_an_object_is_refused(row: Any) -> None:
    assert whys(decoded(GOOD, row)) == [(1, "not-an-object")]


@pytest.mark.parametrize(("lat", "lon"), [(90, 180), (-90, -180), (0, 0)])
def test_the_ends_of_the_world_are_places(lat: float, lon: float) -> None:
    assert (one(lat=lat, lon=lon)["lat_e6"], one(lat=lat, lon=lon)["lon_e6"]) == (lat * 1e6, lon * 1e6)


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("accuracy_m", 4.5, 4.5),
        ("accuracy_m", 0, NAN),
        ("accuracy_m", -1, NAN),
        ("altitude_m", -1, NAN),
        ("altitude_m", -2.5, -2.5),
        ("speed_mps", 0, 0),
        ("speed_mps", -1, NAN),
        ("heading_deg", 360, 0),
        ("heading_deg", 359.999999, 0),
        ("heading_deg", 361, NAN),
        ("heading_deg", -1, NAN),
        ("battery", 1, 1),
        ("battery", 80, NAN),
        ("battery", "80%", NAN),
        ("speed_mps", True, NAN),
        ("speed_mps", 1e300, NAN),
        ("speed_mps", 10**400, NAN),
        ("accuracy_m", {"value": 4}, NAN),
        ("charging", True, 1),
        ("charging", False, 0),
        ("charging", None, -1),
        ("charging", -1, -1),
        ("charging", "yes", -1),
        ("mock", True, 1),
        ("mock", 0, 0),
    ],
)
def test_an_odd_optional_field_is_unknown_and_refuses_nothing(field: str, value: Any, kept: float) -> None:
    assert one(**{field: value})[field] == pytest.approx(kept, nan_ok=True)


def test_unknown_fields_are_ignored_and_the_last_of_two_counts() -> None:
    body = b'{"pings": [{"time": 5, "time": %d, "lat": 1, "lon": 2, "weather": {"rain": []}}], "app": 3}' % NOW_MS
    assert read(body).pings.rows["recorded_ms"].tolist() == [NOW_MS]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("abc", "abc"),
        ("", None),
        (7, "7"),
        (None, None),
        (["abc"], None),
        ("x" * 100, "x" * 64),
        ("ñ" * 100, "ñ" * 64),
        ("a\0b", "ab"),
        ("a\ud800b", "a?b"),
    ],
)
def test_a_phones_own_id_is_cut_and_cleaned_never_refused(sent: Any, kept: str | None) -> None:
    assert decoded(GOOD | {"id": sent, "activity": "a" * 99}).pings.texts.tolist() == [["a" * 32, kept]]


@pytest.mark.parametrize(
    ("ahead_s", "flags"), [(-1, 0), (300, 0), (300.001, Flag.CLOCK_AHEAD), (80_000, Flag.CLOCK_AHEAD)]
)
def test_a_clock_more_than_five_minutes_ahead_is_flagged(ahead_s: float, flags: int) -> None:
    assert one(time=NOW_MS + round(ahead_s * 1000))["flags"] == flags


def test_packed_columns_are_read_as_they_lie() -> None:
    columns = {
        "time": np.array([NOW_MS - 2, NOW_MS - 1, NOW_MS], "<i8").tobytes(),
        "lat": np.array([1, NAN, 2.5], "<f8").tobytes(),
        "lon": np.array([3, 4, 5], "<f8").tobytes(),
        "speed_mps": np.array([NAN, 1, 7.5], "<f8").tobytes(),
        "charging": np.array([1, 0, NAN], "<f8").tobytes(),
        "id": ["a", None, "c"],
        "colour": [1],
    }
    result = read(msgpack.packb({"columns": columns}), packed=True)
    assert whys(result) == [(1, "lat-missing")]
    rows = result.pings.rows
    assert rows["recorded_ms"].tolist() == [NOW_MS - 2, NOW_MS]
    assert rows["lat_e6"].tolist() == [1_000_000, 2_500_000]
    assert rows["speed_mps"].tolist() == pytest.approx([NAN, 7.5], nan_ok=True)
    assert rows["charging"].tolist() == [1, -1]
    assert result.pings.texts.tolist() == [[None, "a"], [None, "c"]]


def test_packed_numbers_have_eight_bytes_each() -> None:
    with pytest.raises(Unreadable) as told:
        read(msgpack.packb({"columns": {"time": b"1234567", "lat": b"", "lon": b""}}), packed=True)
    assert told.value.at == "/columns/time"


def test_messagepack_timestamps_are_times() -> None:
    body = msgpack.packb([GOOD | {"time": NOW}, GOOD | {"time": NOW, "battery": "x"}], datetime=True)
    assert read(body, packed=True).pings.rows["recorded_ms"].tolist() == [NOW_MS, NOW_MS]


def test_a_batch_over_the_limit_is_too_large() -> None:
    message = native.read(json.dumps([GOOD] * 4).encode(), packed=False)
    with pytest.raises(TooMuch):
        native.decode(message, ARRIVAL, max_batch=3)


def test_a_frames_number_is_read_whatever_else_is_wrong() -> None:
    for body, n in ((b'{"n": 7}', 7), (b'{"n": 7, "pings": 3}', 7), (b'{"n": true}', None), (b'{"n": 1e3}', None)):
        assert native.read(body, packed=False).n == n
    assert native.read(b'{"n": %d}' % 10**40, packed=False).n is None


SENT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ROW = st.fixed_dictionaries({}, optional=dict.fromkeys(native.FIELDS, SENT) | {"time": st.just(NOW_MS) | SENT}) | SENT


@settings(max_examples=300)
@given(rows=st.lists(ROW, max_size=6), envelope=st.sampled_from(["list", "pings", "columns"]))
def test_anything_sent_is_kept_refused_or_a_problem(rows: list[Any], envelope: str) -> None:
    body: Any = {"list": rows, "pings": {"pings": rows}, "columns": {"columns": rows[0] if rows else None}}[envelope]
    for packed, data in ((False, json.dumps(body).encode()), (True, msgspec.msgpack.encode(_packable(body)))):
        try:
            message = native.read(data, packed=packed)
            result = native.decode(message, ARRIVAL, max_batch=10_000)
        except Unreadable:
            continue
        if envelope != "columns":
            assert len(result.pings) + len(result.rejected) == len(rows)
        at = [rejected.index for rejected in result.rejected]
        assert at == sorted(set(at))
        for rejected in result.rejected:
            json.loads(written(rejected.sent))
        rows_kept = result.pings.rows
        assert ((np.abs(rows_kept["lat_e6"]) <= 90_000_000) & (np.abs(rows_kept["lon_e6"]) <= 180_000_000)).all()
        assert equal(read(data, packed=packed), result)


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_pings_or_a_problem(body: bytes, packed: bool) -> None:
    with suppress(Unreadable):
        read(body, packed=packed)


WELL_TYPED = st.fixed_dictionaries(
    {
        "time": st.integers(NOW_MS - 40 * DAY_MS, NOW_MS + 2 * DAY_MS)
        | st.integers(-(10**13), 10**11).map(lambda us: (NOW + timedelta(microseconds=us)).isoformat()),
        "lat": st.floats(-100, 100),
        "lon": st.floats(-200, 200),
    },
    optional={
        "accuracy_m": st.none() | st.floats(-1, 100),
        "heading_deg": st.none() | st.floats(-10, 400),
        "charging": st.none() | st.booleans(),
        "id": st.none() | st.text(max_size=70),
    },
)


@given(st.lists(WELL_TYPED, min_size=1, max_size=5))
def test_the_fast_way_and_the_loose_way_give_the_same(rows: list[dict[str, Any]]) -> None:
    typed = native.read(json.dumps(rows).encode(), packed=False)
    loose = native.PingsBody(None, False, json.loads(json.dumps(rows)), None)
    columns = {name: [row.get(name) for row in rows] for name in native.FIELDS}
    as_columns = native.PingsBody(None, True, None, columns)
    expected = native.decode(typed, ARRIVAL, max_batch=9)
    assert typed.typed
    assert equal(native.decode(loose, ARRIVAL, max_batch=9), expected)
    assert equal(native.decode(as_columns, ARRIVAL, max_batch=9), expected)


def test_an_empty_batch_holds_nothing() -> None:
    for body in (b"[]", b'{"pings": []}', b'{"columns": {"time": [], "lat": [], "lon": []}}'):
        assert equal(read(body), Decoded(Pings.empty(), []))


def test_what_was_refused_can_be_shown_as_it_was_sent() -> None:
    (refused,) = decoded(GOOD | {"lat": 91}).rejected
    assert refused.sent == GOOD | {"lat": 91}
    (refused,) = decoded(GOOD | {"lat": "91"}, GOOD).rejected
    assert refused.sent == GOOD | {"lat": "91"}
    columns = {"time": np.array([5], "<i8").tobytes(), "lat": np.array([91], "<f8").tobytes(), "lon": [2], "id": None}
    (refused,) = read(msgpack.packb({"columns": columns}), packed=True).rejected
    assert refused.sent == {"time": 5, "lat": 91, "lon": 2}


def test_bytes_that_are_no_json_are_told_as_such() -> None:
    with pytest.raises(Unreadable, match="JSON"):
        read(b"\x82\xa1")


def _packable(value: Any) -> Any:
    """What MessagePack can carry: whole numbers of 64 bits."""
    if isinstance(value, dict):
        return {key: _packable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_packable(one) for one in value]
    if type(value) is int and not -(1 << 63) <= value < 1 << 64:
        return float(value)
    return value


@pytest.mark.parametrize(
    ("time", "flag"),
    [
        ("2006-07-17T15:19:00Z", Flag.GPS_WEEK_ROLLOVER),
        (NOW_MS - 60_000 - 1024 * 7 * DAY_MS, Flag.GPS_WEEK_ROLLOVER),
        ("1995-03-02T15:19:00Z", Flag.EPOCH_2001),
        (NOW_MS - 60_000 - 978_307_200_000, Flag.EPOCH_2001),
    ],
)
def test_a_time_counted_from_another_beginning_is_repaired_and_says_so(time: Any, flag: Flag) -> None:
    ping = one(time=time)
    assert (ping["recorded_ms"], ping["flags"]) == (NOW_MS - 60_000, flag)
    mixed = decoded(GOOD, GOOD | {"time": None}, GOOD | {"time": time})
    assert mixed.pings.rows["flags"].tolist() == [0, int(flag)]
    assert whys(mixed) == [(1, "time-missing")]
