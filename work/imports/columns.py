"""A sheet understood as a whole: what its columns are for, and how each of them writes days and numbers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

import msgspec

from work.imports.headings import HeadingError, Headings, Kind, find_headings, plain
from work.imports.numbers import CellError, Mark, NumberStyle, number_of, style_of
from work.imports.sheet import Cell, PlanSheet, SheetRow
from work.imports.times import DayStyle, Order, day_style_of

DAYS = ("date", "earliest", "latest", "window_start", "window_end", "start_at", "end_at", "planned_arrival")
"""Fields that may hold a day."""

NUMBERS = ("cash", "weight_kg", "volume_m3", "service_min", "service_s")
"""Fields whose numbers may have groups of thousands."""

_DEGREES = r"[-+]?\d{1,3}(?:[.,]\d+)?"
_PAIR = re.compile(rf"[(\[]?\s*({_DEGREES})\s*[;,\s]\s*({_DEGREES})\s*[)\]]?")
_IN_A_LINK = re.compile(r"(-?\d{1,2}\.\d{3,})\s*(?:,|%2C)\s*(?:\+|%20)?(-?\d{1,3}\.\d{3,})")


class SheetNote(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever sent a sheet should know of how it is read; `at`: a heading, or empty: the whole."""

    at: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDepot:
    """A depot of the account."""

    external_id: str
    name: str
    lat: float
    lon: float
    timezone: str


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is not in the sheet.

    Attributes:
        language: of the account: es, pt or en.
        timezone: of all times; None: that of the depots.
        on: the day of rows that name none; None: they must.
    """

    language: str
    timezone: str | None
    on: date | None
    depots: Sequence[KnownDepot]

    def depot(self, text: str) -> KnownDepot | None:
        """Find a depot by its external id, else by its name; None: there is none such, or several."""
        found = self._by_id.get(text) or self._by_name.get(plain(text), [])
        return found[0] if len(found) == 1 else None

    @cached_property
    def _by_id(self) -> Mapping[str, list[KnownDepot]]:
        return {one.external_id: [one] for one in self.depots}

    @cached_property
    def _by_name(self) -> Mapping[str, list[KnownDepot]]:
        found: dict[str, list[KnownDepot]] = {}
        for one in self.depots:
            for name in {plain(one.external_id), plain(one.name)}:
                found.setdefault(name, []).append(one)
        return found

    def zone(self, depot: KnownDepot | None) -> str | None:
        """Say in which zone times are; None: nobody knows."""
        if self.timezone is not None:
            return self.timezone
        zones = {one.timezone for one in ([depot] if depot else self.depots)}
        return zones.pop() if len(zones) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetColumns:
    """How a sheet is read. `is_swapped`: the latitudes are in the column of the longitudes, and these in theirs."""

    headings: Headings
    days: Mapping[str, DayStyle]
    numbers: Mapping[str, NumberStyle]
    is_swapped: bool
    notes: list[SheetNote]

    def rows(self, sheet: PlanSheet) -> Iterator["RowCells"]:
        """Give the rows below the headings."""
        return (RowCells(self, row) for row in sheet.rows[self.headings.row + 1 :])

    def heading(self, field: str) -> str:
        """Name the column of a field as its sheet does; the field itself where there is none."""
        column = self.headings.columns.get(field)
        return field if column is None else self.headings.names[column]


def understood(sheet: PlanSheet, kind: Kind, mapping: Mapping[str, str | None], around: Surroundings) -> SheetColumns:
    """Understand a sheet.

    Raises:
        HeadingError: its headings, or how a column of it writes, cannot be understood; a sentence says what.
    """
    headings = find_headings(sheet, kind, mapping)
    cells = {
        field: [row.cell(column) for row in sheet.rows[headings.row + 1 :]]
        for field, column in headings.columns.items()
    }
    notes = [SheetNote(at=name, why="is not read") for name in _not_read(headings)]
    if sheet.others:
        notes.append(SheetNote(at="", why=f"only the sheet {sheet.name!r} is read, not {', '.join(sheet.others[:5])}"))
    days: dict[str, DayStyle] = {}
    numbers: dict[str, NumberStyle] = {}
    for field, of_field in cells.items():
        heading = headings.names[headings.columns[field]]
        try:
            if field in DAYS and (day := day_style_of(of_field, usual=_USUAL_DAY[around.language == "en"])):
                days[field] = day
                notes += _unsure(heading, day.is_sure, f"03/04/2026 is read {day.order}")
            if field in NUMBERS and (number := style_of(of_field, usual=_USUAL_MARK[around.language == "en"])):
                numbers[field] = number
                notes += _unsure(heading, number.is_sure, f"decimals are read as in 12{number.mark}5")
        except CellError as error:
            raise HeadingError(f"the column {heading!r} is not clear: {error}") from error
    is_swapped = _is_swapped(cells.get("lat", ()), cells.get("lon", ()))
    if is_swapped:
        notes.append(SheetNote(at=headings.names[headings.columns["lat"]], why="holds longitudes: both are swapped"))
    return SheetColumns(headings=headings, days=days, numbers=numbers, is_swapped=is_swapped, notes=notes)


_USUAL_DAY: tuple[Order, Order] = ("day first", "month first")
_USUAL_MARK: tuple[Mark, Mark] = (",", ".")
"""Elsewhere, and where the account's language is English."""


def _unsure(heading: str, is_sure: bool, how: str) -> list[SheetNote]:
    return [] if is_sure else [SheetNote(at=heading, why=f"{how}, as is usual in the account's language")]


def _not_read(headings: Headings) -> list[str]:
    return [name for name, field in zip(headings.names, headings.fields, strict=True) if name and field is None]


def _is_swapped(lats: Sequence[Cell], lons: Sequence[Cell]) -> bool:
    """Tell whether latitudes cannot be what they are called, and longitudes can."""
    try:
        lat, lon = ([number_of(one, None) for one in cells if one is not None] for cells in (lats, lons))
    except CellError:
        return False
    return bool(lat and lon) and max(map(abs, lat)) > 90 >= max(map(abs, lon))


class RowCells:
    """A row, read field by field; what cannot be read is in `errors`, each by its field."""

    def __init__(self, columns: SheetColumns, row: SheetRow) -> None:
        self.number = row.number
        self.cells = row.cells
        self.errors: list[SheetNote] = []
        self._columns, self._row = columns, row

    def wrong(self, field: str, why: str) -> None:
        """Say what is wrong with a field."""
        self.errors.append(SheetNote(at=field, why=why))

    def has(self, field: str) -> bool:
        """Tell whether there is a column of a field."""
        return field in self._columns.headings.columns

    def cell(self, field: str) -> Cell:
        """Give what stands there; None: nothing, or there is no such column."""
        column = self._columns.headings.columns.get(field)
        found = None if column is None else self._row.cell(column)
        return None if found == "" else found

    def text(self, field: str) -> str | None:
        """Give it as text; a number as it would be written."""
        return _written(self.cell(field))

    def heading(self, field: str) -> str:
        """Name the field as the sheet does."""
        return self._columns.heading(field)

    def day_style(self, field: str) -> DayStyle | None:
        """Tell how its column writes days."""
        return self._columns.days.get(field)

    def quantity(self, field: str) -> float | None:
        """Read a number; None: there is none, or none that can be read."""
        cell = self.cell(field)
        if cell is None:
            return None
        style = self._columns.numbers.get(field)
        try:
            return number_of(cell, style.mark if style else None)
        except CellError as error:
            self.wrong(field, str(error))
            return None

    def whole(self, field: str) -> int | None:
        """Read a whole number; None: there is none, or none that can be read."""
        number = self.quantity(field)
        if number is None or number.is_integer():
            return None if number is None else int(number)
        self.wrong(field, "must be a whole number")
        return None

    def place(self) -> tuple[float, float] | None:
        """Read lat and lon, degrees; None: there are none, or none that can be read."""
        text = self.text("place")
        if text is not None:
            found = _PAIR.fullmatch(text) or _IN_A_LINK.search(text)
            if found is None:
                self.wrong("place", "must be lat and lon, like 4.60971, -74.08175")
                return None
            return number_of(found[1], None), number_of(found[2], None)
        lat, lon = self.quantity("lat"), self.quantity("lon")
        if lat is None or lon is None:
            if (lat is None) != (lon is None) and not self.errors:
                self.wrong("lat" if lat is None else "lon", "is missing")
            return None
        return (lon, lat) if self._columns.is_swapped else (lat, lon)

    def zone(self, name: str | None) -> ZoneInfo | None:
        """Find a time zone; None: there is none such, or none is named."""
        try:
            return None if name is None else ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            self.wrong("timezone", f"there is no time zone {name!r}")
            return None


def _written(cell: Cell) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1] in "=+-@" else cell
