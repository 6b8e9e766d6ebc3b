"""Codes by which whoever has a link shows that they have its contact too."""

from dataclasses import dataclass

from sql.pool import Db
from sql.portal.stops import PortalStop
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRow:
    """The code that counts, by its generation.

    Attributes:
        alive: it was sent lately.
        wrong: guesses since the last right one.
        locked: there were too many of them.
    """

    generation: int
    alive: bool
    wrong: int
    locked: bool


async def ask_code(db: Db, stop: PortalStop, *, locked_s: float) -> int | None:
    """Begin the next code of a stop; return its generation, None while too many wrong ones lock it."""
    made: int | None = await db.fetchval(_SQL["ask_code"], stop.id, stop.account_id, stop.link_generation, locked_s)
    return made


async def hold_code(db: Db, stop: PortalStop, *, lives_s: float, locked_s: float) -> CodeRow | None:
    """Read and hold the code of a stop until the transaction ends; None: none was asked for by this link."""
    row = await db.fetchrow(_SQL["hold_code"], stop.id, stop.link_generation, lives_s, locked_s)
    return None if row is None else CodeRow(**row)


async def count_guess(db: Db, stop: PortalStop, *, wrong: int, locked: bool) -> None:
    """Say how many guesses were wrong since the last right one, and whether they lock it from now on."""
    await db.execute(_SQL["count_guess"], stop.id, wrong, locked)
