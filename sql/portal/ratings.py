"""Ratings: what recipients thought of a delivery, once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sql.pool import Db, Pool
from sql.portal.stops import PortalStop
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingRow:
    """A rating; `driver_id` is who had the route then, None: nobody."""

    id: int
    stop_id: int
    driver_id: int | None
    stars: int
    reasons: Sequence[str]
    words: str | None = field(repr=False)
    rated_at: datetime


async def put_rating(
    db: Db, stop: PortalStop, *, stars: int, reasons: Sequence[str], words: str | None, now: datetime
) -> int | None:
    """Keep a rating; return its id, None when the stop has one."""
    made: int | None = await db.fetchval(_SQL["put_rating"], stop.id, stop.account_id, stars, reasons, words, now)
    return made


async def find_stars(db: Db | Pool, stop_id: int) -> tuple[int, datetime] | None:
    """Read how a stop was rated, and when; None: it was not."""
    row = await db.fetchrow(_SQL["find_stars"], stop_id)
    return None if row is None else (row["stars"], row["rated_at"])


async def page_of_ratings(
    db: Db | Pool, *, account_id: int, driver_id: int | None, before: int | None, limit: int
) -> list[RatingRow]:
    """Read a page of ratings, the newest first; None asks for any."""
    rows = await db.fetch(_SQL["page_of_ratings"], account_id, driver_id, before, limit)
    return [RatingRow(**row) for row in rows]
