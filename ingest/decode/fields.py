"""What the decoders of apps that others wrote have in common: fields, named as ours, become pings or have a reason.

A decoder knows what its app calls things, and puts whatever it finds there under our name. Here it is judged.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar, cast

import msgspec

from geo.pings import Pings
from geo.trust.clean import Flag
from ingest.decode.columns import NUMBERS, TEXTS, Arrival, AsSent, Decoded, check
from ingest.decode.few import FEW, Row, pings_of
from ingest.decode.heard import HeardBeside, heard_in
from ingest.decode.loose import columns_of
from ingest.decode.message import AppMessage
from ingest.decode.refusals import Refusal, Rejected, TooMuch
from ingest.decode.values import number_in, time_in

Fields: TypeAlias = dict[str, Any]
"""`time`, `lat` and `lon`, None where an app said none, and of `NUMBERS` and `TEXTS` what it said. `valid`, where it is
False: the app itself does not believe the place."""

T = TypeVar("T")

KNOT_MPS = 1852 / 3600
KMH_MPS = 1 / 3.6

_SECONDS_UNTIL = 2_147_483_647  # a smaller number is seconds, a larger one milliseconds
_COLUMNS = (*NUMBERS, *TEXTS)
_MEASURED, _YES_OR_NO = slice(0, NUMBERS.index("charging")), slice(NUMBERS.index("charging"), len(NUMBERS))
_PLAIN = tuple((which, frozenset({*types, type(None)})) for which, types in (
    (_MEASURED, (int, float)), (_YES_OR_NO, (bool,)), (slice(len(NUMBERS), None), (str,)),
))  # fmt: skip
"""Types that values of `_COLUMNS` have mostly."""


def decoded_of(
    said: Sequence[Fields | Refusal], arrival: Arrival, sent: AsSent, *, alarm: Any = None, else_now: bool = False
) -> Decoded:
    """Make pings of what a message said, item by item.

    An item without a place is no ping and refuses nothing: it says that the phone lives. What was heard beside places
    is told where there is no ping, or an alarm.

    Args:
        said: of each item its fields, or why it is refused.
        sent: gives what was sent for some items, by their places.
        alarm: whatever the message has as one.
        else_now: what says no time is of now, and flagged.
    """
    if alarm is None and (plain := _plain(said, arrival)) is not None:
        return Decoded(plain, [])
    whys = {at: why for at, one in enumerate(said) if (why := _why_not(one)) is not None}
    rejected = [Rejected(at, why.why, item) for (at, why), item in zip(whys.items(), sent(list(whys)), strict=True)]
    placed = {at: one for at, one in enumerate(said) if isinstance(one, dict) and at not in whys and _has_place(one)}
    pings = Pings.empty()
    if placed:
        at = list(placed)
        checked = _checked(list(placed.values()), arrival, lambda some: sent([at[i] for i in some]), else_now=else_now)
        pings = checked.pings
        rejected += [replace(one, index=at[one.index]) for one in checked.rejected]
        rejected.sort(key=lambda one: one.index)
    return Decoded(pings, rejected, _heard(said, alarm) if alarm is not None or not len(pings) else None)


def _plain(said: Sequence[Fields | Refusal], arrival: Arrival) -> Pings | None:
    """Make pings of fields that are all of the expected types, as nearly every message's; None: one is not."""
    if not 0 < len(said) <= FEW:
        return None
    rows: list[Row] = []
    for fields in said:
        if not isinstance(fields, dict) or fields["time"] is None or fields.get("valid") is False:
            return None
        values = tuple(map(fields.get, _COLUMNS))
        if values[0] is None or values[1] is None:
            return None
        for which, types in _PLAIN:
            if not types.issuperset(map(type, values[which])):
                return None
        time_ms, refused = time_in(fields["time"])
        if refused:
            return None
        rows.append(cast(Row, (time_ms, *values)))
    return pings_of(rows, arrival)


def _why_not(one: Fields | Refusal) -> Refusal | None:
    if isinstance(one, Refusal):
        return one
    return Refusal.FIX_INVALID if one.get("valid") is False and _has_place(one) else None


def _has_place(fields: Fields) -> bool:
    return fields["lat"] is not None or fields["lon"] is not None


def _checked(placed: Sequence[Fields], arrival: Arrival, sent: AsSent, *, else_now: bool) -> Decoded:
    times = [one["time"] for one in placed]
    flags = Flag(0)
    if else_now and None in times:
        times, flags = [arrival.received_ms if time is None else time for time in times], Flag.RECEIVE_TIME
    columns = columns_of({"time": times, **{name: [one.get(name) for one in placed] for name in _COLUMNS}})
    return check(replace(columns, flags=flags), arrival, sent)


def _heard(said: Sequence[Fields | Refusal], alarm: Any) -> HeardBeside | None:
    """Tell what was heard beside places: of the item that came last, and the battery of the last that says it."""
    understood = [one for one in said if isinstance(one, dict)]
    if not understood:
        return None if said else heard_in({}, alarm)
    battery = next((one["battery"] for one in reversed(understood) if one.get("battery") is not None), None)
    return heard_in({**understood[-1], "battery": battery}, alarm)


def refused(reason: Refusal, message: AppMessage) -> Decoded:
    """Refuse a message as a whole."""
    return Decoded(Pings.empty(), [Rejected(0, reason.why, message.sent)])


def whole(message: AppMessage) -> AsSent:
    """Give what was sent for the ping of a message that is one."""
    return lambda at: [message.sent for _ in at]


def each(items: Sequence[Any], message: AppMessage) -> AsSent:
    """Give what was sent for some pings of a message that is a list of them.

    Raises:
        TooMuch: there are more than one message may hold.
    """
    if len(items) > message.max_batch:
        raise TooMuch(f"{len(items)} pings at once are too many; send at most {message.max_batch} in a request.")
    return lambda at: [items[i] for i in at]


def json_in(body: bytes) -> Any:
    """Read JSON, in any of its encodings, with the NaN and 1e400 that Python's own reader takes.

    Raises:
        ValueError, RecursionError: it is none.
    """
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return json.loads(body)


def json_or_none(body: bytes) -> Any:
    """Read JSON as `json_in` does; None: it is none, or says null."""
    try:
        return json_in(body)
    except (ValueError, RecursionError):
        return None


def object_in(value: Any) -> dict[str, Any]:
    """Give an object, an empty one where it is none."""
    return value if isinstance(value, dict) else {}


def time_said(value: Any) -> Any:
    """Give a time as `values.time_in` reads it, of seconds or milliseconds since 1970 or ISO 8601."""
    if type(value) in (int, float):
        return value * 1000 if value < _SECONDS_UNTIL else value
    return value or None


def scaled(value: Any, factor: float) -> float:
    """Give a number in our unit; NaN where it is none."""
    return number_in(value) * factor


def first_text(value: Any) -> str | None:
    """Give a text, or the first of a list of them; None: there is none."""
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, str) else None
