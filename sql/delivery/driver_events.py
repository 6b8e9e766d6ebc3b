"""What drivers said, as it came in; what is in force of it is judged in sql/delivery/stop_states.py."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenParcel:
    """A parcel as the stop was planned."""

    seq: int
    barcode: str | None
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenStop:
    """A stop that a driver may speak of, as it is planned now.

    Attributes:
        cash_amount, cash_currency: to collect; None: nothing.
        wrong_pins: how often its present PIN was guessed wrong.
    """

    id: int
    route_id: int
    kind: str
    proof: Sequence[str]
    cash_amount: Decimal | None
    cash_currency: str | None
    pin_generation: int
    wrong_pins: int
    parcels: Sequence[SpokenParcel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """What is counted together: what a driver said on a day (UTC) of one type about one stop, or about none."""

    day: date
    type: str
    stop_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDriverEvent:
    """An event to write; the fields are columns of `driver_event`. A start without `route_id` means the next one.

    What has a default is known of events of apps only: a dispatcher speaks from no place, and of no manifest.
    """

    id: UUID
    type: str
    route_id: int | None
    stop_id: int | None
    occurred_ms: int
    lat: float | None = None
    lon: float | None = None
    data: dict[str, Any]
    outcome: dict[str, Any] = field(default_factory=dict)
    flaw: str | None = None
    pin_generation: int | None = None
    manifest_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverEventRow:
    """An event as it is kept; `why` tells why it is not effective, None where it is."""

    id: UUID
    type: str
    route_id: int | None
    stop_id: int | None
    occurred_ms: int
    lat: float | None
    lon: float | None
    data: dict[str, Any]
    effective: bool
    why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopToReopen:
    """A stop, and the driver in whose place a dispatcher speaks of it.

    Attributes:
        said_ms: when the last thing that was said of it and is in force occurred; None: nothing is.
    """

    route_id: int
    driver_id: int
    lane: int
    said_ms: int | None


async def lanes_to_hold(db: Db, *, account_id: int, driver_id: int, stop_ids: Iterable[int]) -> list[int]:
    """List the lanes of every driver who ever had these stops, as far as this driver may speak of them."""
    rows = await db.fetch(_SQL["lanes_to_hold"], account_id, driver_id, list(stop_ids))
    return [row["lane"] for row in rows]


async def stops_to_speak_of(
    db: Db, *, account_id: int, driver_id: int, stop_ids: Iterable[int]
) -> dict[int, SpokenStop]:
    """Read those of some stops that the driver has or ever had, by id."""
    rows = await db.fetch(_SQL["stops_to_speak_of"], account_id, driver_id, list(stop_ids))
    return {
        row["id"]: SpokenStop(**{**row, "parcels": [SpokenParcel(**parcel) for parcel in row["parcels"]]})
        for row in rows
    }


async def routes_to_speak_of(
    db: Db, *, account_id: int, driver_id: int, ids: Iterable[int], external_ids: Iterable[str]
) -> dict[int | str, int]:
    """Find those of some routes that the driver has or ever had: their id by either id."""
    rows = await db.fetch(_SQL["routes_to_speak_of"], account_id, driver_id, list(ids), list(external_ids))
    return {name: row["id"] for row in rows for name in (row["id"], row["external_id"])}


async def said_on_days(db: Db, *, driver_id: int, first: date, last: date) -> dict[Sort, int]:
    """Count what a driver said from a day to another; what dispatchers said in the driver's place is not counted."""
    rows = await db.fetch(_SQL["said_on_days"], driver_id, first, last)
    return {Sort(day=row["day"], type=row["type"], stop_id=row["stop_id"]): row["said"] for row in rows}


async def put_driver_events(
    db: Db,
    *,
    driver_id: int,
    account_id: int,
    lane: int,
    device_id: int | None,
    events: Sequence[NewDriverEvent],
) -> set[UUID]:
    """Write events, none of them in force yet; return the ids of those that were not there."""
    rows = [asdict(event) for event in events]
    made = await db.fetch(_SQL["put_driver_events"], driver_id, account_id, lane, device_id, rows)
    return {row["id"] for row in made}


async def driver_events_by_id(db: Db, *, driver_id: int, ids: Iterable[UUID]) -> dict[UUID, DriverEventRow]:
    """Read those of a driver's events that are there."""
    rows = await db.fetch(_SQL["driver_events_by_id"], driver_id, list(ids))
    return {row["id"]: DriverEventRow(**row) for row in rows}


async def stop_to_reopen(db: Db, *, account_id: int, stop_id: int) -> StopToReopen | None:
    """Find a stop of an account; None when there is none, or nobody ever drove or did it."""
    row = await db.fetchrow(_SQL["stop_to_reopen"], account_id, stop_id)
    return None if row is None else StopToReopen(**row)


async def may_reopen(db: Db, *, stop_id: int, at_ms: int, event_id: UUID) -> bool:
    """Tell whether there is anything at a stop that an event of a time may reopen. The caller holds the stop."""
    return bool(await db.fetchval(_SQL["may_reopen"], stop_id, at_ms, event_id))


async def status_of_stop(db: Db, *, account_id: int, stop_id: int) -> str | None:
    """Read the status of a stop; None when the account has no such stop."""
    status: str | None = await db.fetchval(_SQL["status_of_stop"], account_id, stop_id)
    return status
