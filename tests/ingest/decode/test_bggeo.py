"""What apps send that are built on background-geolocation: single, in batches, flat, and as its forerunner does."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import bggeo
from ingest.decode.columns import Decoded
from ingest.decode.refusals import TooMuch
from tests.ingest.decode.apps import ANY, ARRIVAL, lives, only, posted, whys

LOCATION = {
    "coords": {
        "latitude": 19.432608, "longitude": -99.133208, "accuracy": 5.2, "speed": 8.5, "heading": 271.5,
        "altitude": 2240.1, "ellipsoidal_altitude": 2230, "speed_accuracy": 1, "heading_accuracy": -1, "floor": None,
    },
    "timestamp": "2025-06-15T15:06:30.250Z", "age": 40, "uuid": "7f8a1c52-9c0a-4d5a-8c55-1f1fd8a6a3aa",
    "event": "motionchange", "is_moving": True, "odometer": 1200.5, "mock": False, "extras": {},
    "activity": {"type": "in_vehicle", "confidence": 100}, "battery": {"level": 0.81, "is_charging": True},
}  # fmt: skip
FLEETBASE = {
    "latitude": 19.432608, "longitude": -99.133208, "heading": 271.5, "speed": 8.5, "altitude": 2240.1,
    "timestamp": "2025-06-15T15:06:30.250Z", "activity": {"type": "in_vehicle", "confidence": 100}, "is_moving": True,
    "battery": {"level": 0.81, "is_charging": True},
}  # fmt: skip
MAURON85 = {
    "provider": "fused", "locationProvider": 1, "time": 1_749_999_990_250, "latitude": 19.432608, "accuracy": 5.2,
    "longitude": -99.133208, "speed": 8.5, "altitude": 2240.1, "bearing": 271.5, "isFromMockProvider": True,
}  # fmt: skip


def decode(said: Any, **more: Any) -> Decoded:
    return bggeo.decode(posted(said, app="bggeo", **more), ARRIVAL)


def changed(**fields: Any) -> dict[str, Any]:
    return {"location": LOCATION | fields}


def placed(**coords: Any) -> dict[str, Any]:
    return changed(coords={**LOCATION["coords"], **coords})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "said",
    [{"location": LOCATION}, {"location": [LOCATION], "company": 7}, LOCATION | {"company": 7}, [LOCATION]],
    ids=["one", "a list", "the root", "a bare list"],
)
def test_a_location_is_read_wherever_it_stands(said: Any) -> None:
    result = decode(said)
    row = only(result)
    assert (row["recorded_ms"], row["lat_e6"], row["lon_e6"]) == (1_749_999_990_250, 19432608, -99133208)
    assert (row["speed_mps"], row["heading_deg"], row["charging"], row["mock"]) == (8.5, 271.5, 1, 0)
    assert (row["accuracy_m"], row["altitude_m"], row["battery"]) == pytest.approx((5.2, 2240.1, 0.81))
    assert result.pings.texts.tolist() == [["in_vehicle", LOCATION["uuid"]]]


def test_a_flat_template_is_read() -> None:
    for said in (FLEETBASE, {"location": FLEETBASE}, [FLEETBASE]):
        row = only(decode(said))
        assert (row["recorded_ms"], row["speed_mps"], row["heading_deg"]) == (1_749_999_990_250, 8.5, 271.5)
    quoted = {name: str(value) if isinstance(value, float) else value for name, value in FLEETBASE.items()}
    assert only(decode(quoted | {"battery": "0.81"}))["battery"] == np.float32(0.81)


def test_the_forerunner_sends_a_bare_list_with_its_own_names() -> None:
    row = only(decode([MAURON85]))
    assert (row["recorded_ms"], row["heading_deg"], row["mock"]) == (1_749_999_990_250, 271.5, 1)


def test_what_the_phone_does_not_know_is_unknown() -> None:
    said = placed(**dict.fromkeys(("accuracy", "speed", "heading", "altitude"), -1))
    said["location"]["battery"] = {"level": -1, "is_charging": False}
    row = only(decode(said))
    measured = [row[name] for name in ("accuracy_m", "speed_mps", "heading_deg", "battery", "altitude_m")]
    assert np.isnan(measured).all()
    assert row["charging"] == 0


def test_a_fence_that_was_entered_is_a_place() -> None:
    only(decode(changed(event="geofence", geofence={"identifier": "casa", "action": "ENTER", "extras": {}})))


@pytest.mark.parametrize(
    "said",
    [
        changed(sample=True),
        changed(coords={}),
        changed(coords=None),
        {"location": {"event": "heartbeat", "timestamp": "2025-06-15T15:06:30Z", "battery": {"level": 0.5}}},
        {"location": {"event": "providerchange", "provider": {"enabled": False, "status": 2}}},
        {"location": []},
        [],
    ],
)
def test_what_is_no_place_says_that_the_phone_lives(said: Any) -> None:
    assert lives(decode(said))


def test_good_ones_are_kept_and_each_bad_one_has_its_reason() -> None:
    bad = [placed(latitude=91)["location"], LOCATION | {"timestamp": None}, "x", {}, LOCATION | {"timestamp": "noon"}]
    good = [LOCATION | {"timestamp": f"2025-06-15T15:06:{second:02d}Z"} for second in range(60)]
    result = decode({"location": [*bad, *good, LOCATION | {"sample": True}]})
    reasons = ("lat-out-of-range", "time-missing", "not-an-object", "not-an-object", "time-unreadable")
    assert whys(result) == list(enumerate(reasons))
    assert [one.sent for one in result.rejected] == bad
    assert len(result.pings) == 60


def test_more_than_a_request_may_hold_is_too_much() -> None:
    for said in ([LOCATION] * 11, {"location": [LOCATION] * 11}):
        with pytest.raises(TooMuch):
            decode(said, max_batch=10)


@pytest.mark.parametrize("said", [b"", b"{", b"[" * 100_000, {}, 5, {"location": 5}, {"location": {}}, {"a": LOCATION}])
def test_what_is_no_location_is_unreadable(said: Any) -> None:
    assert whys(decode(said)) == [(0, "body-unreadable")]


_COORDS = st.dictionaries(st.sampled_from(sorted(LOCATION["coords"])), ANY)  # type: ignore[call-overload]
_LOCATION = st.one_of(
    st.builds(lambda fields: LOCATION | fields, st.dictionaries(st.sampled_from(sorted(LOCATION)), ANY | _COORDS)),
    st.builds(lambda fields: FLEETBASE | fields, st.dictionaries(st.sampled_from(sorted(FLEETBASE)), ANY)),
    st.builds(lambda fields: MAURON85 | fields, st.dictionaries(st.sampled_from(sorted(MAURON85)), ANY)),
    ANY,
)


@given(st.lists(_LOCATION, max_size=4))
def test_any_batch_is_read(locations: list[Any]) -> None:
    for said in (locations, {"location": locations}):
        result = decode(said)
        assert len(result.pings) + len(result.rejected) <= len(locations)


@given(_LOCATION | st.fixed_dictionaries({"location": _LOCATION}) | st.binary(max_size=60))
def test_anything_is_read(said: Any) -> None:
    decode(said)
