"""Re-runs under way: what happened in them so far, which the feed does not say yet."""

from collections.abc import Sequence
from dataclasses import dataclass

from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """A driver is folded again.

    Attributes:
        after_ms: from after here.
        goal_ms: how far the fold had been.
        parts: in so many takes until now.
        at_once: it must begin anew without being finished.
    """

    after_ms: int
    goal_ms: int
    parts: int = 0
    at_once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What happened in one take of a re-run: rows of `geo.plan.facts.HAPPENED`, as `geo.fold.state` packs them."""

    lane: int
    driver_id: int
    after_ms: int
    goal_ms: int
    happened: bytes


async def reruns_under_way(db: Db, lanes: Sequence[int], drivers: Sequence[int]) -> dict[int, Rerun]:
    """Read, by driver, the re-runs that more than one take has to do; most drivers are in none."""
    rows = await db.fetch(_SQL["reruns_under_way"], lanes, drivers)
    return {row["driver_id"]: Rerun(**{name: row[name] for name in Rerun.__slots__}) for row in rows}


async def put_reruns(db: Db, parts: Sequence[Part]) -> None:
    """Keep what happened until the feed may say it."""
    await db.execute(
        _SQL["put_reruns"],
        *([getattr(part, name) for part in parts] for name in ("lane", "driver_id", "after_ms", "goal_ms", "happened")),
    )


async def pop_reruns(db: Db, lanes: Sequence[int], drivers: Sequence[int]) -> list[tuple[int, bytes]]:
    """Take all that was kept of drivers, in order: (driver, what happened)."""
    return [(row["driver_id"], row["happened"]) for row in await db.fetch(_SQL["pop_reruns"], lanes, drivers)]


async def drop_reruns_from(db: Db, lanes: Sequence[int], drivers: Sequence[int], from_ms: Sequence[int]) -> None:
    """Forget what was folded after each driver's time."""
    await db.execute(_SQL["drop_reruns_from"], lanes, drivers, from_ms)
