"""Rows of one tour become a route: the body that `PUT /v1/routes/{route}` takes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from work.imports.columns import KnownDepot, RowCells, SheetNote, Surroundings
from work.imports.orders import day_in
from work.imports.stops import kind_of, moment_in, who_waits, windows_in

_OF_THE_TOUR = ("driver", "date", "timezone", "start_at", "end_at", "depot", "depot_lat", "depot_lon")
"""Rows of a tour say them once, or all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSaid:
    """What the rows of a tour say.

    Attributes:
        external_id: None: they name none.
        rows: in the order of the file.
        stops: the rows of the body's stops, in their order.
        body: not judged yet; what could not be read is among the rows' errors.
    """

    external_id: str | None
    rows: list[RowCells]
    stops: list[RowCells]
    body: dict[str, Any]

    @property
    def errors(self) -> list[tuple[RowCells, SheetNote]]:
        """Give what could not be read, with its row."""
        return [(row, error) for row in self.rows for error in row.errors]


def tours_in(rows: Iterable[RowCells]) -> list[list[RowCells]]:
    """Put the rows of each tour together, in the order in which tours begin."""
    found: dict[str, list[RowCells]] = {}
    for row in rows:
        found.setdefault(row.text("route") or "", []).append(row)
    return list(found.values())


def route_of(rows: list[RowCells], around: Surroundings) -> RouteSaid:
    """Read a tour."""
    name = rows[0].text("route")
    if name is None:
        for row in rows:
            row.wrong("route", "is missing")
    said = _said_once(rows)
    kinds = {row.number: kind_of(row) for row in rows}
    in_turn = _in_turn(rows, kinds)
    stops = [row for row in in_turn if kinds[row.number] != "depot"]
    body, known = _depot(rows, said, [row for row in rows if kinds[row.number] == "depot"], around)
    first = said.get("timezone", rows[0])
    zone_name = first.text("timezone") or around.zone(known)
    zone = first.zone(zone_name)
    if zone_name is None:
        first.wrong("timezone", "in which time zone? Name it by ?timezone=, or put the depot with its time zone")
    body |= {"timezone": zone_name or "", "driver": said["driver"].text("driver") if "driver" in said else None}
    _times(rows[0], said, body, [(row, kinds[row.number]) for row in stops], around.on, zone)
    return RouteSaid(external_id=name, rows=rows, stops=stops, body=body)


def _times(
    row: RowCells,
    said: Mapping[str, RowCells],
    body: dict[str, Any],
    stops: Sequence[tuple[RowCells, str | None]],
    on: date | None,
    zone: ZoneInfo | None,
) -> None:
    """Read its day and hours, and its stops, whose times are of that day."""
    on = day_in(said["date"], "date") if "date" in said else on
    start_at = moment_in(said["start_at"], "start_at", on, zone) if "start_at" in said else None
    if on is None and start_at is not None:
        on = datetime.fromisoformat(start_at).date()
    body["stops"] = [_stop(one, kind, on, zone) for one, kind in stops]
    planned = [stop["planned_arrival"] for stop in body["stops"] if "planned_arrival" in stop]
    start_at = start_at or min(planned, key=datetime.fromisoformat, default=None)
    if start_at is not None:
        body |= {"start_at": start_at, "date": (on or datetime.fromisoformat(start_at).date()).isoformat()}
    elif "start_at" not in said:
        row.wrong("start_at", "is needed, or planned arrivals: when does the tour start?")
    if "end_at" in said:
        body["end_at"] = moment_in(said["end_at"], "end_at", on, zone)


def _said_once(rows: Sequence[RowCells]) -> Mapping[str, RowCells]:
    """Find the rows that say something of the whole tour."""
    found: dict[str, RowCells] = {}
    for field in _OF_THE_TOUR:
        for row in rows:
            if row.cell(field) is None:
                continue
            first = found.setdefault(field, row)
            if first.cell(field) != row.cell(field):
                row.wrong(field, f"row {first.number} of the same route says {first.text(field)!r}")
    return found


def _in_turn(rows: list[RowCells], kinds: Mapping[int, str | None]) -> list[RowCells]:
    """Order rows as their stops are driven to: by `seq` where there is such a column, else as they stand."""
    if all(row.cell("seq") is None for row in rows):
        return rows
    turns: dict[int, RowCells] = {}
    for row in rows:
        turn = row.whole("seq")
        if turn is None:
            if row.cell("seq") is None and kinds[row.number] != "depot":
                row.wrong("seq", "is missing, and other rows of the route have one")
        elif turn in turns:
            row.wrong("seq", f"is that of row {turns[turn].number}")
        else:
            turns[turn] = row
    placed = [turns[turn] for turn in sorted(turns)]
    return placed if len(placed) == len(rows) else [*placed, *(row for row in rows if row not in placed)]


def _depot(
    rows: Sequence[RowCells], said: Mapping[str, RowCells], starts: Sequence[RowCells], around: Surroundings
) -> tuple[dict[str, Any], KnownDepot | None]:
    """Find where the tour starts: as the sheet says, else as the account knows the depot that is named."""
    row = said.get("depot")
    name = row.text("depot") if row else None
    known = around.depot(name) if name else None
    if starts:
        return _own_start(starts, name), known
    place = [said[field].quantity(field) for field in ("depot_lat", "depot_lon") if field in said]
    if len(place) == 2:
        return ({} if None in place else {"depot": {"lat": place[0], "lon": place[1], **_named(name)}}), known
    if place:
        rows[0].wrong("depot_lat" if "depot_lon" in said else "depot_lon", "is missing")
    elif row is not None and known is None:
        row.wrong("depot", f"there is no depot {name!r}: put it, or add columns depot_lat and depot_lon")
    return ({"depot": {"lat": known.lat, "lon": known.lon, "name": known.name}} if known else {}), known


def _own_start(starts: Sequence[RowCells], name: str | None) -> dict[str, Any]:
    """Read where the tour starts from the row that is for that."""
    for more in starts[1:]:
        more.wrong("kind", f"row {starts[0].number} says already where the route starts")
    place = starts[0].place()
    if place is None:
        starts[0].wrong("lat", "where the route starts needs lat and lon")
        return {}
    return {"depot": {"lat": place[0], "lon": place[1], **_named(starts[0].text("name") or name)}}


def _named(name: str | None) -> dict[str, Any]:
    return {"name": name} if name else {}


def _stop(row: RowCells, kind: str | None, on: date | None, zone: ZoneInfo | None) -> dict[str, Any]:
    stop = {"kind": kind or "delivery", **who_waits(row)}
    if (external_id := row.text("external_id")) is not None:
        stop["external_id"] = external_id
    if planned := moment_in(row, "planned_arrival", on, zone):
        stop["planned_arrival"] = planned
    windows = windows_in(row, on, zone)
    if len(windows) > 1:
        row.wrong("window", "a stop has one window")
    elif windows:
        stop["window"] = windows[0]
    return stop
