"""A day as it was planned and as it was told: what `fold` reads, wherever it came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from geo.pings import UNKNOWN_MS, Bools, Floats, Ints, Pings, in_order
from geo.plan.plans import Plan
from geo.plan.prepare import Head, PathColumns, StopColumns, prepare_plan
from ingest.decode.columns import NUMBERS, Arrival, Columns, check
from reparto.command import CannotRun

DRIVER, DEVICE, OTHER_DEVICE = 1, 1, 2
"""Ids here are of this day only: there is one driver, who has one phone, or another one for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStop:
    """A stop, by its place in the tour.

    Attributes:
        name: the planner's id for it.
        along_m: where the tour serves it, metres along the path.
        fence: a GeoJSON geometry that replaces the circle; None: it is the circle.
        planned_ms: planned arrival; `UNKNOWN_MS` where there is none.
        window_ms: promised, from and until; `UNKNOWN_MS` where nothing was.
    """

    name: str
    lat: float
    lon: float
    along_m: float
    radius_m: float
    service_s: float
    planned_ms: int
    fence: Mapping[str, Any] | None = None
    window_ms: tuple[int, int] = (UNKNOWN_MS, UNKNOWN_MS)
    kind: str = "delivery"
    parcels: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredPings:
    """What the product has stored of each ping of a day, in the same order.

    Attributes:
        judged: (n,) False where a ping still waits for its judgement; then nothing else is known of it.
        believed, on_route: (n,).
        flags: the names of each ping's flags.
        along_m, snapped_lat, snapped_lon: (n,) NaN where it was not snapped.
    """

    judged: Bools
    believed: Bools
    on_route: Bools
    flags: Sequence[Sequence[str]]
    along_m: Floats
    snapped_lat: Floats
    snapped_lon: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class DayVisit:
    """A time at a stop; `left_ms` None: the driver has not left. `source` is auto or driver."""

    stop: int
    came_ms: int
    left_ms: int | None
    source: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Day:
    """One driver's day on one route.

    Attributes:
        origin: where it was read from, for the page.
        timezone: IANA name; times are shown in it.
        path_lon, path_lat, path_along_m: (v,) as `geo.shape.lines` measures.
        pings: in the total order of history, each fix once.
        late: (n,) recorded before one that had already arrived.
        repeated, refused: how many rows were left out: copies, and what no door takes.
        stored, stored_visits: what the product made of it; None where there is no product.
        notes: sentences about what this day cannot show.
    """

    name: str
    origin: str
    timezone: str
    plan: Plan
    stops: Sequence[PlannedStop]
    path_lon: Floats
    path_lat: Floats
    path_along_m: Floats
    pings: Pings
    late: Bools
    repeated: int = 0
    refused: int = 0
    stored: StoredPings | None = None
    stored_visits: Sequence[DayVisit] | None = None
    notes: Sequence[str] = ()


def _plan_of(
    stops: Sequence[PlannedStop], path: tuple[Floats, Floats, Floats], *,
    name: str, start_ms: int, end_ms: int, return_to_depot: bool,
) -> Plan:  # fmt: skip
    """Prepare the one plan of a day, in force since ever. Its stops have the ids 1, 2, …

    Args:
        path: lon, lat, along_m.

    Raises:
        CannotRun: nobody can be tracked on it.
    """
    ids = range(1, len(stops) + 1)
    try:
        return prepare_plan(
            Head(
                route_id=1,
                version=1,
                order=(start_ms, name),
                effective_ms=int(np.iinfo(np.int64).min),
                driver_id=DRIVER,
                start_ms=start_ms,
                end_ms=end_ms,
                return_to_depot=return_to_depot,
            ),
            PathColumns(*path),
            StopColumns(
                ids=np.array(ids),
                lon=np.array([stop.lon for stop in stops]),
                lat=np.array([stop.lat for stop in stops]),
                along_m=np.array([stop.along_m for stop in stops]),
                radius_m=np.array([stop.radius_m for stop in stops]),
                service_s=np.array([stop.service_s for stop in stops]),
                planned_ms=np.array([stop.planned_ms for stop in stops]),
                shapes={number: stop.fence for number, stop in zip(ids, stops, strict=True) if stop.fence},
                window_ms=np.array([stop.window_ms for stop in stops]),
                kinds=[stop.kind for stop in stops],
                parcels=np.array([stop.parcels for stop in stops]),
            ),
        )
    except ValueError as error:
        raise CannotRun(f"{name} cannot be driven: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrived:
    """Pings put in order.

    Attributes:
        pings: in the total order of history, each fix once.
        rows: (n,) which row of what arrived each of them is.
        late: (n,) recorded before one that had already arrived.
        repeated, refused: how many rows are left out.
    """

    pings: Pings
    rows: Ints
    late: Bools
    repeated: int
    refused: int


def arrived(times_ms: Ints, numbers: Mapping[str, Floats], *, device_ids: Ints, flags: Ints) -> Arrived:
    """Take rows through the checks of every door, in the order in which they arrived, and put them in order.

    Args:
        times_ms: (n,) the phone's clock.
        numbers: columns of `NUMBERS`, (n,) with NaN for unknown; a missing column is unknown.
        device_ids: (n,) `DEVICE` or `OTHER_DEVICE`.
        flags: (n,) what a door has already found.
    """
    n = len(times_ms)
    unknown = np.full(n, np.nan)
    said = Columns(times_ms=times_ms, numbers=np.array([numbers.get(name, unknown) for name in NUMBERS]))
    newest_ms = int(times_ms.max(initial=0))
    arrival = Arrival(driver_id=DRIVER, device_id=DEVICE, received_ms=newest_ms, oldest_ms=0)
    checked = check(said, arrival, sent=lambda at: at)
    rows = np.delete(np.arange(n), [one.index for one in checked.rejected])
    pings = checked.pings
    pings.rows["device_id"], pings.rows["flags"] = device_ids[rows], flags[rows]
    at_ms = pings.rows["recorded_ms"]
    late = at_ms < np.maximum.accumulate(at_ms)

    order = in_order(pings.rows)  # stable: of copies the first to arrive stays
    key = pings.rows[order][["device_id", "recorded_ms", "lat_e6", "lon_e6"]]
    first = np.ones(len(order), np.bool_)
    first[1:] = key[1:] != key[:-1]
    kept = order[first]
    return Arrived(
        pings=pings.rows_at(kept),
        rows=rows[kept],
        late=late[kept],
        repeated=len(order) - len(kept),
        refused=n - len(rows),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayTour:
    """What was planned of a day.

    Attributes:
        origin: where it was read from, for the page.
        timezone: IANA name; times are shown in it.
        path: lon, lat, along_m, as `geo.shape.lines` measures.
        start_ms, end_ms: epoch milliseconds.
    """

    name: str
    origin: str
    timezone: str
    stops: Sequence[PlannedStop]
    path: tuple[Floats, Floats, Floats]
    start_ms: int
    end_ms: int
    return_to_depot: bool


def day_of(tour: DayTour, came: Arrived) -> Day:
    """Put a day together of which nothing is stored.

    Raises:
        CannotRun: nobody can be tracked on its route.
    """
    plan = _plan_of(
        tour.stops,
        tour.path,
        name=tour.name,
        start_ms=tour.start_ms,
        end_ms=tour.end_ms,
        return_to_depot=tour.return_to_depot,
    )
    lon, lat, along_m = tour.path
    return Day(
        name=tour.name,
        origin=tour.origin,
        timezone=tour.timezone,
        plan=plan,
        stops=tour.stops,
        path_lon=lon,
        path_lat=lat,
        path_along_m=along_m,
        pings=came.pings,
        late=came.late,
        repeated=came.repeated,
        refused=came.refused,
    )
