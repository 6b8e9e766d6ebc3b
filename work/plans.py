"""A version of a route as it is stored, made ready for the fold."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from geo.pings import UNKNOWN_MS, Ints
from geo.plan.plans import Plan
from geo.plan.prepare import Head, PathColumns, StopColumns, prepare_plan
from geo.times import ms_of
from sql.delivery.plans import PlanRow


def plan_of(row: PlanRow) -> Plan:
    """Prepare a plan as it is stored."""
    return prepare_plan(
        Head(
            route_id=row.route_id,
            version=row.version,
            order=(ms_of(row.start_at), row.external_id),
            effective_ms=ms_of(row.effective_at),
            driver_id=row.driver_id,
            start_ms=ms_of(row.start_at),
            end_ms=ms_of(row.end_at),
            return_to_depot=row.return_to_depot,
            wait_for_window=row.wait_for_window,
            times_learned=row.times_learned,
            utc_offset_s=_utc_offset_s(row),
        ),
        PathColumns(np.array(row.path_lon), np.array(row.path_lat), np.array(row.path_along_m)),
        StopColumns(
            ids=np.array(row.stop_ids, np.int64),
            lon=np.array(row.stop_lon),
            lat=np.array(row.stop_lat),
            along_m=np.array(row.stop_along_m),
            radius_m=np.array(row.stop_radius_m),
            service_s=np.array(row.stop_service_s),
            planned_ms=np.array([ms_or_unknown(at) for at in row.stop_planned_at], np.int64),
            shapes={int(stop_id): shape for stop_id, shape in row.stop_shapes.items()},
            window_ms=_windows_ms(row),
            kinds=row.stop_kind or None,
            parcels=np.array(row.stop_parcels) if row.stop_parcels else None,
            drive_s=np.array(row.stop_drive_s) if row.stop_drive_s else None,
        ),
    )


def _windows_ms(row: PlanRow) -> Ints | None:
    """Give the promised windows; None for a plan stored before there were any."""
    both = zip(row.stop_window_start, row.stop_window_end, strict=True)
    windows = [(ms_or_unknown(start), ms_or_unknown(end)) for start, end in both]
    return np.array(windows, np.int64) if windows else None


def _utc_offset_s(row: PlanRow) -> int:
    offset = row.start_at.astimezone(ZoneInfo(row.timezone)).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


def ms_or_unknown(at: datetime | None) -> int:
    """Give epoch milliseconds; UNKNOWN_MS where there is no time."""
    return UNKNOWN_MS if at is None else ms_of(at)
