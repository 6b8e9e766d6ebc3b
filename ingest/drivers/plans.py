"""What a tracker folds against: plans, claims and fences, prepared once and kept while they are those in force."""

from collections.abc import Sequence
from dataclasses import dataclass

from geo.plan.fence import Fences
from geo.plan.plans import FOREVER_MS, Timeline
from geo.shape.fence_shape import Fence, prepare_fence
from geo.times import ms_of
from ingest.drivers.recent import Recent
from sql.account.devices import ended_devices
from sql.account.geofences import FenceRow, fence_rows_of_accounts
from sql.delivery.plans import plans_of_drivers, read_plans
from sql.pool import Db
from sql.track.claims import claims_of_drivers
from sql.track.folds import TrackRow
from work.plans import ms_or_unknown, plan_of

_MARGIN_MS = 86_400_000
"""Plans and claims are read from a day before the first input that needs them, for drivers only a little late."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Known:
    plan_version: int
    fences_version: int
    since_ms: int
    timeline: Timeline


class PlanCache:
    """Timelines by driver, as far back as they were needed. A version of a route never changes: it is read once."""

    def __init__(self, *, most: int) -> None:
        self._known = Recent[_Known](most)
        self._fences: dict[int, tuple[int, Fences]] = {}

    async def timelines_of(self, db: Db, tracks: Sequence[TrackRow], since_ms: Sequence[int]) -> list[Timeline]:
        """Give each track's timeline as of the versions the track was read with.

        Args:
            since_ms: for each track, the earliest time that is folded or shown; FOREVER_MS where there is none.
        """
        await self._read_fences(db, tracks)
        known = {track.driver_id: one for track in tracks if (one := self._known.get(track.driver_id)) is not None}
        stale = [
            (track, since if since == FOREVER_MS else since - _MARGIN_MS)
            for track, since in zip(tracks, since_ms, strict=True)
            if not _is_current(known.get(track.driver_id), track, since)
        ]
        read = await self._read_plans(db, stale) if stale else {}
        now = known | read
        self._known.use(now)
        return [now[track.driver_id].timeline for track in tracks]

    async def _read_plans(self, db: Db, stale: Sequence[tuple[TrackRow, int]]) -> dict[int, _Known]:
        drivers, since = [track.driver_id for track, _ in stale], [since for _, since in stale]
        wanted = await plans_of_drivers(db, drivers, since)
        claims = await claims_of_drivers(db, drivers, since)
        ended_ms = await ended_devices(db, drivers)
        plans = {
            (plan.route_id, plan.version): plan
            for driver_id in wanted
            if (known := self._known.get(driver_id)) is not None
            for plan in known.timeline.plans
        }
        missing = sorted({key for keys in wanted.values() for key in keys} - plans.keys())
        for row in await read_plans(db, missing) if missing else ():
            plans[row.route_id, row.version] = plan_of(row)
        return {
            track.driver_id: _Known(
                plan_version=track.plan_version,
                fences_version=track.fences_version,
                since_ms=since_ms,
                timeline=Timeline(
                    driver_id=track.driver_id,
                    plans=tuple(plans[key] for key in wanted[track.driver_id]),
                    claims=tuple(claims[track.driver_id]),
                    ended_ms=ended_ms.get(track.driver_id, {}),
                    fences=self._fences[track.account_id][1],
                ),
            )
            for track, since_ms in stale
        }

    async def _read_fences(self, db: Db, tracks: Sequence[TrackRow]) -> None:
        wanted = {track.account_id: track.fences_version for track in tracks}
        stale = [account for account, version in wanted.items() if self._fences.get(account, (-1,))[0] != version]
        if not stale:
            return
        fences: dict[int, list[Fence]] = {account: [] for account in stale}
        for row in await fence_rows_of_accounts(db, stale):
            fences[row.account_id].append(_fence_of(row))
        for account, found in fences.items():
            self._fences[account] = (wanted[account], Fences(tuple(found)))


def _is_current(known: _Known | None, track: TrackRow, since_ms: int) -> bool:
    return (
        known is not None
        and (known.plan_version, known.fences_version) == (track.plan_version, track.fences_version)
        and known.since_ms <= since_ms
    )


def _fence_of(row: FenceRow) -> Fence:
    return prepare_fence(
        geofence_id=row.geofence_id,
        version=row.version,
        effective_ms=ms_of(row.effective_at),
        ended_ms=ms_or_unknown(row.ended_at),
        feature=row.feature,
        dwell_s=row.dwell_s,
    )
