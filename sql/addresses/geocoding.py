"""Geocoders of accounts, what they said, and the orders that wait for a place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeocoderRow:
    """Who geocodes for an account; `secrets` are sealed, None: it needs none. `trouble`: why it could not be asked."""

    account_id: int
    provider: str
    settings: dict[str, Any]
    secrets: bytes | None
    trouble: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedForOrder:
    """An order whose place is looked for; `updated_at`: nothing is written once it is another one."""

    id: int
    account_id: int
    external_id: str
    quality: str
    depot: str | None
    body: dict[str, Any]
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """What a geocoder said, degrees; all None: it does not find it."""

    lat: float | None
    lon: float | None
    quality: str | None


async def geocoder_of(db: Db | Pool, account_id: int) -> GeocoderRow | None:
    """Read who geocodes for an account; None: nobody."""
    row = await db.fetchrow(_SQL["geocoder_of"], account_id)
    return None if row is None else GeocoderRow(**row)


async def put_geocoder(
    db: Db | Pool, *, account_id: int, provider: str, settings: dict[str, Any], secrets: bytes | None
) -> None:
    """Say who geocodes for an account."""
    await db.execute(_SQL["put_geocoder"], account_id, provider, settings, secrets)


async def delete_geocoder(db: Db | Pool, account_id: int) -> bool:
    """Let nobody geocode any more; False: nobody did."""
    return bool(await db.fetchval(_SQL["delete_geocoder"], account_id))


async def note_trouble(db: Db | Pool, account_id: int, why: str | None) -> None:
    """Note why a geocoder could not be asked; None: it could."""
    await db.execute(_SQL["note_trouble"], account_id, why)


async def sealed_geocoders(db: Db) -> list[tuple[int, bytes]]:
    """Read and hold all sealed secrets: account, secrets."""
    return [tuple(row) for row in await db.fetch(_SQL["sealed_geocoders"])]


async def put_sealed_geocoder(db: Db, account_id: int, secrets: bytes) -> None:
    """Replace what is sealed of one."""
    await db.execute(_SQL["put_sealed"], account_id, secrets)


async def take_turn(db: Db | Pool, host: str, *, apart_s: float, at_most_s: float) -> float | None:
    """Reserve the next turn at a host; return in how many seconds it is. None: not within `at_most_s`, nothing is."""
    wait_s: float | None = await db.fetchval(_SQL["take_turn"], host, apart_s, at_most_s)
    return None if wait_s is None else max(0.0, wait_s)


async def known_answer(
    db: Db | Pool, row: GeocoderRow, address: str, *, since: datetime, none_since: datetime
) -> AnswerRow | None:
    """Read what a geocoder said of a normalised address since a time; None: nothing."""
    found = await db.fetchrow(_SQL["known_answer"], row.account_id, row.provider, address, since, none_since)
    return None if found is None else AnswerRow(**found)


async def put_answer(db: Db | Pool, row: GeocoderRow, address: str, said: AnswerRow, *, now: datetime) -> None:
    """Keep what a geocoder said of a normalised address."""
    one = (said.lat, said.lon, said.quality)
    await db.execute(_SQL["put_answer"], row.account_id, row.provider, address, *one, now)


async def drop_answers(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget what was said before a time; return how much."""
    return len(await db.fetch(_SQL["drop_answers"], before, at_most))


async def take_orders(db: Db | Pool, *, each: int, accounts: int, hold_s: float) -> list[LookedForOrder]:
    """Take orders whose place is to be looked for; for `hold_s` they are this process's."""
    return [LookedForOrder(**row) for row in await db.fetch(_SQL["take_orders"], each, accounts, hold_s)]


async def place_order(db: Db, order: LookedForOrder, *, state: str, quality: str, lat: float, lon: float) -> bool:
    """Put an order where it is; False: somebody changed it meanwhile."""
    return bool(await db.fetchval(_SQL["place_order"], order.id, order.updated_at, state, quality, lat, lon))


async def stop_looking(db: Db, order: LookedForOrder) -> bool:
    """Look no more for an order's place; False: somebody changed it meanwhile."""
    return bool(await db.fetchval(_SQL["stop_looking"], order.id, order.updated_at))


async def look_again(db: Db | Pool, orders: Sequence[LookedForOrder], *, in_s: float) -> None:
    """Look for the places of orders again later."""
    await db.execute(_SQL["look_again"], [order.id for order in orders], in_s)
