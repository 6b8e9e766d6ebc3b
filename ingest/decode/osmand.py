"""What Traccar Client 8, 9 and 10, the OsmAnd app and their kin send: one fix a message, as query, form or JSON.

The three dialects name the same things differently; each is turned into the fields of a ping and then read like any.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qsl

from geo.pings import Pings
from geo.trust.clean import Flag
from ingest.decode.columns import NUMBERS, TEXTS, Arrival, Decoded, check
from ingest.decode.few import Row, pings_of
from ingest.decode.heard import heard_in
from ingest.decode.loose import columns_of
from ingest.decode.message import AppMessage
from ingest.decode.refusals import Refusal, Rejected
from ingest.decode.values import time_in

_KNOT_MPS = 1852 / 3600
_KMH_MPS = 1 / 3.6
_SECONDS_UNTIL = 2_147_483_647  # a smaller whole number is seconds, a larger one milliseconds
_MAX_FIELDS = 200
_KNOWN = frozenset({
    "id", "deviceid", "timestamp", "time", "lat", "lon", "location", "speed", "bearing", "altitude", "accuracy", "batt",
    "charge", "valid", "alarm", "cell", "wifi", "notificationToken", "driverUniqueId",
})  # fmt: skip
_COLUMNS = (*NUMBERS, *TEXTS)
_MEASURED, _YES_OR_NO = slice(0, NUMBERS.index("charging")), slice(NUMBERS.index("charging"), len(NUMBERS))
_PLAIN = tuple((which, frozenset({*types, type(None)})) for which, types in (
    (_MEASURED, (int, float)), (_YES_OR_NO, (bool,)), (slice(len(NUMBERS), None), (str,)),
))  # fmt: skip
"""Types that values of `_COLUMNS` have mostly."""

_YES_NO = {"true": True, "1": True, "false": False, "0": False}
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*", re.ASCII)


def decode(message: AppMessage, arrival: Arrival) -> Decoded:
    """Make at most one ping of a message: query and form together, or JSON.

    Returns:
        One ping; or one refusal; or neither (a heartbeat, cell towers only, a push token). Of what could be read also
        what was heard beside it, which of a ping is its alarm.
    """
    try:
        fields = _of_json(message.body) if message.is_json else _of_form(message)
    except (ValueError, RecursionError):
        fields = None
    if fields is None:
        return _refused(Refusal.BODY_UNREADABLE, message)
    alarm = fields.pop("alarm")
    if alarm is None and (plain := _of_plain_fields(fields, arrival)) is not None:
        return Decoded(plain, [])
    heard = heard_in(fields, alarm)
    decoded = _of_fields(fields, message, arrival)
    return decoded if alarm is None and len(decoded.pings) else replace(decoded, heard=heard)


def _of_fields(fields: dict[str, Any], message: AppMessage, arrival: Arrival) -> Decoded:
    if fields["lat"] is None and fields["lon"] is None:
        return Decoded(Pings.empty(), [])
    if fields.get("valid") is False:
        return _refused(Refusal.FIX_INVALID, message)
    flags = Flag(0)
    if fields["time"] is None:
        fields["time"], flags = arrival.received_ms, Flag.RECEIVE_TIME
    columns = columns_of({name: [value] for name, value in fields.items()})
    return check(replace(columns, flags=flags), arrival, lambda at: [message.sent for _ in at])


def _of_plain_fields(fields: Mapping[str, Any], arrival: Arrival) -> Pings | None:
    """Make the ping of fields that are all of the expected types, as nearly every message's; None: one is not."""
    values = tuple(map(fields.get, _COLUMNS))
    if fields["time"] is None or fields.get("valid") is False or values[0] is None or values[1] is None:
        return None
    for which, types in _PLAIN:
        if not types.issuperset(map(type, values[which])):
            return None
    time_ms, refused = time_in(fields["time"])
    return None if refused else pings_of([cast(Row, (time_ms, *values))], arrival)


def _refused(reason: Refusal, message: AppMessage) -> Decoded:
    return Decoded(Pings.empty(), [Rejected(0, reason.why, message.sent)])


def _form(body: bytes) -> dict[str, str]:
    """Read a form; of a name that occurs twice the first counts."""
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    return dict(reversed(pairs))


def _of_form(message: AppMessage) -> dict[str, Any] | None:
    """Read the dialect of Traccar Client 8 and 10 and of the OsmAnd app, with GPSLogger's names as well.

    The OsmAnd app sends m/s where the others send knots, and its accuracy as `hdop`.
    """
    said = {**_form(message.body), **message.query} if message.body else message.query
    osmand_app = message.app == "osmand"
    if _KNOWN.isdisjoint(said):
        return None
    lat, _, lon = said.get("location", "").partition(",")
    speed = _number(said.get("speed"))
    return {
        "time": _time(said.get("timestamp") or said.get("time")),
        "lat": _number(said.get("lat") or lat),
        "lon": _number(said.get("lon") or lon),
        "accuracy_m": _number(said.get("accuracy") or said.get("acc") or (said.get("hdop") if osmand_app else None)),
        "altitude_m": _number(said.get("altitude") or said.get("alt")),
        "speed_mps": _first(
            speed if osmand_app else _times(_KNOT_MPS, speed),
            _number(said.get("spd")),
            _times(_KMH_MPS, _number(said.get("spd_kph"))),
        ),
        "heading_deg": _number(said.get("bearing") or said.get("heading") or said.get("dir")),
        "battery": _times(0.01, _number(said.get("batt"))),
        "charging": _yes_or_no(said.get("charge") or said.get("ischarging")),
        "mock": _yes_or_no(said.get("mock")),
        "valid": _yes_or_no(said.get("valid")),
        "alarm": said.get("alarm"),
    }


def _of_json(body: bytes) -> dict[str, Any] | None:
    """Read the dialect of Traccar Client 9; `coords` may be left out and `battery` and `activity` stand at the root."""
    said = json.loads(body.decode())
    if not isinstance(said, dict):
        return None
    location = said.get("location")
    alarm = _alarm(said, _object(location))
    if not isinstance(location, dict):
        if alarm is None:
            return None
        location = {}
    place = _object(location.get("coords", location))
    battery = location.get("battery", said.get("battery"))
    activity = location.get("activity", said.get("activity"))
    return {
        "time": _time(location.get("timestamp")),
        "lat": place.get("latitude"),
        "lon": place.get("longitude"),
        "accuracy_m": place.get("accuracy"),
        "altitude_m": place.get("altitude"),
        "speed_mps": place.get("speed"),
        "heading_deg": place.get("heading"),
        "battery": battery.get("level") if isinstance(battery, dict) else battery,
        "charging": _object(battery).get("is_charging"),
        "mock": location.get("mock"),
        "activity": activity.get("type") if isinstance(activity, dict) else activity,
        "id": location.get("uuid"),
        "alarm": alarm,
    }


def _alarm(said: Mapping[str, Any], location: Mapping[str, Any]) -> Any:
    """Find the alarm of a JSON message: at the root, in the location, or in the extras of either."""
    places = (said, location, _object(location.get("extras")), _object(said.get("extras")))
    return next((one["alarm"] for one in places if one.get("alarm") is not None), None)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(text: str | None) -> float | str | None:
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


def _time(value: Any) -> Any:
    """Read seconds, milliseconds or ISO 8601, in UTC where it says no zone; what is none of them stays as it is."""
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            try:
                time = datetime.fromisoformat(value)
            except ValueError:
                return value
            return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
        value = float(value)
    if type(value) in (int, float):
        return value * 1000 if value < _SECONDS_UNTIL else value
    return value or None
