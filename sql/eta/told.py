"""What was told of stops when they were still so far away, and what came true."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal, TypeAlias

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

Source: TypeAlias = Literal["eta", "timetable", "timetable_and_delay"]
"""Who tells when a van comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One ETA of one stop as it was told; times in epoch milliseconds.

    Attributes:
        bucket: of the lead, as `geo.eta.score.bucket_of` has it.
        planned_ms: by the timetable; None where the plan has no times.
        delay_s: behind it at as_of, None as above.
        spread_s: how far off the arrival was expected to be.
        on_route: whether the van was on its path at as_of.
        paced_s: how late the van would be there if all of its delay stayed
            (`geo.eta.estimate.Eta.delay_s`); None as above.
        waits: whether it waited for its start then.
    """

    route_id: int
    stop_id: int
    bucket: int
    account_id: int
    driver_id: int
    as_of_ms: int
    expected_ms: int
    low_ms: int
    high_ms: int
    planned_ms: int | None
    delay_s: float | None
    spread_s: float
    on_route: bool
    paced_s: float | None
    waits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyRow:
    """How well one source told arrivals of one bucket of leads; seconds.

    Attributes:
        bucket: None: all of them.
        bias_s: positive when vans came sooner than told.
        coverage: part of the arrivals within the window; None, as the next two, for sources without windows.
        score_s: mean interval score: width, and ten times what an arrival misses it by.
    """

    bucket: int | None
    source: Source
    n: int
    mae_s: float
    median_s: float
    p90_s: float
    bias_s: float
    coverage: float | None
    width_s: float | None
    score_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was told and what came true.

    Attributes:
        lead_s: from the ping to what was expected.
        spread_s: how far off it was expected to be.
        error_s: arrival minus what was expected.
        paced_s, waits: as in `Told`.
        late_s: arrival minus what was planned; None without planned times.
        came_ms: the arrival, epoch milliseconds.
    """

    route_id: int
    on_route: bool
    lead_s: float
    spread_s: float
    error_s: float
    paced_s: float | None
    waits: bool
    late_s: float | None
    came_ms: int


async def put_told(db: Db, told: Sequence[Told]) -> None:
    """Remember what was told of stops; only the first of each stop and bucket stays."""
    await db.execute(_SQL["put_told"], *([getattr(one, field.name) for one in told] for field in fields(Told)))


async def settle_told(db: Db, stop_ids: Sequence[int]) -> None:
    """Make what was told of stops say what came true, as their visits have it. The caller holds the stops."""
    await db.execute(_SQL["settle_told"], stop_ids)


async def read_accuracy(
    db: Db | Pool, account_id: int, *, since: datetime, until: datetime, driver_id: int | None, route_id: int | None
) -> list[AccuracyRow]:
    """Tell how well arrivals were told, of what was told from `since` on and before `until`."""
    return [
        AccuracyRow(**row) for row in await db.fetch(_SQL["accuracy"], account_id, since, until, driver_id, route_id)
    ]


async def accounts_to_learn_told(db: Db | Pool, *, after_s: float, at_most: int) -> list[int]:
    """Find accounts with ETAs that came true so long ago and that windows did not learn from."""
    return [row["account_id"] for row in await db.fetch(_SQL["accounts_to_learn_told"], after_s, at_most)]


async def pop_told(db: Db, account_id: int, *, after_s: float, at_most: int) -> list[Outcome]:
    """Give ETAs that came true so long ago, each only once: it is marked in the caller's transaction."""
    return [Outcome(**row) for row in await db.fetch(_SQL["pop_told"], account_id, after_s, at_most)]


async def drop_told(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget the oldest of what was told before a time; return how many."""
    return len(await db.fetch(_SQL["drop_told"], before, at_most))
