"""What OwnTracks sends, on Android, on iOS and from Overland's imitation, one payload of each kind."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.trust.clean import Flag
from ingest.decode import owntracks
from ingest.decode.columns import Decoded
from tests.ingest.decode.apps import ANY, ARRIVAL, lives, only, posted, whys

ANDROID = {
    "_type": "location", "_id": "a1b2c3d4", "BSSID": "00:11:22:33:44:55", "SSID": "x", "acc": 7, "alt": 2240.0,
    "batt": 81, "bs": 2, "cog": 271, "conn": "m", "created_at": 1_749_999_991, "lat": 19.432608, "lon": -99.133208,
    "m": 2, "t": "t", "tid": "an", "topic": "owntracks/ana/motog", "tst": 1_749_999_990, "vac": 3, "vel": 36,
    "motionactivities": ["automotive"],
}  # fmt: skip
IOS = {
    "_type": "location", "acc": 5, "batt": 100, "bs": 3, "conn": "w", "inregions": ["casa"], "lat": 19.432608,
    "lon": -99.133208, "p": 77.5, "t": "u", "tid": "AN", "topic": "owntracks/ana/1F", "tst": 1_749_999_990,
}  # fmt: skip
OVERLAND = {
    "_type": "location", "lat": 19.432608, "lon": -99.133208, "tst": 1_749_999_990 - 978_307_200, "acc": 5,
    "batt": 81, "topic": "owntracks/a/b",
}  # fmt: skip


def decode(said: Any) -> Decoded:
    return owntracks.decode(posted(said, app="owntracks"), ARRIVAL)


def changed(**fields: Any) -> dict[str, Any]:
    return ANDROID | fields


def test_android_says_kilometres_an_hour_percent_and_what_the_battery_does() -> None:
    result = decode(ANDROID)
    row = only(result)
    assert (row["recorded_ms"], row["lat_e6"], row["lon_e6"]) == (1_749_999_990_000, 19432608, -99133208)
    assert (row["speed_mps"], row["battery"]) == pytest.approx((10, 0.81))
    assert (row["accuracy_m"], row["altitude_m"], row["heading_deg"], row["charging"]) == (7, 2240, 271, 1)
    assert result.pings.texts.tolist() == [["automotive", "a1b2c3d4"]]


def test_ios_leaves_out_what_is_zero() -> None:
    row = only(decode(IOS))
    assert np.isnan([row["speed_mps"], row["heading_deg"], row["altitude_m"]]).all()
    assert (row["battery"], row["charging"]) == (1, 1)


def test_what_the_phone_does_not_know_is_unknown() -> None:
    row = only(decode(changed(acc=0.0, vel=-1, cog=-1, batt=-1, bs=0, alt=-1)))
    measured = [row[name] for name in ("accuracy_m", "speed_mps", "heading_deg", "battery", "altitude_m")]
    assert np.isnan(measured).all()
    assert row["charging"] == -1


@pytest.mark.parametrize(("state", "charging"), [(0, -1), (1, 0), (2, 1), (3, 1), (2.0, 1), ("2", -1), (None, -1)])
def test_what_the_battery_does(state: Any, charging: int) -> None:
    assert only(decode(changed(bs=state)))["charging"] == charging


def test_a_time_that_counts_from_2001_is_repaired() -> None:
    row = only(decode(OVERLAND))
    assert (row["recorded_ms"], row["flags"]) == (1_749_999_990_000, Flag.EPOCH_2001)


def test_the_same_fix_sent_again_is_the_same_ping() -> None:
    """iOS adds `created_at`, another pressure, and whatever it knows by then (owntracks/ios #785)."""
    first, again = decode(IOS), decode(IOS | {"created_at": 1_749_999_999, "p": 77.6})
    assert first.pings.rows.tobytes() == again.pings.rows.tobytes()


def test_a_region_that_was_entered_is_a_place() -> None:
    said = {
        "_type": "transition", "event": "enter", "desc": "casa", "tst": 1_749_999_990, "wtst": 1_700_000_000,
        "lat": 19.432608, "lon": -99.133208, "acc": 9, "tid": "an", "t": "c", "rid": "6da9cf",
    }  # fmt: skip
    row = only(decode(said))
    assert (row["recorded_ms"], row["lat_e6"], row["accuracy_m"]) == (1_749_999_990_000, 19432608, 9)
    assert lives(decode({name: value for name, value in said.items() if name not in ("lat", "lon")}))


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b" \n",
        {"_type": "lwt", "tst": 1_749_999_990},
        {"_type": "status", "android": {"wifi": 1, "ps": 0}},
        {"_type": "waypoint", "desc": "casa", "lat": 19.4, "lon": -99.1, "rad": 50, "tst": 1_749_999_990},
        {"_type": "waypoints", "waypoints": []},
        {"_type": "card", "name": "Ana", "lat": 1.0, "lon": 2.0},
        {"_type": "steps", "steps": 5},
        {"_type": "beacon", "uuid": "x"},
        {"_type": "configuration", "mode": 3},
        {"_type": "request", "request": "tour"},
        {"_type": "cmd", "action": "dump"},
        {"_type": "location", "tst": 1_749_999_990, "tid": "an"},
    ],
)
def test_what_says_no_place_of_the_phone_says_that_it_lives(said: Any) -> None:
    assert lives(decode(said))


def test_a_battery_is_heard_without_a_place() -> None:
    heard = decode({"_type": "location", "batt": 40, "tst": 1_749_999_990}).heard
    assert heard is not None
    assert (heard.battery, heard.said_ms) == (0.4, 1_749_999_990_000)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"{", "body-unreadable"),
        (b"\xff\xfe", "body-unreadable"),
        (b"[" * 100_000, "body-unreadable"),
        ([ANDROID], "body-unreadable"),
        ({"lat": 1, "lon": 2, "tst": 1_749_999_990}, "body-unreadable"),
        ({"_type": "poem"}, "body-unreadable"),
        ({"_type": ["location"]}, "body-unreadable"),
        ({"_type": "encrypted", "data": "aGVsbG8="}, "encrypted"),
        (changed(tst=None), "time-missing"),
        (changed(tst="noon"), "time-unreadable"),
        (changed(tst=5), "time-too-old"),
        (changed(lat="19.4"), "lat-not-a-number"),
        (changed(lat=91), "lat-out-of-range"),
        (changed(lon=None), "lon-missing"),
    ],
)
def test_an_unusable_message_has_a_reason(said: Any, why: str) -> None:
    result = decode(said)
    assert (len(result.pings), whys(result)) == (0, [(0, why)])
    assert isinstance(result.rejected[0].sent, bytes)  # as it was sent


@given(
    st.dictionaries(st.sampled_from(sorted(ANDROID)), ANY | st.floats(1.7e9, 1.8e9)),
    st.sampled_from(("location", "transition", "status", "encrypted")) | ANY,
)
def test_any_message_is_read(fields: dict[str, Any], kind: Any) -> None:
    result = decode(ANDROID | fields | {"_type": kind})
    assert len(result.pings) + len(result.rejected) <= 1


@given(ANY | st.binary(max_size=60))
def test_anything_is_read(said: Any) -> None:
    decode(said)
