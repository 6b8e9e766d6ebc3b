"""What GPSLogger sends, to a custom URL and as to an OpenGTS server."""

import re
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.trust.clean import Flag
from ingest.decode import gprmc, gpslogger, osmand
from ingest.decode.columns import Decoded
from ingest.decode.message import AppMessage
from tests.ingest.decode.apps import ANY, ARRIVAL, NOW_MS, lives, only, posted, whys

ALL = (
    "lat=19.432608&lon=-99.133208&sat=9&desc=&alt=2240.1&acc=7.5&dir=271.5&prov=gps&spd_kph=30.6&spd=8.5"
    "&timestamp=1749999990&timeoffset=2025-06-15T10:06:30.250-05:00&time=2025-06-15T15:06:30.250Z"
    "&starttimestamp=1749990000&date=2025-06-15&batt=81.0&ischarging=true&aid=a1b2&ser=a1b2&act=IN_VEHICLE"
    "&filename=20250615&profile=Default&hdop=0.9&vdop=1&pdop=1&dist=120&"
)
SENTENCE = "$GPRMC,150630,A,1925.95648,N,9907.99248,W,16.523,271.50,150625,,*37"
OPENGTS = f"id=van&dev=van&acct=van&batt=81&code=0xF020&alt=2240.1&gprmc={SENTENCE}"


def asked(query: str) -> AppMessage:
    return AppMessage(app="gpslogger", query=dict(parse_qsl(query, keep_blank_values=True)), query_text=query)


def custom(query: str) -> Decoded:
    return gpslogger.decode(asked(query), ARRIVAL)


def body(said: Any, query: str = "") -> Decoded:
    return gpslogger.decode(posted(said, app="gpslogger", query=query), ARRIVAL)


def opengts(query: str) -> Decoded:
    return gprmc.decode(asked(query), ARRIVAL)


def sentence(text: str, beside: str = "batt=81") -> Decoded:
    return opengts(f"{beside}&gprmc={text}")


def test_everything_that_it_can_say_is_read() -> None:
    result = custom(ALL)
    row = only(result)
    assert (row["recorded_ms"], row["lat_e6"], row["lon_e6"]) == (1_749_999_990_000, 19432608, -99133208)
    assert (row["speed_mps"], row["heading_deg"], row["accuracy_m"], row["charging"]) == (8.5, 271.5, 7.5, 1)
    assert (row["battery"], row["altitude_m"]) == pytest.approx((0.81, 2240.1))
    assert result.pings.texts.tolist() == [["IN_VEHICLE", None]]


@pytest.mark.parametrize(
    ("speed", "mps"), [("speed=8.5", 8.5), ("spd=8.5", 8.5), ("spd_kph=30.6", 8.5), ("spd=-1", None), ("x=1", None)]
)
def test_it_has_no_knots(speed: str, mps: float | None) -> None:
    at = "lat=1&lon=2&timestamp=1749999990"
    for result in (custom(f"{at}&{speed}"), osmand.decode(asked(f"{at}&{speed}"), ARRIVAL)):
        row = only(result)
        assert row["speed_mps"] == pytest.approx(mps) if mps else np.isnan(row["speed_mps"])


def test_it_says_zero_for_an_accuracy_that_it_does_not_know() -> None:
    assert np.isnan(only(custom("lat=1&lon=2&timestamp=1749999990&acc=0.0&hdop=0.9"))["accuracy_m"])


def test_the_same_may_stand_in_the_body() -> None:
    expected = only(custom(ALL))
    flat = {"lat": 19.432608, "lon": "-99.133208", "alt": 2240.1, "acc": 7.5, "dir": 271.5, "spd": 8.5, "batt": 81.0}
    flat |= {"timestamp": 1_749_999_990, "ischarging": True, "desc": None, "more": {"a": [1]}}
    query, _, rest = ALL.partition("&acc")
    for result in (body(ALL.encode()), body(flat), body(f"acc{rest}".encode(), query)):
        assert only(result).tobytes() == expected.tobytes()


def test_without_a_time_it_is_now_and_says_so() -> None:
    row = only(custom("lat=1&lon=2"))
    assert (row["recorded_ms"], row["flags"]) == (NOW_MS, Flag.RECEIVE_TIME)


def test_a_battery_alone_says_that_the_phone_lives() -> None:
    assert lives(custom("batt=50"))
    assert lives(body({"batt": 50}))


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (custom(""), "body-unreadable"),
        (custom("hello=world"), "body-unreadable"),
        (custom("lat=%LAT&lon=%LON"), "lat-not-a-number"),
        (custom("lat=91&lon=2&timestamp=1749999990"), "lat-out-of-range"),
        (body(b"19.4,-99.1"), "body-unreadable"),
        (body(b'{"lat": 1'), "body-unreadable"),
        (body({"a": 1}), "body-unreadable"),
        (body([1]), "body-unreadable"),
        (body(b'{"a":' * 100_000), "body-unreadable"),
    ],
)
def test_an_unusable_message_has_a_reason(result: Decoded, why: str) -> None:
    assert whys(result) == [(0, why)]


def test_a_sentence_has_knots_and_minutes_and_its_altitude_and_battery_beside_it() -> None:
    row = only(opengts(OPENGTS))
    assert (row["recorded_ms"], row["lat_e6"], row["lon_e6"]) == (1_749_999_990_000, 19432608, -99133208)
    assert (row["speed_mps"], row["battery"], row["altitude_m"]) == pytest.approx((8.5, 0.81, 2240.1), abs=1e-3)
    assert row["heading_deg"] == 271.5


@pytest.mark.parametrize(
    ("text", "lat", "lon"),
    [
        ("$GPRMC,150630,A,1925.95648,N,09907.99248,W,0,0,150625,,*00", 19.432608, -99.133208),
        ("GNRMC,150630.25,A,1925.95648,S,907.99248,E,,,150625", -19.432608, 9.133208),
        ("$GPRMC,150630,A,0030.00000,N,59.99999,E,0,0,150625,,,A*00", 0.5, 1.0),
        ("$GPRMC,150630,A,1925.95648,N,18000.0,W,0,0,150625,,", 19.432608, -180),
        ("$GPRMC,150630.,,1925.95648,N,9907.99248,W,.,.,150625,,", 19.432608, -99.133208),
    ],
)
def test_degrees_may_be_short_of_digits_and_the_checksum_wrong(text: str, lat: float, lon: float) -> None:
    row = only(sentence(text))
    assert (row["lat_e6"] / 1e6, row["lon_e6"] / 1e6) == pytest.approx((lat, lon), abs=1e-6)


def test_a_receiver_whose_weeks_began_anew_is_repaired() -> None:
    """1024 weeks before 15 June 2025."""
    row = only(sentence(SENTENCE.replace("150625", "301005")))
    assert (row["recorded_ms"], row["flags"]) == (1_749_999_990_000, Flag.GPS_WEEK_ROLLOVER)


def test_without_a_place_the_phone_lives() -> None:
    void = opengts("batt=40&gprmc=$GPRMC,150630,V,,,,,,,150625,,*00")
    assert lives(void)
    assert lives(opengts("id=van&code=0xF020"))
    assert void.heard is not None
    assert void.heard.battery == 0.4


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (opengts(""), "body-unreadable"),
        (opengts("hello=world"), "body-unreadable"),
        (sentence("$GPGGA,150630,1925.9,N,9907.9,W,1,9,0.9,2240,M,,M,,"), "body-unreadable"),
        (sentence("$GPRMC,15:06,A,1925.9,N,9907.9,W,0,0,150625,,"), "body-unreadable"),
        (sentence("$GPRMC,150630,V,1925.95648,N,9907.99248,W,0,0,150625,,"), "fix-invalid"),
        (sentence("$GPRMC,150630,A,1960.0,N,9907.9,W,0,0,150625,,"), "lat-not-a-number"),
        (sentence("$GPRMC,150630,A,9900.0,N,9907.9,W,0,0,150625,,"), "lat-out-of-range"),
        (sentence("$GPRMC,150630,A,1925.9,N,18959.9,W,0,0,150625,,"), "lon-out-of-range"),
        (sentence("$GPRMC,150630,A,1925.9,N,,W,0,0,150625,,"), "lon-missing"),
        (sentence("$GPRMC,,A,1925.9,N,9907.9,W,0,0,150625,,"), "time-missing"),
        (sentence("$GPRMC,150630,A,1925.9,N,9907.9,W,0,0,,,"), "time-missing"),
        (sentence("$GPRMC,250630,A,1925.9,N,9907.9,W,0,0,150625,,"), "time-unreadable"),
        (sentence("$GPRMC,150630,A,1925.9,N,9907.9,W,0,0,310225,,"), "time-unreadable"),
        (sentence("$GPRMC,150630,A,1925.9,N,9907.9,W,0,0,150699,,"), "time-too-old"),
    ],
)
def test_an_unusable_sentence_has_a_reason(result: Decoded, why: str) -> None:
    assert whys(result) == [(0, why)]


NAMES = sorted(set(re.findall(r"(\w+)=", ALL + OPENGTS)))
SOME = st.text(max_size=12) | st.floats().map(str) | st.integers().map(str)


@given(st.dictionaries(st.sampled_from(NAMES), SOME))
def test_any_query_is_read(said: dict[str, str]) -> None:
    message = AppMessage(app="gpslogger", query=said)
    for decode in (gpslogger.decode, gprmc.decode):
        result = decode(message, ARRIVAL)
        assert len(result.pings) + len(result.rejected) <= 1


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), ANY) | ANY | st.binary(max_size=80))
def test_any_body_is_read(said: Any) -> None:
    for decode in (gpslogger.decode, gprmc.decode):
        decode(posted(said, app="gpslogger"), ARRIVAL)


@given(st.lists(st.sampled_from(SENTENCE.split(",")) | st.text("0123456789.-+ANSEWV*$", max_size=7), max_size=14))
def test_any_sentence_is_read(parts: list[str]) -> None:
    result = gprmc.decode(AppMessage(app="gpslogger", query={"gprmc": ",".join(["$GPRMC", *parts])}), ARRIVAL)
    assert len(result.pings) + len(result.rejected) <= 1
