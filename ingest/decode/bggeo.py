"""What apps send that are built on transistorsoft's background-geolocation, or on its forerunner of mauron85.

One location or a list of them, below `location` or at the root, whole or flat as a `locationTemplate` makes it.
"""

from typing import Any

from ingest.decode.columns import Arrival, Decoded
from ingest.decode.fields import (
    Fields,
    decoded_of,
    each,
    first_text,
    json_or_none,
    object_in,
    refused,
    time_said,
    whole,
)
from ingest.decode.message import AppMessage
from ingest.decode.osmand import number_said
from ingest.decode.refusals import Refusal

_KNOWN = frozenset({
    "coords", "latitude", "longitude", "timestamp", "time", "event", "uuid", "is_moving", "battery", "activity",
    "provider", "geofence", "sample", "odometer",
})  # fmt: skip
"""What a location has, at least one of them."""


def decode(message: AppMessage, arrival: Arrival) -> Decoded:
    """Make a ping of each location that is one. A `sample` is none: the app says that it is not to be kept.

    Raises:
        TooMuch: there are too many locations.
    """
    said = json_or_none(message.body)
    found = said.get("location", said) if isinstance(said, dict) else said
    if isinstance(found, list):
        sent = each(found, message)
        return decoded_of([_fields(one) for one in found], arrival, sent)
    fields = _fields(found)
    if isinstance(fields, Refusal):
        return refused(Refusal.BODY_UNREADABLE, message)
    return decoded_of([fields], arrival, whole(message))


def _fields(location: Any) -> Fields | Refusal:
    if not isinstance(location, dict) or _KNOWN.isdisjoint(location):
        return Refusal.NOT_AN_OBJECT
    at = object_in(location.get("coords", location))
    is_sample = location.get("sample") is True
    battery, activity = location.get("battery"), location.get("activity")
    return {
        "time": time_said(_number(location.get("timestamp", location.get("time")))),
        "lat": None if is_sample else _number(at.get("latitude")),
        "lon": None if is_sample else _number(at.get("longitude")),
        "accuracy_m": _number(at.get("accuracy")),
        "altitude_m": _number(at.get("altitude")),
        "speed_mps": _number(at.get("speed")),
        "heading_deg": _number(at.get("heading", at.get("bearing"))),
        "battery": _number(battery.get("level") if isinstance(battery, dict) else battery),
        "charging": object_in(battery).get("is_charging"),
        "mock": location.get("mock", location.get("isFromMockProvider")),
        "activity": first_text(activity.get("type") if isinstance(activity, dict) else activity),
        "id": location.get("uuid"),
    }


def _number(value: Any) -> Any:
    """Read a number that a template put in quotes; whatever else stays as it is."""
    return number_said(value) if isinstance(value, str) else value
