"""What the benches ask a throw-away database: how far trackers are, and how fast the bare table takes rows."""

import tempfile
import time
from collections.abc import AsyncIterator
from typing import IO

from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)

_CHUNK_BYTES = 1 << 18


async def waiting_pings(db: Db) -> int:
    """Count the pings that wait for the trackers."""
    waiting: int = await db.fetchval(_SQL["waiting_pings"])
    return waiting


async def copy_again(db: Db, at_most: int) -> tuple[int, float]:
    """Empty the table of pings and bring some of its rows back with one bare COPY in one commit.

    Returns:
        How many rows, and how long the COPY took, seconds.
    """
    with tempfile.TemporaryFile() as rows:
        await db.copy_from_query(_SQL["some_pings"], at_most, output=rows, format="binary")
        await db.execute(_SQL["empty_pings"])
        rows.seek(0)
        began_s = time.perf_counter()
        status = await db.copy_to_table("packed_ping", source=_chunks(rows), format="binary")
        return int(status.rpartition(" ")[2]), time.perf_counter() - began_s


async def change_stops(db: Db) -> None:
    """Plan one stop of every route otherwise, behind the API's back."""
    await db.execute(_SQL["change_stops"])


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
