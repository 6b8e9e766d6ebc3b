"""What ETAs learned, and which drives they still have to learn from."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import numpy as np

from geo.eta.model import Row, RowKey
from geo.eta.window import BUILT_IN, Band
from geo.pings import Floats, Ints
from sql import locks
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveRow:
    """One driver's drive of one route, of which something is not learned yet.

    Attributes:
        learned: what was learned of it: never a second time.
        horizon_ms: what ended until then is settled, and long enough ago.
        due_at: since when there is something new.
        version: the last of the route that its driver had; None: the driver never had it.
    """

    route_id: int
    driver_id: int
    learned: list[str]
    horizon_ms: int
    due_at: datetime
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What became of a `Drive`: all that is learned of it now; `goes_on`: there is more, later."""

    drive: DriveRow
    learned: Set[str]
    goes_on: bool


async def note_visits(db: Db, visits: Iterable[tuple[int, int, int]]) -> None:
    """Note that drives (route, driver, account) have closed visits to learn from."""
    await db.execute(_SQL["note_visits"], *map(list, zip(*visits, strict=True)))


async def accounts_to_learn(db: Db | Pool, *, after_s: float, at_most: int) -> list[int]:
    """Find accounts whose drives wait to be learned from, so long after the visits were noted."""
    return [row["account_id"] for row in await db.fetch(_SQL["accounts_to_learn"], after_s, at_most)]


async def try_hold_learning(db: Db, account_id: int) -> bool:
    """Be the only one who learns for an account until the transaction ends; False when another one is at it."""
    return bool(await db.fetchval(_SQL["try_hold_learning"], locks.LEARNING_CLASS, account_id))


async def due_drives(db: Db, account_id: int, *, after_s: float, at_most: int) -> list[DriveRow]:
    """Read an account's drives to learn from. The caller holds the account's learning."""
    return [DriveRow(**row) for row in await db.fetch(_SQL["due_drives"], account_id, after_s, at_most)]


async def drive_visits(db: Db, drive: DriveRow) -> dict[int, tuple[int, int | None]]:
    """Read when the driver came to stops and left (None: is there still), epoch milliseconds, by stop."""
    rows = await db.fetch(_SQL["drive_visits"], drive.route_id, drive.driver_id)
    return {row["stop_id"]: (row["arrived_ms"], row["departed_ms"]) for row in rows}


async def drive_places(db: Db, drive: DriveRow, *, from_ms: int, until_ms: int) -> tuple[Ints, Floats]:
    """Read the driver's believed places on the path of the drive's version: epoch milliseconds, and metres along it."""
    row = await db.fetchrow(_SQL["drive_places"], drive.driver_id, drive.route_id, drive.version, from_ms, until_ms)
    assert row is not None
    return np.array(row["ms"], np.int64), np.array(row["along_m"], np.float64)


async def note_learned(db: Db, learned: Sequence[Learned]) -> None:
    """Note what is learned of drives."""
    routes = [one.drive.route_id for one in learned]
    drivers = [one.drive.driver_id for one in learned]
    await db.execute(_SQL["hold_drives"], routes, drivers)
    await db.execute(
        _SQL["note_learned"],
        routes,
        drivers,
        ["{" + ",".join(sorted(one.learned)) + "}" for one in learned],
        [one.drive.due_at for one in learned],
        [one.goes_on for one in learned],
    )


async def eta_version(db: Db | Pool, account_id: int) -> int:
    """Tell how often ETAs of an account learned something."""
    return int(await db.fetchval(_SQL["eta_version"], account_id))


async def raise_eta_version(db: Db, account_id: int, version: int) -> None:
    """Tell trackers that there is something new. Last in a transaction: others write the account too."""
    await db.execute(_SQL["raise_eta_version"], account_id, version)


async def rows_since(db: Db | Pool, account_id: int, version: int) -> dict[RowKey, Row]:
    """Read the rows that changed after a version; all of them after version 0."""
    return _rows(await db.fetch(_SQL["rows_since"], account_id, version))


async def rows_of_keys(db: Db | Pool, account_id: int, keys: Iterable[RowKey]) -> dict[RowKey, Row]:
    """Read those of some rows that there are."""
    return _rows(await db.fetch(_SQL["rows_of_keys"], account_id, *map(list, zip(*keys, strict=True))))


def _rows(found: Sequence[asyncpg.Record]) -> dict[RowKey, Row]:
    return {
        RowKey(row["scope"], row["key"], row["hour_class"], row["weekday_class"]): Row(
            n=row["n"], mean=row["mean"], m2=row["m2"], as_of_ms=row["as_of_ms"]
        )
        for row in found
    }


async def put_rows(db: Db, account_id: int, version: int, rows: Mapping[RowKey, Row]) -> None:
    """Write rows that changed, as of a version."""
    for statement, of_services in ((_SQL["put_drive_rows"], False), (_SQL["put_service_rows"], True)):
        mine = [(key, row) for key, row in sorted(rows.items()) if key.scope.startswith("service") is of_services]
        await db.execute(
            statement,
            account_id,
            version,
            *([getattr(key, name) for key, _ in mine] for name in ("scope", "key", "hour_class", "weekday_class")),
            *([getattr(row, name) for _, row in mine] for name in ("n", "mean", "m2", "as_of_ms")),
        )


async def read_bands(db: Db | Pool, account_id: int) -> tuple[Band, ...]:
    """Read how wide an account's windows are, of vans under way and of waiting ones, by lead; as built in before
    anything was learned."""
    stored = [Band(**row) for row in await db.fetch(_SQL["read_bands"], account_id)]
    kinds = {band.waits for band in stored}
    return (*stored, *(band for band in BUILT_IN if band.waits not in kinds))


async def put_bands(db: Db, account_id: int, bands: Sequence[Band]) -> None:
    """Replace how wide an account's windows are."""
    await db.execute(_SQL["drop_bands"], account_id)
    names = ("lead_s", "early", "late", "n", "alpha", "waits")
    await db.execute(_SQL["put_bands"], account_id, *([getattr(band, name) for band in bands] for name in names))


async def drop_rows(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget what nothing was seen of since a time, and which drives were learned from before; return how many rows."""
    dropped = 0
    for statement in (_SQL["drop_drive_rows"], _SQL["drop_service_rows"], _SQL["drop_drives"]):
        dropped += len(await db.fetch(statement, before, at_most))
    return dropped
