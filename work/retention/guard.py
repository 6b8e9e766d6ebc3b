"""The one way to what may be deleted by age."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sql.operate import horizons
from sql.pool import Db, Pool
from work.retention.classes import CLASSES, DataClass, Keep
from work.retention.verdict import CLOCKS_AGREE, why_not

log = logging.getLogger(__name__)

_FORECAST = timedelta(days=1)
_COUNTED = 100_000


def _process_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionGuard:
    """Says what may be deleted by age.

    Attributes:
        keep: how long each class is kept.
        most_days: more of history than this never goes unasked.
        clock: of this process.
    """

    keep: Keep
    most_days: float
    clock: Callable[[], datetime] = _process_clock

    async def horizon(self, pool: Pool, kind: DataClass) -> datetime | None:
        """Tell what of a class is to be deleted now: all older than this; None when nothing may be.

        What is told is remembered as done. Why nothing may be is remembered too, and logged when it is new.
        """
        async with pool.acquire() as db:
            known, horizon, why = await self._look(db, kind)
            if why is None:
                await horizons.put_horizon(db, kind.name, ran_at=known.now, horizon=horizon)
                return horizon
            if await horizons.hold(db, kind.name, at=known.now, why=why):
                log.error("%s: nothing is deleted, because %s; see `reparto doctor`", kind.name, why)
            return None

    async def now(self, pool: Db | Pool) -> datetime | None:
        """Tell the time by which small things are tidied up; None while the clocks disagree."""
        now = await horizons.read_clock(pool)
        return now if abs(self.clock() - now) <= CLOCKS_AGREE else None

    async def forecast(self, db: Db) -> list["Forecast"]:
        """Tell of each class what goes within a day."""
        found = []
        for kind in CLASSES:
            _, horizon, why = await self._look(db, kind)
            age = await kind.age(db, horizon + _FORECAST, _COUNTED)
            found.append(
                Forecast(
                    name=kind.name, horizon=horizon, things=age.things, is_more=age.things >= _COUNTED, why_held=why
                )
            )
        return found

    async def confirm(self, db: Db) -> list["Forecast"]:
        """Let go what is held; nothing while the clocks disagree.

        Returns:
            What was let go.
        """
        if abs(self.clock() - await horizons.read_clock(db)) > CLOCKS_AGREE:
            return []
        held = [one for one in await self.forecast(db) if one.why_held is not None]
        for one in held:
            await horizons.confirm(db, one.name, one.horizon)
        return held

    async def _look(self, db: Db, kind: DataClass) -> tuple[horizons.Horizon, datetime, str | None]:
        known = await horizons.read_horizon(db, kind.name)
        horizon = kind.horizon(self.keep, known.now)
        oldest = (await kind.age(db, horizon, 1)).oldest
        most = timedelta(days=self.most_days)
        return known, horizon, why_not(process_now=self.clock(), known=known, horizon=horizon, oldest=oldest, most=most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What goes of a class within a day.

    Attributes:
        horizon: what is older has to go now.
        things: rows, about; of recipients routes.
        is_more: more were not counted.
        why_held: nothing goes, and why; None when it does.
    """

    name: str
    horizon: datetime
    things: int
    is_more: bool
    why_held: str | None
