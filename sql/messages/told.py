"""What a message may say of a stop, and what decides whether it is still true."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldStop:
    """A stop, its route and its account, as far as messages are about them.

    Attributes:
        removed: it is not of the tour any more.
        eta_low, eta_high: when the van is expected; None: nothing is known, or it has been.
        unsettled: pings of its driver wait to be folded: where the van is may turn out otherwise.
        attempt: 1, and one more for each time the stop was opened again.
        reason: the code that the driver gave for a failure.
        settings: the account's.
        browsers: that are told by a push service, sealed.
        wished_channel: by which its recipient wants to hear; None: they did not say.
        code_generation: of the recipient's code that counts; None: none was asked for.
    """

    id: int
    account_id: int
    route_id: int
    external_id: str
    kind: str
    name: str
    address: str | None
    lat: float
    lon: float
    phone: str | None
    email: str | None
    locale: str | None
    window_start: datetime | None
    window_end: datetime | None
    planned_arrival: datetime | None
    status: str
    arrived_at: datetime | None
    departed_at: datetime | None
    outcome_at: datetime | None
    link_generation: int
    pin_generation: int
    link_revoked: bool
    removed: bool
    asks_pin: bool
    route_status: str
    timezone: str
    start_at: datetime
    end_at: datetime
    route_deleted: bool
    driver_name: str | None
    account_name: str
    settings: dict[str, Any]
    eta_low: datetime | None
    eta_high: datetime | None
    unsettled: bool
    attempt: int
    reason: str | None
    browsers: list[bytes] = field(repr=False)
    code_generation: int | None = None
    wished_channel: str | None = None


async def told_stops(db: Db | Pool, stop_ids: Iterable[int]) -> dict[int, ToldStop]:
    """Read what messages may say of stops, by id; one that is gone is missing."""
    return {row["id"]: ToldStop(**row) for row in await db.fetch(_SQL["told_stops"], sorted(stop_ids))}


async def told_before_move(db: Db | Pool, stop_ids: Iterable[int]) -> set[tuple[int, str]]:
    """Tell which kinds of messages orders had on another route of the day, for the same window: stop now, kind."""
    rows = await db.fetch(_SQL["told_before_move"], sorted(set(stop_ids)))
    return {(row["stop_id"], row["kind"]) for row in rows}


async def retracted_facts(db: Db, fact_ids: Iterable[UUID]) -> set[UUID]:
    """Tell which facts are taken back by now."""
    return {row["fact_id"] for row in await db.fetch(_SQL["retracted_facts"], list(fact_ids))}
