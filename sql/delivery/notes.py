"""Notes of tours: what dispatchers and drivers wrote down for each other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteNote:
    """A note of a tour.

    Attributes:
        id: of a dispatcher's; None: a driver's, which is their event `event_id`.
        name: who wrote it; None: they are gone.
        stop_id: the stop that it is about; None: the tour.
    """

    id: int | None
    event_id: UUID | None
    at: datetime
    name: str | None
    stop_id: int | None
    words: str = field(repr=False)


async def add_note(
    db: Db, *, account_id: int, route_id: int, key_id: int | None, person_id: int | None, words: str
) -> int:
    """Add a dispatcher's note; return its id."""
    return int(await db.fetchval(_SQL["add_note"], account_id, route_id, key_id, person_id, words))


async def notes_of_route(db: Db | Pool, route_id: int, *, at_most: int) -> list[RouteNote]:
    """Read what was noted of a tour, the newest first."""
    return [RouteNote(**row) for row in await db.fetch(_SQL["notes_of_route"], route_id, at_most)]


async def drop_notes_of_words(db: Db, account_id: int, words: Sequence[str], *, at_most: int) -> int:
    """Forget dispatchers' notes that hold a word of somebody; return how many."""
    return len(await db.fetch(_SQL["drop_notes_of_words"], account_id, words, at_most))


async def drop_notes_of_driver(db: Db, driver_id: int, *, at_most: int) -> int:
    """Forget dispatchers' notes of tours that a driver ever had; return how many."""
    return len(await db.fetch(_SQL["drop_notes_of_driver"], driver_id, at_most))
