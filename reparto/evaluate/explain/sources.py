"""Where a day comes from: a recorded case, or the product through its API."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from geo.pings import UNKNOWN_MS, Floats, Ints
from geo.shape import lines
from geo.trust.clean import Flag
from ingest.decode.columns import NUMBERS
from reparto.client.client import Client, route_path
from reparto.client.planner import route_of_case
from reparto.client.recordings import read_case, time_ms
from reparto.command import CannotRun
from reparto.evaluate.explain.day import (
    DEVICE,
    OTHER_DEVICE,
    Arrived,
    Day,
    DayTour,
    DayVisit,
    PlannedStop,
    StoredPings,
    arrived,
    day_of,
)  # fmt: skip

_FOUND_BY_DOORS = Flag.CLOCK_AHEAD | Flag.GPS_WEEK_ROLLOVER | Flag.EPOCH_2001 | Flag.RECEIVE_TIME | Flag.CLOCK_CORRECTED
"""What `geo.trust.clean` is told and cannot find itself."""


def day_of_case(path: Path) -> Day:
    """Read a planned tour, `NAME.route.json[.gz]`, with the pings beside it. Its times are shown in UTC.

    Raises:
        CannotRun: with the reason.
    """
    if not path.name.removesuffix(".gz").endswith(".route.json"):
        raise CannotRun(f"{path}: a planned tour is needed, NAME.route.json.gz, with NAME.pings.csv.gz beside it")
    case = read_case(path)
    if case.recording is None:
        raise CannotRun(f"{path}: there is no {case.name}.pings.csv.gz beside it")
    stops = [
        PlannedStop(
            name=stop.name,
            lat=stop.lat,
            lon=stop.lon,
            along_m=stop.along_m,
            radius_m=stop.radius_m,
            service_s=stop.service_s,
            planned_ms=stop.planned_ms,
        )
        for stop in case.stops
    ]
    lon, lat = np.array(case.path).T
    along = (lon, lat, lines.along_m(lon, lat))
    body = route_of_case(case, shift_ms=0, timezone="UTC").body
    pings = case.recording.pings
    came = arrived(
        np.array([ping.time for ping in pings]),
        {name: _numbers(getattr(ping, name, None) for ping in pings) for name in NUMBERS},
        device_ids=np.full(len(pings), DEVICE),
        flags=np.zeros(len(pings), np.int64),
    )
    if not len(came.pings):
        raise CannotRun(f"{path}: no door would take any of its pings")
    tour = DayTour(
        name=case.name,
        origin=f"recorded in {path.name}",
        timezone="UTC",
        stops=stops,
        path=along,
        start_ms=time_ms(body["start_at"]),
        end_ms=time_ms(body["end_at"]),
        return_to_depot=body["return_to_depot"],
    )
    return day_of(tour, came)


async def day_of_product(client: Client, route: str) -> Day:
    """Read a route and its pings from the product, with what is stored of them.

    The product tells today's version of a route only: pings that were judged by another one are folded with it too.

    Raises:
        CannotRun: with the reason.
    """
    shown = await client.ask("GET", route_path(route))
    track = await client.track(f"{route_path(route)}/track")
    visits = (await client.ask("GET", f"{route_path(route)}/visits"))["visits"]
    if not track.get("time"):
        raise CannotRun(f"the route {shown['external_id']!r} has no pings yet")
    place = {stop["id"]: index for index, stop in enumerate(_on_tour(shown))}
    came, rows = _came(track)
    return replace(
        day_of(_tour(shown, origin=f"read from {client.url}"), came),
        stored=_stored(track, rows),
        stored_visits=_visits(visits, place),
        notes=_notes(shown, track, visits, place),
    )


def _on_tour(shown: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [stop for stop in shown["stops"] if not stop["removed"]]


def _tour(shown: Mapping[str, Any], *, origin: str) -> DayTour:
    lon, lat = np.array(shown["path"]["coordinates"], np.float64).T
    return DayTour(
        name=shown["external_id"],
        origin=origin,
        timezone=shown["timezone"],
        stops=[_stop(stop) for stop in _on_tour(shown)],
        path=(lon, lat, lines.along_m(lon, lat)),
        start_ms=time_ms(shown["start_at"]),
        end_ms=time_ms(shown["end_at"]),
        return_to_depot=shown["return_to_depot"],
    )


def _came(track: Mapping[str, list[Any]]) -> tuple[Arrived, Ints]:
    """Take a track, which is in the order of time, in the order in which it came; give which row each ping kept is."""
    flags = np.array([_bits(names) for names in track["flags"]], np.int64)
    order = np.argsort(np.array([time_ms(at) for at in track["received_at"]]), kind="stable")
    numbers = {name: _numbers(track[name])[order] for name in NUMBERS if name in track}
    came = arrived(
        np.array([time_ms(at) for at in track["time"]])[order],
        numbers | {"mock": np.where(flags[order] & Flag.MOCK, 1.0, np.nan)},
        device_ids=np.where(flags[order] & Flag.OTHER_DEVICE, OTHER_DEVICE, DEVICE),
        flags=flags[order] & int(_FOUND_BY_DOORS),
    )
    return came, order[came.rows]


def _visits(visits: Iterable[Mapping[str, Any]], place: Mapping[str, int]) -> list[DayVisit]:
    """Read visits at the stops of the tour, which stand at their `place` in it."""
    return [
        DayVisit(
            stop=place[visit["stop_id"]],
            came_ms=time_ms(visit["arrived_at"]),
            left_ms=None if visit["departed_at"] is None else time_ms(visit["departed_at"]),
            source=visit["source"],
        )
        for visit in visits
        if visit["stop_id"] in place
    ]


def _stop(stop: Mapping[str, Any]) -> PlannedStop:
    planned, window = stop["planned_arrival"], stop["window"]
    return PlannedStop(
        name=stop["external_id"],
        lat=stop["lat"],
        lon=stop["lon"],
        along_m=stop["along_m"],
        radius_m=stop["radius_m"],
        service_s=stop["service_s"],
        planned_ms=UNKNOWN_MS if planned is None else time_ms(planned),
        fence=stop["geofence"],
        window_ms=(time_ms(window["start"]), time_ms(window["end"])) if window else (UNKNOWN_MS, UNKNOWN_MS),
        kind=stop["kind"],
        parcels=sum(parcel["quantity"] for parcel in stop["parcels"]),
    )


def _stored(track: Mapping[str, list[Any]], rows: Ints) -> StoredPings:
    def column(name: str) -> list[Any]:
        values = track[name]
        return [values[row] for row in rows]

    believed = column("believed")
    return StoredPings(
        judged=np.array([one is not None for one in believed]),
        believed=np.array([one is True for one in believed]),
        on_route=np.array([one is True for one in column("on_route")]),
        flags=column("flags"),
        along_m=_numbers(column("along_m")),
        snapped_lat=_numbers(column("snapped_lat")),
        snapped_lon=_numbers(column("snapped_lon")),
    )


def _notes(
    shown: Mapping[str, Any], track: Mapping[str, list[Any]], visits: list[Any], place: Mapping[str, int]
) -> list[str]:
    notes = []
    if older := sum(version not in (None, shown["version"]) for version in track["route_version"]):
        notes.append(
            f"{older} pings were judged by another version of this route; here they are folded with version"
            f" {shown['version']}."
        )
    if removed := sum(visit["stop_id"] not in place for visit in visits):
        notes.append(f"{removed} stored visits are at stops that are no longer on the route.")
    if any(visit["source"] == "driver" for visit in visits):
        notes.append("The driver's own events are among the stored visits; the fold here has the pings alone.")
    return notes


def _bits(names: Iterable[str]) -> int:
    """Read flags by name; one that today's geo does not know has no bit."""
    known = Flag.__members__
    return sum(int(known[name.upper()]) for name in names if name.upper() in known)


def _numbers(values: Iterable[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], np.float64)
