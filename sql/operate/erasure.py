"""Erasing a person: what is found of them, and what goes, a bounded number at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sql.account.drivers import DriverRow
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRow:
    """An erasure that was asked for.

    Attributes:
        driver_id, lane: None of a recipient.
        stop_ids, order_ids: of a recipient; empty of a driver.
        words: to find in what nobody could read; None once it is done.
        done_at: None while it goes on.
        erased, remains: class of data to how many.
    """

    id: int
    account_id: int
    driver_id: int | None
    lane: int | None
    stop_ids: Sequence[int]
    order_ids: Sequence[int]
    words: Sequence[str] | None = field(repr=False)
    asked_at: datetime
    done_at: datetime | None
    erased: Mapping[str, int]
    remains: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A stop or an order of a recipient, and the words that name them there."""

    id: int
    words: Sequence[str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOfRecipient:
    """What is found of a recipient; `words` name them in what nobody could read."""

    stop_ids: Sequence[int] = ()
    order_ids: Sequence[int] = ()
    words: Sequence[str] = field(default=(), repr=False)


async def stops_of_contact(db: Db, *, account_id: int, contact: str, at_most: int) -> list[Named]:
    """Find a recipient's stops by e-mail address (any case) or phone (its digits count)."""
    if "@" in contact:
        rows = await db.fetch(_SQL["stops_of_email"], account_id, contact.lower(), at_most)
    else:
        digits = "".join(one for one in contact if one in "0123456789")
        rows = await db.fetch(_SQL["stops_of_phone"], account_id, digits, at_most)
    return [Named(**row) for row in rows]


async def stop_by_id(db: Db, *, account_id: int, stop_id: int) -> list[Named]:
    """Find one stop; an empty list when there is none."""
    return [Named(**row) for row in await db.fetch(_SQL["stop_by_id"], account_id, stop_id)]


async def driver_to_erase(
    db: Db, *, account_id: int, driver_id: int | None, external_id: str | None
) -> DriverRow | None:
    """Find a driver, also one that was deleted."""
    row = await db.fetchrow(_SQL["driver_by_id"], account_id, driver_id, external_id)
    return None if row is None else DriverRow(**row)


async def begin(
    db: Db,
    *,
    account_id: int,
    asked_by: tuple[int | None, int | None],
    driver_id: int | None = None,
    recipient: FoundOfRecipient = FoundOfRecipient(),
    again_s: float,
) -> int:
    """Note that somebody is to be erased; return the certificate's id. `work` goes on with it after `again_s`.

    Args:
        asked_by: the key, or the person who signed in.
    """
    found = (recipient.stop_ids, recipient.words, again_s, recipient.order_ids)
    made: int = await db.fetchval(_SQL["begin"], account_id, *asked_by, driver_id, *found)
    return made


async def find(db: Db | Pool, erasure_id: int, *, account_id: int | None = None) -> ErasureRow | None:
    """Read an erasure, of any account where none is named; None when there is none."""
    row = await db.fetchrow(_SQL["find"], account_id, erasure_id)
    return None if row is None else ErasureRow(**row)


async def due(db: Db | Pool, *, at_most: int) -> list[int]:
    """List erasures to go on with."""
    return [row["id"] for row in await db.fetch(_SQL["due"], at_most)]


async def count_erased(db: Db, erasure_id: int, name: str, more: int) -> None:
    """Add to what was erased of a class, in the transaction that erases it."""
    if more:
        await db.execute(_SQL["count_erased"], erasure_id, name, more)


async def put_off(db: Db | Pool, erasure_id: int, seconds: float) -> None:
    """Go on with it later."""
    await db.execute(_SQL["put_off"], erasure_id, seconds)


async def finish(db: Db | Pool, erasure_id: int, remains: Mapping[str, int], *, settled_s: float) -> None:
    """Note that it is done; it is gone through once more `settled_s` after it was asked for."""
    await db.execute(_SQL["finish"], erasure_id, dict(remains), settled_s)


async def proofs_of_stops(db: Db | Pool, stop_ids: Sequence[int], *, at_most: int) -> list[tuple[int, int]]:
    """List proofs of stops, each with its account."""
    return [(row["id"], row["account_id"]) for row in await db.fetch(_SQL["proofs_of_stops"], stop_ids, at_most)]


async def proofs_with_places(db: Db | Pool, driver_id: int, *, at_most: int) -> list[tuple[int, int]]:
    """List proofs that still say where their driver was, each with its account."""
    return [(row["id"], row["account_id"]) for row in await db.fetch(_SQL["proofs_with_places"], driver_id, at_most)]


async def drop_proofs(db: Db, proof_ids: Sequence[int]) -> int:
    """Forget proofs whose bytes are gone; return how many."""
    return len(await db.fetch(_SQL["drop_proofs"], proof_ids))


async def blank_proofs(db: Db, proof_ids: Sequence[int]) -> int:
    """Forget where proofs were taken, and their originals, whose bytes are gone; return of how many."""
    return len(await db.fetch(_SQL["blank_proofs"], proof_ids))


async def end_uploads(
    db: Db, *, stop_ids: Sequence[int] = (), driver_id: int | None = None, at_most: int
) -> tuple[list[tuple[int, UUID]], list[str]]:
    """Let nothing be appended any more to some uploads; return them, and the names of their parts' blobs."""
    if driver_id is None:
        rows = await db.fetch(_SQL["uploads_of_stops"], stop_ids, at_most)
    else:
        rows = await db.fetch(_SQL["uploads_of_driver"], driver_id, at_most)
    keys = [(row["driver_id"], row["id"]) for row in rows]
    columns = [one for one, _ in keys], [one for _, one in keys]
    await db.execute(_SQL["end_uploads"], *columns)
    parts = await db.fetch(_SQL["parts_of_uploads"], *columns)
    return keys, [row["blob"] for row in parts]


async def drop_uploads(db: Db, keys: Sequence[tuple[int, UUID]]) -> int:
    """Forget uploads whose parts' bytes are gone; return how many."""
    return len(await db.fetch(_SQL["drop_uploads"], [one for one, _ in keys], [one for _, one in keys]))


async def blank_words_of_stops(db: Db, stop_ids: Sequence[int], *, at_most: int) -> int:
    """Take everybody's words out of what drivers said of stops; return of how many events."""
    return len(await db.fetch(_SQL["blank_words_of_stops"], stop_ids, at_most))


async def blank_feed_of_stops(db: Db, stop_ids: Sequence[int], *, at_most: int) -> int:
    """Take everybody's words out of what the feed tells of stops; return of how many entries."""
    return len(await db.fetch(_SQL["blank_feed_of_stops"], stop_ids, at_most))


async def drop_messages(db: Db, stop_ids: Sequence[int]) -> int:
    """Forget messages about stops, sent or not, and what is to become one; return how many."""
    notices = await db.fetch(_SQL["drop_notices"], stop_ids)
    return len(notices) + len(await db.fetch(_SQL["drop_messages"], stop_ids))


async def drop_wishes(db: Db, stop_ids: Sequence[int]) -> int:
    """Forget what recipients said by their tracking page; return how much."""
    gone: int = await db.fetchval(_SQL["drop_wishes"], stop_ids)
    return gone


async def blank_cases(db: Db, stop_ids: Sequence[int]) -> int:
    """Forget what was said in tickets and returns of stops; return how much."""
    gone: int = await db.fetchval(_SQL["blank_cases"], stop_ids)
    return gone


async def blank_stops(db: Db, stop_ids: Sequence[int]) -> int:
    """Forget whom stops are for, and end their tracking links; return how many changed. The caller holds them."""
    await db.execute(_SQL["blank_parcels"], stop_ids)
    return len(await db.fetch(_SQL["blank_stops"], stop_ids))


async def drop_unreadable(
    db: Db, *, account_id: int, words: Sequence[str] = (), driver_id: int | None = None, at_most: int
) -> int:
    """Forget what nobody could read and a driver sent, or that holds one of some words; return how many."""
    if driver_id is None:
        return len(await db.fetch(_SQL["drop_unreadable_of_words"], account_id, words, at_most))
    return len(await db.fetch(_SQL["drop_unreadable_of_driver"], account_id, driver_id, at_most))


async def remains_of_stops(db: Db | Pool, stop_ids: Sequence[int], order_ids: Sequence[int]) -> dict[str, int]:
    """Count what stays of stops and orders: numbers without persons."""
    row = await db.fetchrow(_SQL["remains_of_stops"], stop_ids, order_ids)
    assert row is not None
    return dict(row)
