"""What the tests of `geo` draw: plans along streets, pings that drive them, and folds of those."""

from typing import Any

import numpy as np

from geo.fold.fold import advance, decode, encode, fresh
from geo.pings import UNKNOWN_MS, Pings, Rows, in_order
from geo.plan.facts import Facts, FactType
from geo.plan.fence import Fences
from geo.plan.numbers import MAX_STOPS
from geo.plan.plans import Plan, Timeline
from geo.plan.prepare import Head, PathColumns, StopColumns, prepare_plan
from geo.shape import lines, plane
from geo.simulate.drive import Truth, drive
from geo.simulate.phone import Faults, phone
from geo.simulate.tour import street_grid_tour
from geo.snap import snap
from geo.snap.doors import Doors
from geo.step.doors import StopsLeft
from geo.trust.fixes import Here

LON, LAT = -58.44, -34.60
START_MS = 1_760_000_000_000


def place(x_m: Any, y_m: Any, lon: float = LON, lat: float = LAT) -> tuple[Any, Any]:
    """Give the place some metres east and north of the middle of town."""
    return plane.unproject(x_m, y_m, lon, lat)


def snap_one(memory: Rows, here: Here) -> tuple[Rows, snap.Snapped]:
    """Snap a fix of one van whose plan has no stops."""
    open_stops = StopsLeft(1).of(np.zeros(1, np.int64), here.plans, np.zeros((1, MAX_STOPS), np.uint8))
    return snap.step(memory, here, Doors.none(), open_stops)


def plan_along(
    path_m: list[tuple[float, float]], stops_m: list[tuple[float, float]] = (), *, stop_along_m: Any = None,
    kinds: Any = None, driver_id: int | None = 1, route_id: int = 5, version: int = 1, effective_ms: int = UNKNOWN_MS,
    start_ms: int = START_MS, hours: float = 4, radius_m: float = 40.0, service_s: float = 60.0,
    planned_ms: Any = None, stop_ids: Any = None,
    shapes: Any = None, return_to_depot: bool = False, at: tuple[float, float] = (LON, LAT),
) -> Plan:  # fmt: skip
    """Make a plan from metres east and north of a place."""
    lon, lat = place(*np.array(path_m, float).T, *at)
    stop_lon, stop_lat = place(*np.array(stops_m, float).reshape(-1, 2).T, *at)
    along = lines.along_m(lon, lat)
    count = len(stop_lon)
    if stop_along_m is None:
        stop_along_m = lines.place_stops(lon, lat, along, stop_lon, stop_lat)
    return prepare_plan(
        Head(
            route_id=route_id,
            version=version,
            order=(start_ms, f"r{route_id}"),
            effective_ms=effective_ms,
            driver_id=driver_id,
            start_ms=start_ms,
            end_ms=start_ms + int(hours * 3_600_000),
            return_to_depot=return_to_depot,
        ),
        PathColumns(lon, lat, along),
        StopColumns(
            ids=np.arange(100, 100 + count) if stop_ids is None else stop_ids,
            lon=stop_lon,
            lat=stop_lat,
            along_m=stop_along_m,
            radius_m=np.full(count, radius_m),
            service_s=np.full(count, service_s),
            planned_ms=np.full(count, UNKNOWN_MS) if planned_ms is None else planned_ms,
            shapes=shapes or {},
            kinds=kinds,
        ),
    )


def town_plan(seed: int, *, driver_id: int = 1, stops: int = 24) -> Plan:
    """Make a tour over a made-up street grid."""
    tour = street_grid_tour(LON, LAT, seed=seed, stops=stops)
    return prepare_plan(
        Head(
            route_id=500 + driver_id,
            version=1,
            order=(START_MS, f"r{driver_id}"),
            effective_ms=UNKNOWN_MS,
            driver_id=driver_id,
            start_ms=START_MS,
            end_ms=START_MS + int(tour.duration_s * 1000),
            return_to_depot=True,
        ),
        PathColumns(tour.path_lon, tour.path_lat, tour.path_along_m),
        StopColumns(
            ids=np.arange(100, 100 + stops),
            lon=tour.stop_lon,
            lat=tour.stop_lat,
            along_m=tour.stop_along_m,
            radius_m=np.full(stops, 40.0),
            service_s=tour.stop_service_s,
            planned_ms=START_MS + np.rint(tour.stop_arrival_s * 1000).astype(np.int64),
        ),
    )


def pings_at(
    seconds: Any, x_m: Any, y_m: Any, *, driver_id: int = 1, device_id: int = 9, accuracy_m: Any = 8.0,
    speed_mps: Any = np.nan, heading_deg: Any = np.nan, mock: int = -1, at: tuple[float, float] = (LON, LAT),
) -> Pings:  # fmt: skip
    """Make pings at metres east and north of a place, seconds after the start."""
    seconds = np.atleast_1d(np.asarray(seconds, float))
    pings = Pings.empty(len(seconds))
    rows = pings.rows
    lon, lat = place(np.broadcast_to(x_m, seconds.shape), np.broadcast_to(y_m, seconds.shape), *at)
    rows["driver_id"], rows["device_id"], rows["mock"] = driver_id, device_id, mock
    rows["recorded_ms"] = rows["received_ms"] = START_MS + np.rint(seconds * 1000).astype(np.int64)
    rows["lon_e6"], rows["lat_e6"] = np.rint(lon * 1e6).astype(np.int32), np.rint(lat * 1e6).astype(np.int32)
    rows["accuracy_m"], rows["speed_mps"], rows["heading_deg"] = accuracy_m, speed_mps, heading_deg
    return pings


def walk(*points: tuple[float, float, float], every_s: float = 5.0) -> tuple[Any, Any, Any]:
    """Go from (second, x, y) to (second, x, y) at even speed; gives seconds, x_m, y_m."""
    seconds, x_m, y_m = np.array(points, float).T
    times = np.arange(seconds[0], seconds[-1] + 1e-9, every_s)
    return times, np.interp(times, seconds, x_m), np.interp(times, seconds, y_m)


def town_day(
    seed: int, *, driver_id: int = 1, stops: int = 24, every_s: float = 5.0, **noise: Any
) -> tuple[Plan, Truth, Pings]:
    """Drive a tour; gives its pings in the order of history, each once."""
    plan = town_plan(seed, driver_id=driver_id, stops=stops)
    truth = drive(plan, seed=seed, start_ms=START_MS, every_s=every_s)
    pings, _ = phone(truth, seed=seed, driver_id=driver_id, device_id=90 + driver_id, faults=Faults(**noise))
    return plan, truth, once(pings)


def once(pings: Pings) -> Pings:
    """Sort pings into the order of history and drop repeated ones, as the tables do."""
    pings = pings.rows_at(in_order(pings.rows))
    keys = pings.rows[["driver_id", "recorded_ms", "lat_e6", "lon_e6", "device_id"]]
    return pings.rows_at(np.r_[True, keys[1:] != keys[:-1]])


def fold(pings: Pings, *plans: Plan, fences: Fences | None = None, driver_id: int = 1) -> tuple[np.void, Facts]:
    """Fold one driver's pings from the start."""
    timeline = Timeline(driver_id=driver_id, plans=plans, fences=fences or Fences())
    tracks, facts = advance(fresh(np.array([driver_id])), pings, [timeline])
    return tracks[0], facts


def fold_in_batches(
    pings: Pings, batches: list[Pings], timelines: dict[int, Timeline]
) -> tuple[dict[int, bytes], dict[Any, bytes], list[bytes]]:
    """Fold batch after batch, each track stored and read back between; gives what is comparable.

    Returns:
        Each driver's state; each ping's last judgement by its key; all facts, driver by driver.
    """
    states = {driver_id: encode(fresh(np.array([driver_id]))[0]) for driver_id in timelines}
    judged: dict[Any, bytes] = {}
    happened: dict[int, list[bytes]] = {driver_id: [] for driver_id in timelines}
    for batch in batches:
        ids = np.unique(batch.rows["driver_id"])
        tracks = np.array([decode(states[int(driver_id)]) for driver_id in ids])
        new, facts = advance(tracks, batch, [timelines[int(driver_id)] for driver_id in ids])
        for row, result in zip(batch.rows, facts.judged, strict=True):
            judged[tuple(row[["driver_id", "device_id", "recorded_ms", "lat_e6", "lon_e6"]].item())] = result.tobytes()
        for row in facts.rejudged:
            key = (int(ids[row["track"]]), *row[["device_id", "recorded_ms", "lat_e6", "lon_e6"]].item())
            judged[key] = row["judged"].tobytes()
        for row in facts.happened:
            fact = row.copy()
            fact["track"] = 0
            happened[int(ids[row["track"]])].append(fact.tobytes())
        for driver_id, track in zip(ids.tolist(), new, strict=True):
            states[driver_id] = encode(track)
    return states, judged, [fact for driver_id in sorted(happened) for fact in happened[driver_id]]


def kinds(happened: Rows) -> list[FactType]:
    return [FactType(int(kind)) for kind in happened["type"]]


def of_type(happened: Rows, *wanted: FactType) -> Rows:
    return happened[np.isin(happened["type"], wanted)]
