"""What Overland sends: batches of fixes, with visits, trips and what the app did between them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.trust.clean import Flag
from ingest.decode import overland
from ingest.decode.columns import Decoded
from ingest.decode.refusals import TooMuch
from tests.ingest.decode.apps import ANY, ARRIVAL, lives, only, posted, whys

SECONDS = range(60)


def feature(second: int = 30, *, at: Any = (-99.1332085, 19.4326077), **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": list(at) if isinstance(at, tuple) else at},
        "properties": {
            "timestamp": f"2025-06-15T15:06:{second:02d}Z", "altitude": 2240, "speed": 8, "course": 271,
            "horizontal_accuracy": 5, "vertical_accuracy": 3, "speed_accuracy": 1, "course_accuracy": -1,
            "motion": ["driving"], "battery_state": "charging", "battery_level": 0.81, "wifi": "casa",
            "device_id": "", "unique_id": "0F3C", "pauses": False, "activity": "automotive_navigation",
        } | properties,
    }  # fmt: skip


def bare(**properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"timestamp": "2025-06-15T15:06:31Z", **properties}}


VISIT = feature(31, action="visit", arrival_date="2025-06-15T14:00:00Z", departure_date=None)
TRIP = feature(31, type="trip", mode="driving", distance=1200.5, start="2025-06-15T15:00:00Z")
NOT_PLACES = [
    VISIT, TRIP, {**feature(31), "type": "trip"}, bare(action="will_terminate"), bare(battery_level=0.5),
    feature(31, action="paused_location_updates"),
    {**feature(31), "geometry": None}, {**feature(31), "geometry": {"type": "Point", "coordinates": []}},
]  # fmt: skip


def decode(said: Any, **more: Any) -> Decoded:
    return overland.decode(posted(said, app="overland", **more), ARRIVAL)


def batch(*features: Any, **more: Any) -> Decoded:
    return decode({"locations": list(features), **more})


def test_a_feature_is_a_ping() -> None:
    result = batch(feature())
    row = only(result)
    assert (row["recorded_ms"], row["lat_e6"], row["lon_e6"]) == (1_749_999_990_000, 19432608, -99133208)
    assert (row["speed_mps"], row["heading_deg"], row["accuracy_m"], row["altitude_m"]) == (8, 271, 5, 2240)
    assert (row["battery"], row["charging"]) == (np.float32(0.81), 1)
    assert result.pings.texts.tolist() == [["driving", None]]


def test_a_batch_is_read_in_its_order_however_long() -> None:
    for times in (1, 20):
        result = batch(*[feature(second) for second in SECONDS] * times)
        assert result.rejected == []
        assert (np.diff(result.pings.rows["recorded_ms"][:60]) == 1000).all()
        assert len(result.pings) == 60 * times


def test_what_the_phone_does_not_know_is_unknown() -> None:
    unknown = dict.fromkeys(("speed", "course", "horizontal_accuracy", "altitude", "battery_level"), -1)
    row = only(batch(feature(**unknown, battery_state="unknown", motion=[])))
    measured = [row[name] for name in ("accuracy_m", "speed_mps", "heading_deg", "battery", "altitude_m")]
    assert np.isnan(measured).all()
    assert row["charging"] == -1


def test_a_time_has_any_zone() -> None:
    row = only(batch(feature(timestamp="2025-06-15T10:06:30-0500")))
    assert row["recorded_ms"] == 1_749_999_990_000


def test_the_newest_place_stands_beside_the_batch() -> None:
    result = batch(feature(1), feature(2), current=feature(40))
    assert result.pings.rows["recorded_ms"].tolist() == [1_749_999_961_000, 1_749_999_962_000, 1_750_000_000_000]
    only(decode({"current": feature()}))


@pytest.mark.parametrize("one", NOT_PLACES)
def test_what_is_no_place_is_no_ping(one: Any) -> None:
    assert lives(batch(one))
    assert len(batch(one, feature()).pings) == 1
    assert batch(one, feature()).rejected == []


@pytest.mark.parametrize("said", [{"locations": []}, {"locations": [], "trip": {"mode": "car"}}, {"trip": {"a": 1}}])
def test_a_batch_of_nothing_says_that_the_phone_lives(said: Any) -> None:
    assert lives(decode(said))


def test_the_battery_is_heard_of_the_last_that_says_it() -> None:
    heard = batch(bare(battery_level=0.5), bare(battery_level=0.4), bare(action="will_terminate")).heard
    assert heard is not None
    assert heard.battery == 0.4


def test_good_ones_are_kept_and_each_bad_one_has_its_reason() -> None:
    bad = [
        feature(at=(-99.1, 91)), feature(timestamp="noon"), feature(timestamp=None), "x", {}, feature(at=(-99.1,)),
        feature(at="x"), feature(at=(-99.1, "19")), feature(timestamp="2025-06-15T15:06:30"),
    ]  # fmt: skip
    mixed = [each for pair in zip(bad, [feature(second) for second in range(len(bad))], strict=True) for each in pair]
    result = batch(*mixed)
    reasons = ("lat-out-of-range", "time-unreadable", "time-missing", "not-an-object", "not-an-object", "lat-missing")
    reasons += ("lat-not-a-number", "lat-not-a-number", "time-without-zone")
    assert whys(result) == [(2 * at, why) for at, why in enumerate(reasons)]
    assert [one.sent for one in result.rejected] == bad
    assert len(result.pings) == len(bad)
    assert whys(batch(*mixed * 4)) == [(18 * round_ + at, why) for round_ in range(4) for at, why in whys(result)]


def test_more_than_a_request_may_hold_is_too_much() -> None:
    with pytest.raises(TooMuch):
        decode({"locations": [feature()] * 10, "current": feature()}, max_batch=10)
    assert len(decode({"locations": [feature()] * 10}, max_batch=10).pings) == 10


def test_it_may_imitate_owntracks() -> None:
    said = {"_type": "location", "lat": 19.4, "lon": -99.1, "tst": 1_749_999_990 - 978_307_200, "acc": 5, "batt": 81}
    row = only(decode(said))
    assert (row["recorded_ms"], row["flags"]) == (1_749_999_990_000, Flag.EPOCH_2001)


@pytest.mark.parametrize(
    "said", [b"", b"{", b"[" * 100_000, [], [feature()], {}, {"locations": 5}, {"locations": {}}, {"current": 5}]
)
def test_what_is_no_batch_is_unreadable(said: Any) -> None:
    assert whys(decode(said)) == [(0, "body-unreadable")]


_PROPERTIES = st.dictionaries(st.sampled_from([*feature()["properties"], "action", "type"]), ANY)
_FEATURE = st.one_of(
    st.builds(lambda properties, at: feature(at=at, **properties), _PROPERTIES, ANY | st.lists(ANY, max_size=3)),
    st.fixed_dictionaries({}, optional={"geometry": ANY, "properties": ANY}),
    ANY,
)


@given(st.lists(_FEATURE, max_size=4), st.fixed_dictionaries({}, optional={"current": _FEATURE, "trip": ANY}))
def test_any_batch_is_read(features: list[Any], more: dict[str, Any]) -> None:
    result = batch(*features, **more)
    assert len(result.pings) + len(result.rejected) <= len(features) + 1
    assert [one.index for one in result.rejected] == sorted({one.index for one in result.rejected})


@given(st.fixed_dictionaries({}, optional={"locations": ANY, "current": ANY}) | ANY | st.binary(max_size=60))
def test_anything_is_read(said: Any) -> None:
    decode(said)
