"""Who fell silent, or was heard again: the part of a track that depends on the clock."""

from collections.abc import Sequence
from dataclasses import dataclass

from sql.pool import Db
from sql.queries import load

_SQL = load("silence")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A driver whose silence may have changed; `silent` is what was noticed last, `state` the track as stored."""

    lane: int
    driver_id: int
    account_id: int
    silent: bool
    state: bytes


async def silence_candidates(db: Db, lanes: Sequence[int], *, after_s: float) -> list[Candidate]:
    """Find drivers who are due and whose silence may have changed, by driver_id ascending."""
    return [Candidate(**row) for row in await db.fetch(_SQL["silence_candidates"], lanes, after_s)]


async def mark_silent(db: Db, lanes: Sequence[int], drivers: Sequence[int], silent: Sequence[bool]) -> None:
    """Remember who is silent now."""
    await db.execute(_SQL["mark_silent"], lanes, drivers, silent)


async def put_off_looks(db: Db, *, after_s: float) -> None:
    """Look at those whose silence has not changed again when it may have."""
    await db.execute(_SQL["put_off_looks"], after_s)
