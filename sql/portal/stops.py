"""A stop as its recipient may change it: what it is now, what they said of it, and every change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalStop:
    """A stop, and what decides what its recipient may do.

    Attributes:
        revoked, removed: its link was ended; it is not of the tour any more.
        cash: something is to be paid at the door.
        eta_low: when the van is expected at the earliest; None: nothing is known.
        recipient_may_not: what the sender of this one does not let them do.
        link_generation: of the link that opens it.
        settings: the account's.
        case_open: a ticket or a return of it is open, or a ticket was closed so lately that it may be opened again.
        return_open: a return of it is open.
        slot_start, slot_end: of the slot that its recipient chose; None: they did not, or it was cancelled since.
    """

    id: int
    account_id: int
    route_id: int
    kind: str
    status: str
    lat: float
    lon: float
    arrived_at: datetime | None
    departed_at: datetime | None
    outcome_at: datetime | None
    removed: bool
    revoked: bool
    cash: bool
    planned_arrival: datetime | None
    window_start: datetime | None
    window_end: datetime | None
    phone: str | None = field(repr=False)
    email: str | None = field(repr=False)
    recipient_may_not: Sequence[str]
    link_generation: int
    route_status: str
    start_at: datetime
    end_at: datetime
    finished_at: datetime | None
    route_deleted: bool
    settings: Mapping[str, Any] = field(repr=False)
    eta_low: datetime | None
    rated: bool
    case_open: bool
    return_open: bool
    external_id: str
    service_s: float
    locale: str | None
    timezone: str
    slot_start: datetime | None
    slot_end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WishRow:
    """What a recipient said of their stop, beside the plan; None: nothing.

    `door_m`: from where the planner has it. `last_change`: what they said last, None: nobody kept it.
    `away`: nobody is at home when the van comes.
    """

    instructions: str | None = None
    safe_place: str | None = None
    neighbour_name: str | None = None
    neighbour_address: str | None = None
    door_lat: float | None = None
    door_lon: float | None = None
    door_m: float | None = None
    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    channel: str | None = None
    slot_start: datetime | None = None
    slot_end: datetime | None = None
    place_address: str | None = None
    place_lat: float | None = None
    place_lon: float | None = None
    said_at: datetime | None = None
    last_change: str | None = None
    away: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """A change: `applied`, `proposed` to the company, or `rejected` by it."""

    id: int
    kind: str
    state: str
    was: dict[str, Any] = field(repr=False)
    is_now: dict[str, Any] = field(repr=False)
    made_at: datetime


async def find_stop(db: Db | Pool, link_hash: bytes) -> PortalStop | None:
    """Read the stop that a link opens; None: there is no such link."""
    row = await db.fetchrow(_SQL["find_stop"], link_hash, None)
    return None if row is None else PortalStop(**row)


async def find_stop_by_id(db: Db, stop_id: int) -> PortalStop:
    """Read a stop that is held."""
    row = await db.fetchrow(_SQL["find_stop"], None, stop_id)
    assert row is not None
    return PortalStop(**row)


async def hold_stop(db: Db, stop_id: int) -> None:
    """Let nobody else change a stop, nor say what became of it, until the transaction ends."""
    await db.execute(_SQL["hold_stop"], stop_id)


async def find_wish(db: Db | Pool, stop_id: int) -> WishRow:
    """Read what a recipient said of a stop."""
    row = await db.fetchrow(_SQL["find_wish"], stop_id)
    return WishRow() if row is None else WishRow(**row)


async def put_wish(db: Db, stop: PortalStop, wish: WishRow) -> None:
    """Keep what a recipient says of a stop, in place of what they said before."""
    names = (
        *("instructions", "safe_place", "neighbour_name", "neighbour_address", "door_lat", "door_lon", "door_m"),
        *("phone", "email", "channel", "slot_start", "slot_end", "place_address", "place_lat", "place_lon"),
        *("said_at", "last_change", "away"),
    )
    values = [getattr(wish, name) for name in names]
    await db.execute(_SQL["put_wish"], stop.id, stop.account_id, stop.route_id, *values)


async def put_contact(db: Db, stop: PortalStop, *, phone: str | None, email: str | None) -> None:
    """Change how whoever waits at a stop can be reached."""
    await db.execute(_SQL["put_contact"], stop.id, phone, email)


async def put_window(db: Db, stop: PortalStop, start: datetime, end: datetime) -> None:
    """Change when a stop that is on no tour now is promised for."""
    await db.execute(_SQL["put_window"], stop.id, start, end)


async def move_waiting(db: Db, stop: PortalStop, *, address: str | None, lat: float, lon: float) -> bool:
    """Bring a stop that is on no tour now, with the order that waits in its place, elsewhere; False: none waits."""
    return await db.fetchval(_SQL["move_waiting"], stop.id, address, lat, lon) is not None


async def put_change(
    db: Db, stop: PortalStop, *, kind: str, state: str, was: dict[str, Any], is_now: dict[str, Any], now: datetime
) -> int:
    """Note a change; return its id."""
    made: int = await db.fetchval(_SQL["put_change"], stop.account_id, stop.id, kind, state, was, is_now, now)
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class LastChange:
    """The last change of a kind; `told`: the driver's phone was shown it."""

    id: int
    told: bool
    state: str


async def last_changes(db: Db | Pool, stop_id: int) -> dict[str, LastChange]:
    """Read the last change of each kind."""
    rows = await db.fetch(_SQL["told_changes"], stop_id)
    return {row["kind"]: LastChange(id=row["id"], told=row["told"], state=row["state"]) for row in rows}


async def put_fact(
    db: Db, stop: PortalStop, *, fact_id: UUID, type_name: str, data: dict[str, Any], now: datetime
) -> None:
    """Tell the feed of something that a recipient did."""
    about = FactAbout(account_id=stop.account_id, route_id=stop.route_id, stop_id=stop.id)
    await put_fact_about(db, about, fact_id=fact_id, type_name=type_name, data=data, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactAbout:
    """Which stop a fact is about."""

    account_id: int
    route_id: int
    stop_id: int


async def put_fact_about(
    db: Db, about: FactAbout, *, fact_id: UUID, type_name: str, data: dict[str, Any], now: datetime
) -> None:
    """Tell the feed of something that has to do with a recipient."""
    await db.execute(_SQL["put_fact"], about.account_id, fact_id, type_name, about.route_id, about.stop_id, data, now)


async def changes_of_stop(db: Db | Pool, *, account_id: int, stop_id: int) -> list[ChangeRow] | None:
    """Read what a recipient changed, oldest first; None: the account has no such stop."""
    if not await db.fetchval(_SQL["has_stop"], account_id, stop_id):
        return None
    return [ChangeRow(**row) for row in await db.fetch(_SQL["changes_of_stop"], account_id, stop_id)]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopChange(ChangeRow):
    """A change of a stop."""

    stop_id: int


async def page_of_changes(
    db: Db | Pool, account_id: int, *, state: str | None, before: int | None, limit: int
) -> list[StopChange]:
    """Read a page of changes, the newest first; None asks for any."""
    return [StopChange(**row) for row in await db.fetch(_SQL["page_of_changes"], account_id, state, before, limit)]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldChange(ChangeRow):
    """A change that nobody else decides on; `superseded`: another place was chosen or proposed after it."""

    superseded: bool


async def hold_change(db: Db, *, account_id: int, stop_id: int, change_id: int) -> HeldChange | None:
    """Hold a change until the transaction ends; None: the stop has no such change."""
    row = await db.fetchrow(_SQL["hold_change"], account_id, stop_id, change_id)
    return None if row is None else HeldChange(**row)


async def decide_change(db: Db, change_id: int, *, state: str, now: datetime) -> None:
    """Note what a company decided on a change that is held."""
    await db.execute(_SQL["decide_change"], change_id, state, now)
