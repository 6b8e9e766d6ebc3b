"""The feed of facts as the tracker writes it: revisions of facts, never rewritten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)

LATE_AFTER_S = 300.0
"""A fact that becomes known more than five minutes after it happened is late: nobody is notified of it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One entry of the feed.

    Attributes:
        fact_id: the same for every revision of a fact, and in every re-run.
        state: asserted, corrected or retracted.
        occurred_ms: when it happened, by the phone's clock.
        lane, driver_id: None: of nobody.
        folded_ms: when the ping was recorded or the claim made that made it known; None for a fact of the clock.
        first_folded_ms: the same of an earlier input that made it known first, in other words; None: there was none.
    """

    fact_id: UUID
    revision: int
    state: str
    type: str
    occurred_ms: int
    folded_ms: int | None
    lane: int | None
    account_id: int
    driver_id: int | None
    route_id: int | None
    route_version: int | None
    stop_id: int | None
    geofence_id: int | None
    visit_id: UUID | None
    data: dict[str, Any]
    first_folded_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What was folded of one driver: inputs after `after_ms`, until and with `until_ms`."""

    driver_id: int
    after_ms: int
    until_ms: int


_FIELDS = tuple(field.name for field in fields(Revision))


async def known_facts(db: Db, fact_ids: Sequence[UUID], stretches: Sequence[Stretch]) -> dict[UUID, Revision]:
    """Read the newest revision of facts: those asked for and those that the stretches had made known before."""
    rows = await db.fetch(
        _SQL["known_facts"],
        fact_ids,
        [stretch.driver_id for stretch in stretches],
        [stretch.after_ms for stretch in stretches],
        [stretch.until_ms for stretch in stretches],
    )
    return {row["fact_id"]: Revision(**{name: row[name] for name in _FIELDS}) for row in rows}


async def put_revisions(db: Db, revisions: Sequence[Revision], *, late_after_s: float) -> None:
    """Append revisions to the feed; a fact known more than `late_after_s` after it happened is marked late.

    Raises:
        asyncpg.UniqueViolationError: somebody else wrote this revision; roll back.
    """
    columns = (
        *("account_id", "fact_id", "revision", "state", "type", "occurred_ms", "folded_ms", "lane", "driver_id"),
        *("route_id", "route_version", "stop_id", "geofence_id", "visit_id", "data"),
        "first_folded_ms",
    )
    await db.execute(
        _SQL["put_revisions"], *([getattr(one, name) for one in revisions] for name in columns), late_after_s
    )


async def move_facts(db: Db, moved: Sequence[Revision]) -> None:
    """Note that facts, otherwise the same, are now made known by other inputs (`folded_ms`, `first_folded_ms`)."""
    await db.execute(
        _SQL["move_facts"],
        [one.fact_id for one in moved],
        [one.revision for one in moved],
        [one.folded_ms for one in moved],
        [one.first_folded_ms for one in moved],
    )


async def begins_before(db: Db, from_ms: Mapping[int, int]) -> dict[int, int]:
    """Tell where re-runs must begin, by driver, to come to all of every fact that they come to."""
    begin = dict(from_ms)
    while earlier := {
        row["driver_id"]: row["from_ms"]
        for row in await db.fetch(_SQL["begins_before"], list(begin), list(begin.values()))
    }:
        begin |= earlier
    return begin
