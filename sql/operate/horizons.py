"""How far classes of data have been forgotten, by the clock of the database."""

from dataclasses import dataclass
from datetime import datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """What is known of a class of data.

    Attributes:
        now: the time of the database.
        ran_at: when something of it might be deleted last; None: never yet.
        horizon: what was older was to go then.
        confirmed: an operator said yes to all that is older; None: nobody had to.
        held_since, held_why: why nothing of it goes, and since when; None: nothing is wrong.
    """

    now: datetime
    ran_at: datetime | None
    horizon: datetime | None
    confirmed: datetime | None
    held_since: datetime | None = None
    held_why: str | None = None


async def read_clock(db: Db | Pool) -> datetime:
    """Ask the database what time it is."""
    now: datetime = await db.fetchval(_SQL["read_clock"])
    return now


async def read_horizon(db: Db | Pool, name: str) -> Horizon:
    """Read how far a class of data has been forgotten."""
    row = await db.fetchrow(_SQL["read_horizon"], name)
    assert row is not None
    return Horizon(**row)


async def put_horizon(db: Db | Pool, name: str, *, ran_at: datetime, horizon: datetime) -> None:
    """Remember that what is older than `horizon` goes now."""
    await db.execute(_SQL["put_horizon"], name, ran_at, horizon)


async def hold(db: Db | Pool, name: str, *, at: datetime, why: str) -> bool:
    """Remember that nothing of a class goes; tell whether that, or why, is new."""
    return await db.fetchval(_SQL["hold"], name, at, why) is not None


async def confirm(db: Db | Pool, name: str, horizon: datetime) -> None:
    """Remember that an operator wants all older than `horizon` to go."""
    await db.execute(_SQL["confirm"], name, horizon)
