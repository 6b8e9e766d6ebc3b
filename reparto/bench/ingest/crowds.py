"""Drivers by the hundred thousand and pings by the hundred million, made behind the API's back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from geo.pings import Ints, Pings
from geo.times import time_of
from reparto.bench.ingest.load import BenchDevice, told
from sql.pings.partitions import ensure_partitions
from sql.pings.pings import copy_pings
from sql.pool import Connection
from sql.queries import load

_SQL = load(__name__)

_DRIVE = [told(20.6 + second * 8e-5, -103.4, 9.0, 0.0) for second in range(1_000)]
_CHUNK = 100_000
_SETTLED_WITHIN_S = 3_600.0
_MINUTE = 60
"""Fixes of one phone that are stored together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchDriver:
    """A driver without a route, and the phone that sends."""

    driver_id: int
    device_id: int
    lane: int
    phone: BenchDevice


async def make_drivers(db: Connection, first: int, last: int, *, starts_ms: int) -> list[BenchDriver]:
    """Make drivers number `first` to `last`, both included."""
    account_id = await db.fetchval(_SQL["the_account"])
    made = await db.fetch(_SQL["make_drivers"], account_id, first, last, "crowd-")
    return [
        BenchDriver(
            driver_id=row["driver_id"],
            device_id=row["device_id"],
            lane=row["lane"],
            phone=BenchDevice(token=f"rpd_{row['external_id']}", drive=_DRIVE, starts_ms=starts_ms),
        )
        for row in made
    ]


async def store_history(db: Connection, drivers: Sequence[BenchDriver], pings: int, *, until_ms: int) -> None:
    """Store so many pings of the time before `until_ms`: every phone's minutes in turn, one fix a second."""
    minutes = -(-pings // (len(drivers) * _MINUTE))
    since_ms = until_ms - minutes * _MINUTE * 1000
    await ensure_partitions(
        db, time_of(since_ms).date() - timedelta(days=1), time_of(until_ms).date() + timedelta(days=1)
    )
    ids = np.array([(one.driver_id, one.device_id, one.lane) for one in drivers], np.int64)
    at_once = max(1, _CHUNK // _MINUTE)
    for minute in range(minutes):
        for first in range(0, len(ids), at_once):
            some = ids[first : first + at_once]
            await copy_pings(db, _minute(some, since_ms + minute * _MINUTE * 1000), None)


def _minute(ids: Ints, since_ms: int) -> Pings:
    n = len(ids)
    pings, second = Pings.empty(n * _MINUTE), np.tile(np.arange(_MINUTE), n)
    rows = pings.rows
    rows["driver_id"], rows["device_id"] = ids[:, 0].repeat(_MINUTE), ids[:, 1].repeat(_MINUTE)
    rows["recorded_ms"] = since_ms + second * 1000
    rows["received_ms"] = rows["recorded_ms"] + 1000
    rows["lat_e6"], rows["lon_e6"] = 20_600_000 + second * 80, -103_400_000
    rows["accuracy_m"], rows["speed_mps"], rows["heading_deg"] = 6.0, 9.0, 0.0
    return pings


async def settle(db: Connection) -> None:
    """Have the database done with what was made behind its back: else pings pay for it."""
    await db.execute(_SQL["wait_as_long_as_it_takes"])
    for name in ("vacuum", "checkpoint"):
        await db.execute(_SQL[name], timeout=_SETTLED_WITHIN_S)


async def size(db: Connection) -> tuple[int, float, float]:
    """Give how many pings are stored, and the bytes of a row and of its key."""
    await db.execute(_SQL["look_through"])
    pings, row_bytes, key_bytes = await db.fetchrow(_SQL["size"])
    return pings, row_bytes / max(1, pings), key_bytes / max(1, pings)
