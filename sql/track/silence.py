"""Who fell silent, or was heard again: the part of a track that depends on the clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sql import locks
from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A driver whose silence may have changed; `silent` is what was noticed last, `state` the track as stored.

    `heard_ms`: when anything of them came, with or without a place, by our clock.
    """

    lane: int
    driver_id: int
    account_id: int
    silent: bool
    state: bytes
    heard_ms: int


async def try_hold_silence(db: Db) -> bool:
    """Be the only tracker that looks for silence until the transaction ends; False when another one is."""
    return bool(await db.fetchval(_SQL["try_hold_silence"], locks.SILENCE))


async def silence_candidates(
    db: Db, lanes: Sequence[int], *, now: datetime, after_s: float, longest_shift_s: float
) -> list[Candidate]:
    """Find drivers who are due and whose silence may have changed, by driver_id ascending.

    Args:
        longest_shift_s: where only what was recorded in a shift is kept, one counts for so long at most.
    """
    rows = await db.fetch(_SQL["silence_candidates"], lanes, now, after_s, longest_shift_s)
    return [Candidate(**row) for row in rows]


async def mark_silent(db: Db, lanes: Sequence[int], drivers: Sequence[int], silent: Sequence[bool]) -> None:
    """Remember who is silent now."""
    await db.execute(_SQL["mark_silent"], lanes, drivers, silent)


async def put_off_looks(db: Db, *, but_for: Sequence[int], now: datetime, after_s: float) -> None:
    """Look at those who are due, but for some drivers, again when their silence may have changed."""
    await db.execute(_SQL["put_off_looks"], but_for, now, after_s)
