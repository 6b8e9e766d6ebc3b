"""What Traccar Client 8, 9 and 10, the OsmAnd app and their kin send: one fix a message, as query, form or JSON.

The three dialects name the same things differently; each is turned into the fields of a ping and then read like any.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from ingest.decode.columns import Arrival, Decoded
from ingest.decode.fields import KMH_MPS, KNOT_MPS, Fields, decoded_of, json_in, object_in, refused, time_said, whole
from ingest.decode.message import AppMessage
from ingest.decode.refusals import Refusal

_MAX_FIELDS = 200
_KNOWN = frozenset({
    "id", "deviceid", "timestamp", "time", "lat", "lon", "location", "speed", "bearing", "altitude", "accuracy", "batt",
    "charge", "valid", "alarm", "cell", "wifi", "notificationToken", "driverUniqueId",
})  # fmt: skip
_SENDS_MPS = frozenset({"osmand", "gpslogger"})
_YES_NO = {"true": True, "1": True, "false": False, "0": False}
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*", re.ASCII)


def decode(message: AppMessage, arrival: Arrival) -> Decoded:
    """Make at most one ping of a message: query and form together, or JSON.

    Returns:
        One ping; or one refusal; or neither (a heartbeat, cell towers only, a push token). Of what could be read also
        what was heard beside it, which of a ping is its alarm.
    """
    try:
        fields = _of_json(message.body) if message.is_json else named(said_in(message), message.app)
    except (ValueError, RecursionError):
        fields = None
    if fields is None:
        return refused(Refusal.BODY_UNREADABLE, message)
    return decoded_of([fields], arrival, whole(message), alarm=fields.pop("alarm"), else_now=True)


def said_in(message: AppMessage) -> Mapping[str, str]:
    """Give what a message says by name, in its query and as a form in its body."""
    return {**form_in(message.body), **message.query} if message.body else message.query


def form_in(body: bytes) -> dict[str, str]:
    """Read a form; of a name that occurs twice the first counts."""
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    return dict(reversed(pairs))


def named(said: Mapping[str, str], app: str) -> Fields | None:
    """Read the dialect of Traccar Client 8 and 10 and of the OsmAnd app, with GPSLogger's names as well.

    The OsmAnd app and GPSLogger send m/s where the others send knots, and the former its accuracy as `hdop`.

    Returns:
        Fields, and the alarm among them; None: none of the names is known.
    """
    if _KNOWN.isdisjoint(said):
        return None
    lat, _, lon = said.get("location", "").partition(",")
    speed = number_said(said.get("speed"))
    hdop_m = said.get("hdop") if app == "osmand" else None
    return {
        "time": time_in_utc(said.get("timestamp") or said.get("time")),
        "lat": number_said(said.get("lat") or lat),
        "lon": number_said(said.get("lon") or lon),
        "accuracy_m": number_said(said.get("accuracy") or said.get("acc") or hdop_m),
        "altitude_m": number_said(said.get("altitude") or said.get("alt")),
        "speed_mps": _first(
            speed if app in _SENDS_MPS else _times(KNOT_MPS, speed),
            number_said(said.get("spd")),
            _times(KMH_MPS, number_said(said.get("spd_kph"))),
        ),
        "heading_deg": number_said(said.get("bearing") or said.get("heading") or said.get("dir")),
        "battery": _times(0.01, number_said(said.get("batt"))),
        "charging": _yes_or_no(said.get("charge") or said.get("ischarging")),
        "mock": _yes_or_no(said.get("mock")),
        "activity": said.get("act"),
        "valid": _yes_or_no(said.get("valid")),
        "alarm": said.get("alarm"),
    }


def _of_json(body: bytes) -> Fields | None:
    """Read the dialect of Traccar Client 9; `coords` may be left out and `battery` and `activity` stand at the root."""
    said = json_in(body)
    if not isinstance(said, dict):
        return None
    location = said.get("location")
    alarm = _alarm(said, object_in(location))
    if not isinstance(location, dict):
        if alarm is None:
            return None
        location = {}
    place = object_in(location.get("coords", location))
    battery = location.get("battery", said.get("battery"))
    activity = location.get("activity", said.get("activity"))
    return {
        "time": time_in_utc(location.get("timestamp")),
        "lat": place.get("latitude"),
        "lon": place.get("longitude"),
        "accuracy_m": place.get("accuracy"),
        "altitude_m": place.get("altitude"),
        "speed_mps": place.get("speed"),
        "heading_deg": place.get("heading"),
        "battery": battery.get("level") if isinstance(battery, dict) else battery,
        "charging": object_in(battery).get("is_charging"),
        "mock": location.get("mock"),
        "activity": activity.get("type") if isinstance(activity, dict) else activity,
        "id": location.get("uuid"),
        "alarm": alarm,
    }


def _alarm(said: Mapping[str, Any], location: Mapping[str, Any]) -> Any:
    """Find the alarm of a JSON message: at the root, in the location, or in the extras of either."""
    places = (said, location, object_in(location.get("extras")), object_in(said.get("extras")))
    return next((one["alarm"] for one in places if one.get("alarm") is not None), None)


def number_said(text: str | None) -> float | str | None:
    """Read a number; text that is none stays as it is, to be refused or ignored like any odd value."""
    if not text:
        return None
    return float(text) if _NUMBER.fullmatch(text) else text


def _times(factor: float, value: float | str | None) -> float | str | None:
    return value * factor if isinstance(value, float) else value


def _first(*values: float | str | None) -> float | str | None:
    return next((value for value in values if value is not None), None)


def _yes_or_no(text: str | None) -> bool | None:
    return _YES_NO.get(text.lower()) if text else None


def time_in_utc(value: Any) -> Any:
    """Read seconds, milliseconds or ISO 8601, in UTC where it says no zone; what is none of them stays as it is."""
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            try:
                time = datetime.fromisoformat(value)
            except ValueError:
                return value
            return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
        value = float(value)
    return time_said(value)
