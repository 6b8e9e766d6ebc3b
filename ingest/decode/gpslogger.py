"""What GPSLogger sends to a custom URL: one fix in names that its user chose, in the query, a form or flat JSON."""

import re
from collections.abc import Mapping

from ingest.decode import osmand
from ingest.decode.columns import Arrival, Decoded
from ingest.decode.fields import decoded_of, json_in, refused, whole
from ingest.decode.message import AppMessage
from ingest.decode.refusals import Refusal

_OBJECT = re.compile(rb"\s*\{")


def decode(message: AppMessage, arrival: Arrival) -> Decoded:
    """Make at most one ping of a message, whose names are those of `%ALL` or of OsmAnd's protocol.

    The app has no knots: `speed` is m/s, as `spd` is.
    """
    try:
        said = _said_in(message)
    except (ValueError, RecursionError):
        return refused(Refusal.BODY_UNREADABLE, message)
    fields = osmand.named(said, "gpslogger")
    if fields is None:
        return refused(Refusal.BODY_UNREADABLE, message)
    return decoded_of([fields], arrival, whole(message), alarm=fields.pop("alarm"), else_now=True)


def _said_in(message: AppMessage) -> Mapping[str, str]:
    """Give what a message says by name; the app gives a body no type."""
    if not _OBJECT.match(message.body):
        return osmand.said_in(message)
    said = {name: _text(value) for name, value in json_in(message.body).items()}
    return {**{name: text for name, text in said.items() if text is not None}, **message.query}


def _text(value: object) -> str | None:
    """Write a value of JSON as a form has it; None: a form has no such thing."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None
