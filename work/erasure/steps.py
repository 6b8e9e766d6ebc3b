"""The steps of an erasure. Each erases some, in a transaction of its own, and counts it there; it is repeated until
nothing is left for it. So one that ends in the middle is gone on with from its begin.

A table that tells of people gets a step here.
"""

import re
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from sql.addresses.book import forget_person
from sql.delivery.notes import drop_notes_of_driver, drop_notes_of_words
from sql.delivery.stop_states import hold_stops
from sql.desk.audit import blank_audit
from sql.imports.imports import drop_rows_of_words
from sql.operate import erasure, erasure_driver, planning
from sql.operate.erasure import ErasureRow
from sql.pings.partitions import partition_days
from sql.pool import Db, Pool
from sql.portal import photos
from sql.track.lanes import lock_lanes
from work.addresses.text import normalised, person_of
from work.messages.forget import forget_contact
from work.proofs.store import ORIGINAL, SHOWN, THUMBNAIL, ProofStore, blob_name, drop_photo_files

_PHONE = re.compile(r"\+?[0-9 ().\-/]{6,}")

AT_ONCE = 500
"""Rows changed in one statement."""

_ONLY: dict[str, str | None] = {"phone": None, "email": None, "name": None}

_FILES_AT_ONCE = 50
"""Proofs or uploads whose bytes go before their rows do."""

Step: TypeAlias = Callable[[Pool, ProofStore, ErasureRow], Awaitable[int]]
"""Erases some; gives how many, 0 when nothing is left for it."""


def _counted(name: str, erase: Callable[[Db, ErasureRow], Awaitable[int]]) -> Step:
    """Make a step of what erases in a transaction."""

    async def step(pool: Pool, _store: ProofStore, who: ErasureRow) -> int:
        async with pool.acquire() as db, db.transaction():
            gone = await erase(db, who)
            await erasure.count_erased(db, who.id, name, gone)
        return gone

    return step


async def uploads(pool: Pool, store: ProofStore, who: ErasureRow) -> int:
    """End uploads, then their bytes, then their rows."""
    async with pool.acquire() as db, db.transaction():
        keys, blobs = await erasure.end_uploads(
            db, stop_ids=who.stop_ids, driver_id=who.driver_id, at_most=_FILES_AT_ONCE
        )
    await store.blobs.drop(blobs)
    async with pool.acquire() as db, db.transaction():
        gone = await erasure.drop_uploads(db, keys)
        await erasure.count_erased(db, who.id, "uploads", gone)
    return gone


async def proofs_of_stops(pool: Pool, store: ProofStore, who: ErasureRow) -> int:
    """Photos, signatures and documents: first their bytes, then their rows."""
    found = await erasure.proofs_of_stops(pool, who.stop_ids, at_most=_FILES_AT_ONCE)
    await store.blobs.drop(
        [blob_name(account_id, one, what) for one, account_id in found for what in (ORIGINAL, SHOWN, THUMBNAIL)]
    )
    async with pool.acquire() as db, db.transaction():
        gone = await erasure.drop_proofs(db, [one for one, _ in found])
        await erasure.count_erased(db, who.id, "proofs", gone)
    return gone


async def photos_of_stops(pool: Pool, store: ProofStore, who: ErasureRow) -> int:
    """Photos that recipients sent: first their bytes, then their rows."""
    found = await photos.photos_of_stops(pool, who.stop_ids, at_most=_FILES_AT_ONCE)
    await drop_photo_files(store, found)
    async with pool.acquire() as db, db.transaction():
        gone = await photos.drop_photos(db, [one for one, _ in found])
        await erasure.count_erased(db, who.id, "photos", gone)
    return gone


async def places_of_proofs(pool: Pool, store: ProofStore, who: ErasureRow) -> int:
    """The originals, in which phones write place and camera; what is shown, without them, stays for the recipients."""
    assert who.driver_id is not None
    found = await erasure.proofs_with_places(pool, who.driver_id, at_most=_FILES_AT_ONCE)
    await store.blobs.drop([blob_name(account_id, one, ORIGINAL) for one, account_id in found])
    async with pool.acquire() as db, db.transaction():
        gone = await erasure.blank_proofs(db, [one for one, _ in found])
        await erasure.count_erased(db, who.id, "places of proofs", gone)
    return gone


async def pings(pool: Pool, _store: ProofStore, who: ErasureRow) -> int:
    """A day at a time."""
    assert who.driver_id is not None
    async with pool.acquire() as db:
        for day in await partition_days(db):
            async with db.transaction():
                gone = await erasure_driver.drop_pings_of_day(db, driver_id=who.driver_id, day=day)
                await erasure.count_erased(db, who.id, "pings", gone)
    return 0


async def _words(db: Db, who: ErasureRow) -> int:
    return await erasure.blank_words_of_stops(db, who.stop_ids, at_most=AT_ONCE)


async def _feed(db: Db, who: ErasureRow) -> int:
    return await erasure.blank_feed_of_stops(db, who.stop_ids, at_most=AT_ONCE)


async def _messages(db: Db, who: ErasureRow) -> int:
    gone = await erasure.drop_messages(db, who.stop_ids)
    for word in who.words or ():
        if "@" in word or _PHONE.fullmatch(word):
            gone += await forget_contact(db, who.account_id, word)
    return gone


async def _wishes(db: Db, who: ErasureRow) -> int:
    await hold_stops(db, who.stop_ids)
    return await erasure.drop_wishes(db, who.stop_ids)


async def _cases(db: Db, who: ErasureRow) -> int:
    await hold_stops(db, who.stop_ids)
    return await erasure.blank_cases(db, who.stop_ids)


async def _stops(db: Db, who: ErasureRow) -> int:
    await hold_stops(db, who.stop_ids)
    return await erasure.blank_stops(db, who.stop_ids)


async def _orders(db: Db, who: ErasureRow) -> int:
    """Orders, and what stops were made of them since it was asked."""
    gone = await planning.blank_orders(db, who.order_ids)
    stop_ids = await planning.stops_of_orders(db, who.order_ids)
    await hold_stops(db, stop_ids)
    await erasure.blank_stops(db, stop_ids)
    return gone


async def _addresses(db: Db, who: ErasureRow) -> int:
    words = who.words or ()
    persons = [
        found for word in words for how in ("phone", "email", "name") if (found := person_of(**_ONLY | {how: word}))
    ]
    return await forget_person(db, who.account_id, addresses=[normalised(word) for word in words], persons=persons)


async def _unreadable(db: Db, who: ErasureRow) -> int:
    return await erasure.drop_unreadable(
        db, account_id=who.account_id, words=who.words or (), driver_id=who.driver_id, at_most=AT_ONCE
    )


async def _notes(db: Db, who: ErasureRow) -> int:
    return await drop_notes_of_words(db, who.account_id, who.words or (), at_most=AT_ONCE)


async def _notes_of_driver(db: Db, who: ErasureRow) -> int:
    return await drop_notes_of_driver(db, _driver(who)[1], at_most=AT_ONCE)


async def _imports(db: Db, who: ErasureRow) -> int:
    words = who.words or ()
    phones = ["".join(one for one in word if one in "0123456789") for word in words if _PHONE.fullmatch(word)]
    return await drop_rows_of_words(db, who.account_id, words=words, phones=phones, at_most=AT_ONCE)


async def _track(db: Db, who: ErasureRow) -> int:
    lane, driver_id = _driver(who)
    await lock_lanes(db, [lane])
    return await erasure_driver.drop_track(db, lane=lane, driver_id=driver_id)


async def _feed_of_driver(db: Db, who: ErasureRow) -> int:
    return await erasure_driver.blank_feed(db, _driver(who)[1], at_most=AT_ONCE)


async def _words_of_driver(db: Db, who: ErasureRow) -> int:
    return await erasure_driver.blank_words(db, _driver(who)[1], at_most=AT_ONCE)


async def _visits_of_fences(db: Db, who: ErasureRow) -> int:
    lane, driver_id = _driver(who)
    return await erasure_driver.drop_visits_of_fences(db, lane=lane, driver_id=driver_id)


async def _manifest(db: Db, who: ErasureRow) -> int:
    return await erasure_driver.drop_manifest(db, _driver(who)[1])


async def _learned(db: Db, who: ErasureRow) -> int:
    return await erasure_driver.drop_learned(db, account_id=who.account_id, driver_id=_driver(who)[1])


async def _shifts(db: Db, who: ErasureRow) -> int:
    return await planning.forget_shifts(db, _driver(who)[1])


async def _name(db: Db, who: ErasureRow) -> int:
    return await erasure_driver.blank_driver(db, _driver(who)[1])


async def _audit_of_driver(db: Db, who: ErasureRow) -> int:
    return await blank_audit(db, who.account_id, driver_id=_driver(who)[1])


async def _audit(db: Db, who: ErasureRow) -> int:
    return await blank_audit(db, who.account_id, words=[word.lower() for word in who.words or () if "@" in word])


def _driver(who: ErasureRow) -> tuple[int, int]:
    assert who.lane is not None
    assert who.driver_id is not None
    return who.lane, who.driver_id


OF_A_RECIPIENT: tuple[Step, ...] = (
    _counted("stops", _stops),  # ends the link: nothing more is said by it
    _counted("orders", _orders),
    _counted("addresses", _addresses),
    _counted("wishes", _wishes),
    _counted("tickets and returns", _cases),
    _counted("messages", _messages),
    uploads,
    proofs_of_stops,
    photos_of_stops,
    _counted("driver events", _words),
    _counted("feed", _feed),
    _counted("notes", _notes),
    _counted("imports", _imports),
    _counted("audit log", _audit),
    _counted("quarantine", _unreadable),
)

OF_A_DRIVER: tuple[Step, ...] = (
    _counted("audit log", _audit_of_driver),  # while their name is known
    _counted("drivers", _name),
    pings,
    _counted("tracks", _track),
    uploads,
    places_of_proofs,
    _counted("driver events", _words_of_driver),
    _counted("feed", _feed_of_driver),
    _counted("visits", _visits_of_fences),
    _counted("manifests", _manifest),
    _counted("ETAs", _learned),
    _counted("shifts", _shifts),
    _counted("notes", _notes_of_driver),
    _counted("quarantine", _unreadable),
)
