"""What Traccar Client 8, 9 and 10 and the OsmAnd app send, one payload of each shape."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.trust.clean import Flag
from ingest.decode import fields, osmand
from ingest.decode.columns import Arrival, Decoded
from ingest.decode.message import AppMessage

NOW_MS = 1_750_000_000_000
ARRIVAL = Arrival(driver_id=1, device_id=2, received_ms=NOW_MS, oldest_ms=NOW_MS - 30 * 86_400_000)

TRACCAR_8_ANDROID = (
    "id=48241179&timestamp=1749999990&lat=19.4326077&lon=-99.133208&speed=16.198704103671706&bearing=271.5"
    "&altitude=2240.1&accuracy=7.5&batt=81.0&mock=true"
)
TRACCAR_8_IOS = (
    "id=48241179&timestamp=1749999990&lat=19.432608&lon=-99.133208&speed=0.0&bearing=0.0&altitude=2240.1&batt=81.0"
)
TRACCAR_9 = {
    "device_id": "48241179",
    "location": {
        "timestamp": "2025-06-15T15:06:30.250Z",
        "coords": {
            "latitude": 19.432608, "longitude": -99.133208, "accuracy": 5.2, "speed": 8.33, "heading": 271.5,
            "altitude": 2240.1,
        },
        "is_moving": True,
        "odometer": 1200.5,
        "event": "motionchange",
        "battery": {"level": 0.81, "is_charging": True},
        "activity": {"type": "in_vehicle"},
        "extras": {},
        "uuid": "7f8a1c52-9c0a-4d5a-8c55-1f1fd8a6a3aa",
        "_": "&id=48241179&lat=19.432608&lon=-99.133208&",
    },
}  # fmt: skip
TRACCAR_10 = (
    "id=48241179&lat=19.432608&lon=-99.133208&timestamp=1749999990&accuracy=5.2&altitude=2240.1&speed=16.20"
    "&bearing=271.5&batt=81&charge=true"
)
OSMAND = (
    "lat=19.432608&lon=-99.13321&timestamp=1749999990250&hdop=4.6&altitude=2240.1&speed=8.33&bearing=271.5"
    "&eta=0&distance=12&device=van"
)


def decode(said: Mapping[str, str], body: bytes = b"", *, as_json: bool = False, osmand_app: bool = False) -> Decoded:
    app = "osmand" if osmand_app else "traccar"
    return osmand.decode(AppMessage(app=app, query=said, body=body, is_json=as_json), ARRIVAL)


def query(text: str, *, osmand_app: bool = False) -> Decoded:
    fields = dict(parse_qsl(text, keep_blank_values=True))
    return decode(fields, osmand_app=osmand_app)


def form(text: str) -> Decoded:
    return decode({}, text.encode())


def body(said: Any) -> Decoded:
    return decode({}, json.dumps(said).encode(), as_json=True)


def only(result: Decoded) -> np.void:
    assert (len(result.pings), result.rejected) == (1, [])
    return result.pings.rows[0]  # type: ignore[no-any-return]


def changed(**changes: Any) -> dict[str, Any]:
    return TRACCAR_9 | {"location": TRACCAR_9["location"] | changes}  # type: ignore[operator]


def test_traccar_client_8_on_android_sends_knots_in_the_query() -> None:
    row = only(query(TRACCAR_8_ANDROID))
    assert (row["recorded_ms"], row["lat_e6"], row["lon_e6"]) == (1_749_999_990_000, 19432608, -99133208)
    assert row["speed_mps"] == pytest.approx(8.3333, abs=1e-3)
    assert (row["heading_deg"], row["accuracy_m"], row["mock"]) == (271.5, 7.5, 1)
    assert (row["battery"], row["altitude_m"]) == pytest.approx((0.81, 2240.1))


def test_traccar_client_8_on_ios_gives_no_accuracy() -> None:
    row = only(query(TRACCAR_8_IOS))
    assert np.isnan(row["accuracy_m"])
    assert (row["speed_mps"], row["mock"]) == (0, -1)


def test_traccar_client_9_sends_json_with_metres_a_second() -> None:
    result = body(TRACCAR_9)
    row = only(result)
    assert (row["recorded_ms"], row["charging"]) == (1_749_999_990_250, 1)
    assert (row["speed_mps"], row["battery"], row["accuracy_m"]) == pytest.approx((8.33, 0.81, 5.2))
    assert result.pings.texts.tolist() == [["in_vehicle", "7f8a1c52-9c0a-4d5a-8c55-1f1fd8a6a3aa"]]


def test_traccar_client_9_says_minus_one_for_unknown() -> None:
    coords = {"latitude": 19.4, "longitude": -99.1, "accuracy": 5, "speed": -1, "heading": -1, "altitude": 5}
    row = only(body(changed(coords=coords, battery={"level": -1, "is_charging": False})))
    assert np.isnan([row["speed_mps"], row["heading_deg"], row["battery"]]).all()
    assert row["charging"] == 0


def test_a_flat_location_with_battery_and_activity_at_the_root_is_read_too() -> None:
    flat = {"latitude": 19.4, "longitude": -99.1, "timestamp": "2025-06-15T15:06:30Z", "speed": 3}
    result = body({"location": flat, "battery": {"level": 0.5}, "activity": {"type": "walking"}})
    assert only(result)["battery"] == 0.5
    assert result.pings.texts.tolist() == [["walking", None]]


def test_traccar_client_10_posts_a_form() -> None:
    row = only(form(TRACCAR_10))
    assert (row["speed_mps"], row["battery"]) == pytest.approx((8.334, 0.81))
    assert (row["charging"], row["accuracy_m"]) == (1, np.float32(5.2))


def test_the_osmand_app_sends_metres_a_second_milliseconds_and_its_accuracy_as_hdop() -> None:
    row = only(query(OSMAND, osmand_app=True))
    assert row["recorded_ms"] == 1_749_999_990_250
    assert (row["speed_mps"], row["accuracy_m"]) == pytest.approx((8.33, 4.6))


def test_hdop_of_other_apps_is_not_metres() -> None:
    assert np.isnan(only(query("lat=1&lon=2&timestamp=1749999990&hdop=0.9"))["accuracy_m"])


@pytest.mark.parametrize(
    "result",
    [
        form("id=48241179&timestamp=1749999990&batt=81&charge=false"),  # heartbeat
        query("id=48241179&notificationToken=abc"),
        query("id=48241179&timestamp=1749999990&cell=334,20,7100,1234&wifi=aa-bb-cc,-60"),
        body({"device_id": "1", "location": {"timestamp": "2025-06-15T15:06:30Z", "event": "heartbeat", "coords": {}}}),
    ],
)
def test_a_sign_of_life_without_a_place_is_nothing_to_store(result: Decoded) -> None:
    assert (len(result.pings), result.rejected) == (0, [])


@pytest.mark.parametrize(
    ("time", "ms"),
    [
        ("1749999990", 1_749_999_990_000),
        ("1749999990.5", 1_749_999_990_500),
        ("1749999990500", 1_749_999_990_500),
        ("2025-06-15T15:06:30Z", 1_749_999_990_000),
        ("2025-06-15T10:06:30-05:00", 1_749_999_990_000),
        ("2025-06-15T15:06:30", 1_749_999_990_000),
        ("2025-06-15 15:06:30", 1_749_999_990_000),
    ],
)
def test_every_way_to_write_the_time_is_read(time: str, ms: int) -> None:
    assert only(query(f"lat=1&lon=2&timestamp={time}"))["recorded_ms"] == ms
    assert only(body(changed(timestamp=time)))["recorded_ms"] == ms


@pytest.mark.parametrize(
    "result", [query("lat=1&lon=2"), query("lat=1&lon=2&timestamp="), body(changed(timestamp=None))]
)
def test_without_a_time_it_is_now_and_says_so(result: Decoded) -> None:
    row = only(result)
    assert (row["recorded_ms"], row["flags"]) == (NOW_MS, Flag.RECEIVE_TIME)


def test_a_place_may_come_as_one_field() -> None:
    row = only(query("id=1&location=19.5,-99.25&timestamp=1749999990"))
    assert (row["lat_e6"], row["lon_e6"]) == (19_500_000, -99_250_000)


def test_gpsloggers_names_are_understood() -> None:
    row = only(
        query("lat=1&lon=2&time=2025-06-15T15:06:30.000Z&acc=4&alt=9&dir=45&spd=3.5&spd_kph=12.6&ischarging=true")
    )
    assert (row["accuracy_m"], row["altitude_m"], row["heading_deg"], row["speed_mps"], row["charging"]) == (
        4,
        9,
        45,
        3.5,
        1,
    )


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (query(""), "body-unreadable"),
        (query("hello=world"), "body-unreadable"),
        (form("\0\xff&&&=="), "body-unreadable"),
        (form("&".join(f"a{n}=1" for n in range(500))), "body-unreadable"),
        (body([]), "body-unreadable"),
        (body({"device_id": "1"}), "body-unreadable"),
        (body({"location": [1]}), "body-unreadable"),
        (decode({}, b"{", as_json=True), "body-unreadable"),
        (decode({}, b"[" * 100_000, as_json=True), "body-unreadable"),
        (query("lat=91&lon=2&timestamp=1749999990"), "lat-out-of-range"),
        (query("lat=north&lon=2&timestamp=1749999990"), "lat-not-a-number"),
        (query("lat=nan&lon=2&timestamp=1749999990"), "lat-not-a-number"),
        (query("lat=1_0&lon=2&timestamp=1749999990"), "lat-not-a-number"),
        (query("lat=19.4&timestamp=1749999990"), "lon-missing"),
        (query("lat=1&lon=2&timestamp=5"), "time-too-old"),
        (query("lat=1&lon=2&timestamp=99999999999999999999999"), "time-too-far-ahead"),
        (query("lat=1&lon=2&timestamp=noon"), "time-unreadable"),
        (query("lat=1&lon=2&timestamp=1749999990&valid=false"), "fix-invalid"),
        (body(changed(coords={"latitude": "x", "longitude": 1})), "lat-not-a-number"),
        (body(changed(timestamp={"$date": 1})), "time-unreadable"),
    ],
)
def test_an_unusable_message_has_a_reason(result: Decoded, why: str) -> None:
    assert len(result.pings) == 0
    assert [one.why for one in result.rejected] == [why]


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)
NAMES = ("lat", "lon", "location", "timestamp", "speed", "batt", "hdop", "charge", "valid", "id")
COORDS = st.dictionaries(st.sampled_from(("latitude", "longitude", "accuracy", "speed")), ANY)
LOCATION = st.fixed_dictionaries(
    {}, optional={"coords": COORDS | ANY, "timestamp": ANY, "battery": ANY, "activity": ANY, "uuid": ANY, "mock": ANY}
)


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=12) | st.floats().map(str) | st.integers().map(str)))
def test_any_query_is_read(said: dict[str, str]) -> None:
    for osmand_app in (False, True):
        result = decode(said, b"", osmand_app=osmand_app)
        assert len(result.pings) + len(result.rejected) <= 1


@given(st.fixed_dictionaries({"location": LOCATION | ANY}) | ANY)
def test_any_json_is_read(said: Any) -> None:
    result = body(said)
    assert len(result.pings) + len(result.rejected) <= 1


@given(st.binary(max_size=100), st.booleans())
def test_any_bytes_are_read(sent: bytes, as_json: bool) -> None:
    decode({}, sent, as_json=as_json)


_PLACE = {"latitude": 19.432608, "longitude": -99.133208}
_ODD = st.one_of(ANY, st.integers(), st.floats(), st.just(10**400), st.just("x" * 90))
_LOCATION = st.fixed_dictionaries(
    {"coords": st.dictionaries(st.sampled_from(("latitude", "accuracy", "speed", "heading")), _ODD)},
    optional={"timestamp": _ODD | st.floats(1_749e6, 1_750e6), "battery": _ODD, "activity": _ODD, "uuid": _ODD},
)


@given(_LOCATION)
def test_a_message_of_plain_fields_is_read_as_every_other_is(location: dict[str, Any]) -> None:
    said = {"timestamp": 1_749_999_990.25, "mock": False} | location | {"coords": _PLACE | location["coords"]}
    result = body({"location": said})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fields, "_plain", lambda _said, _arrival: None)
        expected = body({"location": said})
    assert result.rejected == expected.rejected
    assert result.heard == expected.heard
    assert result.pings.texts.tolist() == expected.pings.texts.tolist()
    for name in result.pings.rows.dtype.names or ():
        np.testing.assert_array_equal(result.pings.rows[name], expected.pings.rows[name], err_msg=name)
