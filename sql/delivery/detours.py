"""Detours: where drivers drove between leaving a route and coming back, matched to roads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from sql import locks
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DetourNews:
    """An entry of an account's feed that says that a driver left a route or came back."""

    account_id: int
    seq: int
    route_id: int
    driver_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A driver was off a route: first fix off it, first one back on it."""

    from_at: datetime
    to_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDetour:
    """What a detour rests on: a spell, and how many believed pings in it."""

    from_at: datetime
    to_at: datetime
    pings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Detour:
    """A driver drove elsewhere.

    Attributes:
        source: `road`, or `straight` lines from ping to ping.
        path: lines of (lon, lat), degrees; more than one where the way tears.
    """

    driver_id: int
    from_at: datetime
    to_at: datetime
    source: str
    length_m: float
    path: Sequence[Sequence[tuple[float, float]]]


async def try_hold_detours(db: Db) -> bool:
    """Be the only one who matches detours until `let_go_detours`; False when another one is at it."""
    return bool(await db.fetchval(_SQL["try_hold_detours"], locks.DETOURS))


async def let_go_detours(db: Db) -> None:
    """Let another one match detours."""
    await db.execute(_SQL["let_go_detours"], locks.DETOURS)


async def news_of_detours(db: Db) -> list[DetourNews]:
    """Read the next entries of every account's feed that concern detours; none when all were looked at."""
    return [DetourNews(**row) for row in await db.fetch(_SQL["news_of_detours"], _AT_ONCE)]


async def set_detours_seen(db: Db, news: Iterable[DetourNews]) -> None:
    """Remember that these entries, and all before, were looked at."""
    seen = {one.account_id: one.seq for one in news}
    await db.execute(_SQL["set_detours_seen"], list(seen), list(seen.values()))


async def detours_to_check(db: Db) -> list[tuple[int, int]]:
    """Find route and driver of detours that could not be matched, or whose pings may have become others."""
    return [(row["route_id"], row["driver_id"]) for row in await db.fetch(_SQL["detours_to_check"], _AT_ONCE)]


async def spells_off_route(db: Db, *, route_id: int, driver_id: int) -> list[Spell]:
    """Read when a driver was off a route and came back, as the feed says now."""
    return [Spell(**row) for row in await db.fetch(_SQL["spells_off_route"], route_id, driver_id)]


async def believed_pings(db: Db, driver_id: int, spell: Spell, *, at_most: int) -> list[asyncpg.Record]:
    """Read the believed pings of a spell in order: `time_s` (Unix), `lat`, `lon`, `accuracy_m` (None: unknown)."""
    pings: list[asyncpg.Record] = await db.fetch(_SQL["believed_pings"], driver_id, spell.from_at, spell.to_at, at_most)
    return pings


async def known_detours(db: Db, *, route_id: int, driver_id: int) -> dict[datetime, KnownDetour]:
    """Read what a driver's detours from a route rest on, by their beginning; not those that could not be matched."""
    rows = await db.fetch(_SQL["known_detours"], route_id, driver_id)
    return {row["from_at"]: KnownDetour(**row) for row in rows}


async def look(db: Db) -> datetime:
    """Read the clock of the database."""
    at: datetime = await db.fetchval(_SQL["look"])
    return at


async def put_detour(db: Db, *, route_id: int, detour: Detour, pings: int, checked_at: datetime | None) -> None:
    """Keep a detour, in place of the one that began then.

    Args:
        pings: how many it rests on.
        checked_at: when they were read; None: it is to be matched again, because the roads could not be asked.
    """
    await db.execute(
        _SQL["put_detour"],
        route_id,
        detour.driver_id,
        detour.from_at,
        detour.to_at,
        detour.source,
        detour.length_m,
        detour.path,
        pings,
        checked_at,
    )


async def checked_detour(db: Db, *, route_id: int, driver_id: int, from_at: datetime, checked_at: datetime) -> None:
    """Remember that a detour rests on the same pings as before."""
    await db.execute(_SQL["checked_detour"], route_id, driver_id, from_at, checked_at)


async def keep_detours(db: Db, *, route_id: int, driver_id: int, begun: Sequence[datetime]) -> None:
    """Drop a driver's detours from a route but for those that begin at these times."""
    await db.execute(_SQL["keep_detours"], route_id, driver_id, begun)


async def detours_of_route(
    db: Db | Pool, account_id: int, *, route_id: int | None = None, external_id: str | None = None
) -> list[Detour] | None:
    """Read the detours from a route in the order of time; None when the account has no such route."""
    rows = await db.fetch(_SQL["detours_of_route"], account_id, route_id, external_id)
    if not rows:
        return None
    names = Detour.__dataclass_fields__
    return [Detour(**{name: row[name] for name in names}) for row in rows if row["driver_id"] is not None]
