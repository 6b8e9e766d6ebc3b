"""What a tracker folds against: plans, claims and fences, prepared once and kept while they are those in force."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from geo.fence import Fences
from geo.fence_shape import Fence, prepare_fence
from geo.pings import UNKNOWN_MS
from geo.plans import FOREVER_MS, Plan, Timeline
from geo.prepare import prepare_plan
from sql.claims import claims_of_drivers
from sql.geofences import FenceRow, fence_rows_of_accounts
from sql.plans import PlanRow, plans_of_drivers, read_plans
from sql.pool import Db
from sql.times import ms_of
from sql.tracks import TrackRow

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

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}
        self._fences: dict[int, tuple[int, Fences]] = {}

    async def timelines_of(self, db: Db, tracks: Sequence[TrackRow], since_ms: Sequence[int]) -> list[Timeline]:
        """Give each track's timeline as of the versions the track was read with.

        Args:
            since_ms: for each track, the earliest time that is folded or shown; FOREVER_MS where there is none.
        """
        await self._read_fences(db, tracks)
        stale = [
            (track, since if since == FOREVER_MS else since - _MARGIN_MS)
            for track, since in zip(tracks, since_ms, strict=True)
            if not self._is_current(track, since)
        ]
        if stale:
            await self._read_plans(db, stale)
        return [self._known[track.driver_id].timeline for track in tracks]

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()
        self._fences.clear()

    def _is_current(self, track: TrackRow, since_ms: int) -> bool:
        known = self._known.get(track.driver_id)
        return (
            known is not None
            and (known.plan_version, known.fences_version) == (track.plan_version, track.fences_version)
            and known.since_ms <= since_ms
        )

    async def _read_plans(self, db: Db, stale: Sequence[tuple[TrackRow, int]]) -> None:
        drivers, since = [track.driver_id for track, _ in stale], [since for _, since in stale]
        wanted = await plans_of_drivers(db, drivers, since)
        claims = await claims_of_drivers(db, drivers, since)
        plans = {
            (plan.route_id, plan.version): plan
            for driver_id in wanted
            if driver_id in self._known
            for plan in self._known[driver_id].timeline.plans
        }
        missing = sorted({key for keys in wanted.values() for key in keys} - plans.keys())
        for row in await read_plans(db, missing) if missing else ():
            plans[row.route_id, row.version] = plan_of(row)
        for track, since_ms in stale:
            self._known[track.driver_id] = _Known(
                plan_version=track.plan_version,
                fences_version=track.fences_version,
                since_ms=since_ms,
                timeline=Timeline(
                    driver_id=track.driver_id,
                    plans=tuple(plans[key] for key in wanted[track.driver_id]),
                    claims=tuple(claims[track.driver_id]),
                    fences=self._fences[track.account_id][1],
                ),
            )

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


def plan_of(row: PlanRow) -> Plan:
    """Prepare a plan as it is stored."""
    return prepare_plan(
        route_id=row.route_id,
        version=row.version,
        order=(ms_of(row.start_at), row.external_id),
        effective_ms=ms_of(row.effective_at),
        driver_id=row.driver_id,
        start_ms=ms_of(row.start_at),
        end_ms=ms_of(row.end_at),
        return_to_depot=row.return_to_depot,
        path_lon=np.array(row.path_lon),
        path_lat=np.array(row.path_lat),
        path_along_m=np.array(row.path_along_m),
        stop_ids=np.array(row.stop_ids, np.int64),
        stop_lon=np.array(row.stop_lon),
        stop_lat=np.array(row.stop_lat),
        stop_along_m=np.array(row.stop_along_m),
        stop_radius_m=np.array(row.stop_radius_m),
        stop_service_s=np.array(row.stop_service_s),
        stop_planned_ms=np.array([_ms_or_unknown(at) for at in row.stop_planned_at], np.int64),
        stop_shapes={int(stop_id): shape for stop_id, shape in row.stop_shapes.items()},
        stop_window_ms=[
            (_ms_or_unknown(start), _ms_or_unknown(end))
            for start, end in zip(row.stop_window_start, row.stop_window_end, strict=True)
        ]
        or None,
        stop_kinds=row.stop_kind or None,
        stop_parcels=row.stop_parcels or None,
        stop_drive_s=row.stop_drive_s or None,
        wait_for_window=row.wait_for_window,
        utc_offset_s=_utc_offset_s(row),
    )


def _utc_offset_s(row: PlanRow) -> int:
    offset = row.start_at.astimezone(ZoneInfo(row.timezone)).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


def _fence_of(row: FenceRow) -> Fence:
    return prepare_fence(
        geofence_id=row.geofence_id,
        version=row.version,
        effective_ms=ms_of(row.effective_at),
        ended_ms=_ms_or_unknown(row.ended_at),
        feature=row.feature,
        dwell_s=row.dwell_s,
    )


def _ms_or_unknown(at: datetime | None) -> int:
    return UNKNOWN_MS if at is None else ms_of(at)
