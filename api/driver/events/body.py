"""What a driver's app says: the shapes of events, and a batch read item by item.

An item that cannot be used is refused with its reason and never holds up the others: a phone sends its queue in order,
and what is refused with a status would be sent for ever.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

import msgspec
import numpy as np
from msgspec import Meta, Struct

from api.http.config import ApiConfig
from api.http.problem import FieldError, Invalid, TooLarge
from api.http.read.bodies import converted, unstorable
from geo.times import iso_time, ms_of
from geo.trust.clock import lost_ms, shown_ahead_ms

# fmt: off
EventType: TypeAlias = Literal[
    "shift_started", "shift_ended", "break_started", "break_ended", "route_started", "route_ended",
    "arrived", "departed", "completed", "partially_completed", "failed", "skipped", "note",
]
# fmt: on
OF_A_STOP = frozenset({"arrived", "departed", "completed", "partially_completed", "failed", "skipped"})
"""Types that name a stop."""

OF_A_ROUTE = frozenset({"route_started", "route_ended"})
"""Types that name a route; a start may leave it out."""

AHEAD = timedelta(minutes=5)
"""A phone's clock may be so far ahead; what it dates later never happened."""

MOST_ERRORS = 20
"""Named of one event."""

_Time: TypeAlias = Annotated[datetime, Meta(tz=True)] | Annotated[int, Meta(ge=0, le=253_402_300_799_999)]
_Line: TypeAlias = Annotated[str, Meta(max_length=200)]
_Code: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,40}$(?!\n)")]
_Amount: TypeAlias = Annotated[float, Meta(ge=0, le=1e12)]
_Count: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000)]

ParcelOutcome: TypeAlias = Literal["delivered", "collected", "refused", "damaged", "missing", "returned"]


class Recipient(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who took it or handed it over; `relation` to whom it was for: a neighbour, the concierge."""

    name: _Line
    relation: _Line | None = None


class Collected(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was paid at the door; `method` such as cash, card or transfer."""

    amount: _Amount
    method: _Code = "cash"


class ParcelSaid(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a parcel, named by its barcode or by `seq`, its place in the stop's list from 0.

    A `quantity` that is left out is all of it.
    """

    outcome: ParcelOutcome
    barcode: _Line | None = None
    seq: _Count | None = None
    quantity: _Count | None = None


class ProofSaid(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A photo, signature or document that is uploaded, is being uploaded, or will be."""

    upload_id: Annotated[str, Meta(max_length=500)]
    kind: Annotated[str, Meta(max_length=40, examples=["photo", "signature", "document"])]
    sha256: Annotated[str, Meta(max_length=64)] | None = None


class EventSaid(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of any event: `note` for the account to read."""

    note: str | None = None


class Done(EventSaid, frozen=True, kw_only=True, omit_defaults=True):
    """Of `completed`: handed over, or collected at a pickup or return; a `recipient` may be a name alone."""

    recipient: Recipient | _Line | None = None
    age_checked: bool | None = None
    pin: _Line | None = None
    barcodes: list[_Line] = []
    parcels: list[ParcelSaid] = []
    cash: Collected | None = None
    proofs: list[ProofSaid] = []


class PartlyDone(Done, frozen=True, kw_only=True, omit_defaults=True):
    """Of `partially_completed`: `parcels` says what became of each; one that is not named was returned."""

    parcels: Annotated[list[ParcelSaid], Meta(min_length=1)]


class NotDone(EventSaid, frozen=True, kw_only=True, omit_defaults=True):
    """Of `skipped`; `reason` from the account's list, or another one."""

    reason: _Code | None = None
    proofs: list[ProofSaid] = []


class Failed(NotDone, frozen=True, kw_only=True, omit_defaults=True):
    """Of `failed`."""

    reason: _Code


_DATA: dict[str, type[EventSaid]] = {
    "completed": Done,
    "partially_completed": PartlyDone,
    "failed": Failed,
    "skipped": NotDone,
}


class EventBody(Struct, frozen=True, kw_only=True):
    """One event of a driver's app.

    Attributes:
        id: made by the phone; the same event sent again has the same.
        stop_id: of arrived, departed, completed, partially_completed, failed, skipped; of a note about a stop.
        route_id: of route_started and route_ended, either id; a start without one means the driver's next route whose
            hours these are.
        occurred_at: by the phone's clock: RFC 3339 with a zone, or epoch milliseconds.
        lat, lon: where the phone was; both or none.
        data: what the type takes; fields that nobody knows are not kept.
        manifest_version: what the phone had before it.
    """

    id: UUID
    type: EventType
    occurred_at: _Time
    stop_id: _Line | None = None
    route_id: _Line | None = None
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, Meta(ge=-180, le=180)] | None = None
    data: dict[str, Any] | None = None
    manifest_version: Annotated[int, Meta(ge=0, le=2**62)] | None = None


class EventBatch(Struct, frozen=True, kw_only=True):
    """Events in any order; `sent_at` is the phone's clock when it sends them: what a wrong clock dated is corrected."""

    events: list[EventBody]
    sent_at: _Time | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedEvent:
    """An item that will never be kept and must not be sent again.

    Attributes:
        sent: the item as it was decoded.
        id: as it was sent; None where there is none that can be shown.
        why: a code of docs/reference/driver-events.md.
        at: JSON pointer into the batch.
        errors: the bad fields, where there are any to name.
    """

    sent: Any
    id: str | None
    why: str
    at: str
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event that can be used, before anything was looked up.

    Attributes:
        sent: the item as it was decoded.
        id: as it was sent.
        at: its JSON pointer into the batch.
        occurred_ms: by our clock, as far as that is known.
        ahead_ms: how far the phone's clock was ahead; negative: behind; 0: as far as is known it is right.
    """

    sent: Any
    id: str
    at: str
    body: EventBody
    occurred_ms: int
    ahead_ms: int
    data: EventSaid

    def refuse(self, why: str, field: str = "") -> RefusedEvent:
        """Say that it cannot be kept after all; `field` is the pointer into it to what is to blame."""
        return RefusedEvent(sent=self.sent, id=self.id, why=why, at=self.at + field)


def events_in(raw: Any, *, most: int) -> list[Any]:
    """Give the items of a batch as they were decoded; one event, where a list of it was meant, is a list of one.

    Raises:
        Invalid: there is no list of events.
        TooLarge: there are more than `most`.
    """
    is_event = isinstance(raw, dict) and "events" not in raw and "type" in raw
    events = raw.get("events") if isinstance(raw, dict) and not is_event else raw
    if isinstance(events, dict):
        events = [events]
    if not isinstance(events, list):
        why = "must be a list" if isinstance(raw, dict) and "events" in raw else "send a list of events here"
        raise Invalid("There are no events in the body.", errors=[FieldError(at="/events", why=why)])
    if len(events) > most:
        raise TooLarge(f"There are {len(events)} events; at most {most} are taken at once.")
    return events


def ahead_in(raw: Any, events: Sequence[Any], now_ms: int, doubt_ms: int) -> tuple[int, bool]:
    """Tell how far ahead a batch shows its phone's clock to be (`geo.trust.clock`), and if it says when it left.

    Args:
        raw: the batch as it was decoded.
        events: its items.
        doubt_ms: how far our own clock may be wrong.
    """
    sent_ms = _ms_in(raw.get("sent_at")) if isinstance(raw, dict) else None
    told = (_ms_in(item.get("occurred_at")) for item in events if isinstance(item, dict))
    times_ms = np.array([ms for ms in told if ms is not None], np.int64)
    return shown_ahead_ms(times_ms, now_ms, sent_ms=sent_ms, doubt_ms=doubt_ms), sent_ms is not None


def _ms_in(value: Any) -> int | None:
    """Read a time as `EventBody` takes it; None: it is none."""
    try:
        at: datetime | int = msgspec.convert(_zoned(value), _Time)
    except ValueError:
        return None
    return at if isinstance(at, int) else ms_of(at)


def _zoned(value: Any) -> Any:
    """Make RFC 3339 of any form of ISO 8601, and whole milliseconds of others; give back what is neither."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, str) or (found := iso_time(value)) is None or found.tzinfo is None:
        return value
    return found


def read_event(
    raw: Any, at: str, *, now: datetime, oldest: datetime, config: ApiConfig, ahead_ms: int = 0
) -> Event | RefusedEvent:
    """Read one item.

    Args:
        at: its JSON pointer.
        oldest: what happened before is too old.
        ahead_ms: how far the phone's clock is ahead of ours.
    """
    shown = raw.get("id") if isinstance(raw, dict) else None
    event_id = shown if isinstance(shown, str) and len(shown) <= 200 else None
    if not isinstance(raw, dict):
        return RefusedEvent(sent=raw, id=None, why="not-an-object", at=at)
    try:
        errors = [FieldError(at=at + error.at, why=error.why) for error in islice(unstorable(raw), MOST_ERRORS)]
        if errors:
            raise Invalid("", errors=errors)
        dated = {**raw, "occurred_at": _zoned(raw["occurred_at"])} if "occurred_at" in raw else raw
        body: EventBody = converted(dated, EventBody, at)
        data: EventSaid = converted(body.data or {}, _DATA.get(body.type, EventSaid), f"{at}/data")
    except Invalid as problem:
        named = tuple(problem.errors[:MOST_ERRORS])
        return RefusedEvent(sent=raw, id=event_id, why="invalid-fields", at=named[0].at, errors=named)
    if (over := next(_over_limits(body, data, config), None)) is not None:
        return RefusedEvent(sent=raw, id=event_id, why="too-large", at=at + over)
    said_ms = body.occurred_at if isinstance(body.occurred_at, int) else ms_of(body.occurred_at)
    ahead_ms -= int(lost_ms(np.array([said_ms - ahead_ms]), ms_of(oldest), ms_of(now + AHEAD))[0])
    occurred_ms = said_ms - ahead_ms
    errors = list(_contradictions(body, data, at))
    if errors:
        return RefusedEvent(
            sent=raw, id=event_id, why="invalid-fields", at=errors[0].at, errors=tuple(errors[:MOST_ERRORS])
        )
    if occurred_ms > ms_of(now + AHEAD):
        return RefusedEvent(sent=raw, id=event_id, why="clock-ahead", at=f"{at}/occurred_at")
    if occurred_ms < ms_of(oldest):
        return RefusedEvent(sent=raw, id=event_id, why="too-old", at=f"{at}/occurred_at")
    return Event(sent=raw, id=raw["id"], at=at, body=body, occurred_ms=occurred_ms, ahead_ms=ahead_ms, data=data)


def _over_limits(body: EventBody, data: EventSaid, config: ApiConfig) -> Iterator[str]:
    """Name what is too large, by its pointer into the event."""
    if len(msgspec.json.encode(body.data)) > config.max_event_data_bytes:
        yield "/data"
    if len(data.note or "") > config.max_note_length:
        yield "/data/note"
    if isinstance(data, Done | NotDone) and len(data.proofs) > config.max_event_proofs:
        yield "/data/proofs"
    if isinstance(data, Done) and len(data.parcels) > config.max_event_parcels:
        yield "/data/parcels"
    if isinstance(data, Done) and len(data.barcodes) > config.max_event_parcels:
        yield "/data/barcodes"


def _contradictions(body: EventBody, data: EventSaid, at: str) -> Iterator[FieldError]:
    if body.type in OF_A_STOP and body.stop_id is None:
        yield FieldError(at=f"{at}/stop_id", why="is missing")
    if body.type == "route_ended" and not body.route_id:
        yield FieldError(at=f"{at}/route_id", why="is missing")
    if (body.lat is None) != (body.lon is None):
        yield FieldError(at=f"{at}/{'lat' if body.lat is None else 'lon'}", why="is missing: a place has both")
    if isinstance(data, Done):
        for index, parcel in enumerate(data.parcels):
            if (parcel.barcode is None) == (parcel.seq is None):
                yield FieldError(at=f"{at}/data/parcels/{index}", why="needs one of barcode and seq")
