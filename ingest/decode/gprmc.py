"""What GPSLogger and others send to an OpenGTS server: a sentence of NMEA 0183, `$GPRMC`, in the query."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.decode import osmand
from ingest.decode.columns import Arrival, Decoded
from ingest.decode.fields import KNOT_MPS, Fields, decoded_of, refused, scaled, whole
from ingest.decode.message import AppMessage
from ingest.decode.refusals import Refusal

_RMC = re.compile(
    r"\$?G[A-Z]RMC,(?P<time>\d{6}(\.\d*)?)?,(?P<is_valid>[AV])?,"
    r"(?P<lat>\d{1,4}(\.\d*)?)?,(?P<south>[NS])?,(?P<lon>\d{1,5}(\.\d*)?)?,(?P<west>[EW])?,"
    r"(?P<knots>\d*\.?\d*),(?P<course>\d*\.?\d*),(?P<date>\d{6})?([,*].*)?",
    re.ASCII | re.DOTALL,
)
"""The last two groups, and the checksum, are not needed; senders leave them out or get them wrong."""

_LIVES = frozenset({"id", "dev", "acct", "batt", "code"})
_CENTURY_TURNS = 80  # a year below is of this century


def decode(message: AppMessage, arrival: Arrival) -> Decoded:
    """Make at most one ping of a message. Without a sentence it says that the phone lives."""
    try:
        said = osmand.said_in(message)
    except ValueError:
        return refused(Refusal.BODY_UNREADABLE, message)
    fields: Fields = {"time": None, "lat": None, "lon": None}
    if sentence := said.get("gprmc", ""):
        match = _RMC.fullmatch(sentence.strip())
        if match is None:
            return refused(Refusal.BODY_UNREADABLE, message)
        fields = _fields(match)
    elif _LIVES.isdisjoint(said):
        return refused(Refusal.BODY_UNREADABLE, message)
    return decoded_of([fields | _beside(said)], arrival, whole(message))


def _fields(rmc: re.Match[str]) -> Fields:
    return {
        "time": _time(rmc["date"], rmc["time"]),
        "lat": _degrees(rmc["lat"], is_negative=rmc["south"] == "S"),
        "lon": _degrees(rmc["lon"], is_negative=rmc["west"] == "W"),
        "speed_mps": scaled(osmand.number_said(rmc["knots"]), KNOT_MPS),
        "heading_deg": osmand.number_said(rmc["course"]),
        "valid": rmc["is_valid"] != "V",
    }


def _beside(said: Mapping[str, str]) -> dict[str, Any]:
    return {
        "altitude_m": osmand.number_said(said.get("alt")),
        "battery": scaled(osmand.number_said(said.get("batt")), 0.01),
    }


def _degrees(text: str | None, *, is_negative: bool) -> float | str | None:
    """Read degrees and minutes, `dddmm.mmmm`, whose degrees may be short of digits; minutes from 60 on are none."""
    if text is None:
        return None
    whole_degrees, minutes = divmod(float(text), 100)
    if minutes >= 60:
        return text
    degrees = whole_degrees + minutes / 60
    return -degrees if is_negative else degrees


def _time(date: str | None, time: str | None) -> datetime | str | None:
    """Read `ddmmyy` and `hhmmss.sss`, UTC; what is no time stays as it is, to be refused."""
    if date is None or time is None:
        return None
    year = int(date[4:])
    try:
        at = datetime(
            year + (2000 if year < _CENTURY_TURNS else 1900), int(date[2:4]), int(date[:2]),
            int(time[:2]), int(time[2:4]), int(time[4:6]), tzinfo=UTC,
        )  # fmt: skip
    except ValueError:
        return f"{date} {time}"
    return at + timedelta(seconds=float(f"0{time[6:]}"))
