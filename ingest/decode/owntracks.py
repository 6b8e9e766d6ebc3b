"""What OwnTracks sends by HTTP: one JSON object a message, named by its `_type`."""

from collections.abc import Mapping
from typing import Any

from ingest.decode.columns import Arrival, Decoded
from ingest.decode.fields import (
    KMH_MPS,
    Fields,
    decoded_of,
    first_text,
    json_or_none,
    refused,
    scaled,
    time_said,
    whole,
)
from ingest.decode.message import AppMessage
from ingest.decode.refusals import Refusal

_PLACES = frozenset({"location", "transition"})
"""Messages that say where the phone is; the place of a waypoint or of a friend's card is another one."""

_OTHERS = frozenset({
    "waypoint", "waypoints", "lwt", "status", "steps", "beacon", "card", "configuration", "dump", "request", "cmd",
})  # fmt: skip
"""Messages by which the phone says only that it lives."""

_CHARGING: Mapping[Any, bool] = {1: False, 2: True, 3: True}
"""By `bs`; 0 is unknown."""


def decode(message: AppMessage, arrival: Arrival) -> Decoded:
    """Make at most one ping of a message. An empty one says that a friend was removed on the phone.

    Who `topic`, `tid` and the user name say it is of is not read: the credential says it.
    """
    if not message.body.strip():
        return decoded_of([], arrival, whole(message))
    said = json_or_none(message.body)
    kind = said.get("_type") if isinstance(said, dict) else None
    if kind == "encrypted":
        return refused(Refusal.ENCRYPTED, message)
    if not isinstance(kind, str) or kind not in _PLACES | _OTHERS:
        return refused(Refusal.BODY_UNREADABLE, message)
    return decoded_of([_fields(said, has_place=kind in _PLACES)], arrival, whole(message))


def _fields(said: dict[str, Any], *, has_place: bool) -> Fields:
    state = said.get("bs")
    return {
        "time": time_said(said.get("tst")),
        "lat": said.get("lat") if has_place else None,
        "lon": said.get("lon") if has_place else None,
        "accuracy_m": said.get("acc"),
        "altitude_m": said.get("alt"),
        "speed_mps": scaled(said.get("vel"), KMH_MPS),
        "heading_deg": said.get("cog"),
        "battery": scaled(said.get("batt"), 0.01),
        "charging": _CHARGING.get(state) if type(state) in (int, float) else None,
        "activity": first_text(said.get("motionactivities")),
        "id": said.get("_id"),
    }
