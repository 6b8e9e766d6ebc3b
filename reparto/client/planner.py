"""Planned tours as the body of `PUT /v1/routes/{route}`: from cases, and from a planner's CSV of stops.

The CSV has one row a stop, in the order of the tour, many routes in one file:

    route,driver,timezone,start_at,stop,kind,name,address,lat,lon,planned_arrival,window_start,window_end,service_s
    MON-7,ana,America/Mexico_City,2026-03-02 08:00,,depot,Bodega Norte,,20.7101,-103.3924,,,,
    MON-7,,,,1041,delivery,Rosa Medina,Av. México 2310,20.6811,-103.3790,2026-03-02 08:21,,,120

`route`, `lat` and `lon` are required; driver, timezone and start_at are read from the first row of a route that has
them. A row of kind `depot` is where the tour starts. A time without a zone is in the route's time zone. More columns:
phone, email, locale, instructions, barcodes (separated by spaces). No path is given: the product makes one.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from reparto.client.recordings import LAST_STOP_S, Case, RecordingError

_FOR_A_STOP_S = 600.0
"""What a tour takes for each stop when its planner gave no times."""

_TEXTS = ("name", "address", "phone", "email", "locale", "instructions")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRoute:
    """A route to import.

    Attributes:
        body: as `PUT /v1/routes/{external_id}` takes it.
        driver: external id of the driver, who is made if missing; None: nobody yet.
    """

    external_id: str
    driver: str | None
    body: dict[str, Any]


def route_of_case(case: Case, *, shift_ms: int, timezone: str) -> PlannedRoute:
    """Write a case as a route of its own driver, moved in time.

    Raises:
        RecordingError: it has no stops.
    """
    if not case.stops:
        raise RecordingError(f"{case.name}: the tour has no stops")
    stops = [
        {
            "external_id": stop.name,
            "kind": "delivery",
            "name": stop.name,
            "address": "",
            "lat": stop.lat,
            "lon": stop.lon,
            "planned_arrival": _rfc3339(_moment(stop.planned_ms + shift_ms)),
            "service_s": stop.service_s,
            "radius_m": stop.radius_m,
        }
        for stop in case.stops
    ]
    start_at, end_at = (_moment(at_ms + shift_ms) for at_ms in case.hours_ms())
    lon, lat = case.path[0]
    body = {
        "driver": case.name,
        "date": start_at.astimezone(_zone(timezone, "--timezone")).date().isoformat(),
        "timezone": timezone,
        "start_at": _rfc3339(start_at),
        "end_at": _rfc3339(end_at),
        "depot": {"name": "depot", "lat": lat, "lon": lon},
        "path": {"type": "LineString", "coordinates": [list(place) for place in case.path]},
        "return_to_depot": case.returns,
        "stops": stops,
    }
    return PlannedRoute(external_id=case.name, driver=case.name, body=body)


def routes_of_csv(path: Path, *, timezone: str) -> list[PlannedRoute]:
    """Read a planner's CSV of stops; `timezone` is that of routes that name none.

    Raises:
        RecordingError: with the line and the reason.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = {"route", "lat", "lon"} - set(rows.fieldnames or ())
            if missing:
                raise RecordingError(f"{path}: the header has no column {', '.join(sorted(missing))}")
            by_route: dict[str, list[tuple[str, dict[str, str]]]] = {}
            for row in rows:
                filled = {name: text.strip() for name, text in row.items() if name and text and text.strip()}
                if filled:
                    by_route.setdefault(filled.get("route", ""), []).append((f"{path}, line {rows.line_num}", filled))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RecordingError(f"{path}: cannot be read: {error}") from error
    return [_route_of_rows(route, rows_of_it, timezone) for route, rows_of_it in by_route.items()]


def _route_of_rows(route: str, rows: list[tuple[str, dict[str, str]]], timezone: str) -> PlannedRoute:
    def first(column: str) -> str | None:
        return next((row[column] for _, row in rows if column in row), None)

    where = rows[0][0]
    if not route:
        raise RecordingError(f"{where}: the row names no route")
    zone_name = first("timezone") or timezone
    zone = _zone(zone_name, where)
    depot: dict[str, Any] | None = None
    stops: list[dict[str, Any]] = []
    for where_row, row in rows:
        place = {"lat": _number(row, "lat", where_row), "lon": _number(row, "lon", where_row)}
        if row.get("kind") == "depot":
            depot = {"name": row.get("name", "depot"), **place}
        else:
            stops.append(_stop_of_row(row, place, zone, where_row, number=len(stops) + 1))
    if not stops:
        raise RecordingError(f"{where}: route {route} has no stops")
    planned = [stop["planned_arrival"] for stop in stops if "planned_arrival" in stop]
    given = first("start_at")
    if given is None and not planned:
        raise RecordingError(f"{where}: route {route} needs a start_at, or a planned_arrival of its stops")
    start_at = _time(given, zone, where) if given else datetime.fromisoformat(min(planned))
    ends = first("end_at")
    if ends:
        end_at = _time(ends, zone, where)
    else:
        last = (
            datetime.fromisoformat(max(planned))
            if planned
            else start_at + timedelta(seconds=_FOR_A_STOP_S * len(stops))
        )
        end_at = last + timedelta(seconds=stops[-1].get("service_s", 0.0) + LAST_STOP_S)
    driver = first("driver")
    body: dict[str, Any] = {
        "driver": driver,
        "date": start_at.astimezone(zone).date().isoformat(),
        "timezone": zone_name,
        "start_at": _rfc3339(start_at),
        "end_at": _rfc3339(end_at),
        "depot": depot or {"name": "depot", "lat": stops[0]["lat"], "lon": stops[0]["lon"]},
        "path": None,
        "stops": stops,
    }
    return PlannedRoute(external_id=route, driver=driver, body=body)


def _stop_of_row(
    row: Mapping[str, str], place: dict[str, float], zone: ZoneInfo, where: str, *, number: int
) -> dict[str, Any]:
    stop: dict[str, Any] = {"external_id": row.get("stop", str(number)), "kind": row.get("kind", "delivery"), **place}
    stop |= {"name": row.get("name", f"stop {number}"), "address": row.get("address", "")}
    stop |= {column: row[column] for column in _TEXTS if column in row}
    if "service_s" in row:
        stop["service_s"] = _number(row, "service_s", where)
    if "planned_arrival" in row:
        stop["planned_arrival"] = _rfc3339(_time(row["planned_arrival"], zone, where))
    if "window_start" in row and "window_end" in row:
        opens, closes = (_time(row[column], zone, where) for column in ("window_start", "window_end"))
        stop["window"] = {"start": _rfc3339(opens), "end": _rfc3339(closes)}
    if "barcodes" in row:
        stop["parcels"] = [{"barcode": code, "description": "", "quantity": 1} for code in row["barcodes"].split()]
    return stop


def _number(row: Mapping[str, str], column: str, where: str) -> float:
    try:
        return float(row[column])
    except (KeyError, ValueError):
        raise RecordingError(f"{where}: {column} must be a number, not {row.get(column, 'empty')!r}") from None


def _time(text: str, zone: ZoneInfo, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RecordingError(f"{where}: {text!r} is not a time like 2026-03-02 08:00") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def _zone(name: str, where: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise RecordingError(f"{where}: there is no time zone {name!r}") from None


def _moment(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def drivers_of(routes: Iterable[PlannedRoute]) -> list[str]:
    """List the drivers of routes, each once."""
    return list(dict.fromkeys(route.driver for route in routes if route.driver is not None))
