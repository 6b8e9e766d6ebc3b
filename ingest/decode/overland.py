"""What Overland sends: a batch of GeoJSON features; or, where it is set to imitate OwnTracks, what that sends."""

from typing import Any

from ingest.decode import owntracks
from ingest.decode.columns import Arrival, Decoded
from ingest.decode.fields import Fields, decoded_of, each, first_text, json_or_none, object_in, refused
from ingest.decode.message import AppMessage
from ingest.decode.refusals import Refusal

_CHARGING = {"charging": True, "full": True, "unplugged": False}


def decode(message: AppMessage, arrival: Arrival) -> Decoded:
    """Make a ping of each feature that is one: those with an `action`, a visit and a trip are none.

    `current`, which is sent while more waits than a batch holds, is the newest place, and not in the batch.

    Raises:
        TooMuch: there are too many features.
    """
    said = json_or_none(message.body)
    if isinstance(said, dict) and "_type" in said:
        return owntracks.decode(message, arrival)
    features = _features(said)
    if features is None:
        return refused(Refusal.BODY_UNREADABLE, message)
    sent = each(features, message)
    return decoded_of([_fields(one) for one in features], arrival, sent)


def _features(said: Any) -> list[Any] | None:
    """Give all features of a batch, `current` at their end; None: it is no batch."""
    if not isinstance(said, dict):
        return None
    current, trip = said.get("current"), said.get("trip")
    features = said.get("locations", [] if isinstance(current or trip, dict) else None)
    if not isinstance(features, list):
        return None
    return features if current is None else [*features, current]


def _fields(feature: Any) -> Fields | Refusal:
    if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
        return Refusal.NOT_AN_OBJECT
    about: dict[str, Any] = feature["properties"]
    lon, lat = _place(feature)
    if about.get("action") or "trip" in (feature.get("type"), about.get("type")):
        lon = lat = None  # its time is not that of the place
    state = about.get("battery_state")
    return {
        "time": about.get("timestamp"),
        "lat": lat,
        "lon": lon,
        "accuracy_m": about.get("horizontal_accuracy"),
        "altitude_m": about.get("altitude"),
        "speed_mps": about.get("speed"),
        "heading_deg": about.get("course"),
        "battery": about.get("battery_level"),
        "charging": _CHARGING.get(state) if isinstance(state, str) else None,
        "activity": first_text(about.get("motion")),
    }


def _place(feature: dict[str, Any]) -> tuple[Any, Any]:
    """Give longitude and latitude, None where there is none; what is no list stands for both, to be refused."""
    at = object_in(feature.get("geometry")).get("coordinates")
    if not isinstance(at, list):
        return at, at
    return (at[0] if at else None), (at[1] if len(at) > 1 else None)
