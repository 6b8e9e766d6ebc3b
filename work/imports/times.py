"""Days, times of day and windows as people write them."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from work.imports.numbers import CellError
from work.imports.sheet import Cell

Order: TypeAlias = Literal["day first", "month first"]

_LONGEST = 200  # characters: ten windows of a day
_EPOCH = date(1899, 12, 30)
_FIRST_SERIAL, _LAST_SERIAL = 20_000, 80_000  # 1954 to 2119
_DAY_S = 86_400
_FIRST_YEAR, _LAST_YEAR = 1900, 2999  # with some days added they stay dates

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt ](.+))?")
_SLASHES = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})(?:,?\s+(.+))?")
_NAMED = re.compile(r"(\d{1,2})[\s\-/]+(?:de\s+)?([a-z]{3,10})\.?[\s\-/,]+(?:de\s+|del\s+)?(\d{4}|\d{2})(?:,?\s+(.+))?")
_MONTHS = (
    *("ene jan", "feb fev", "mar", "abr apr", "may mai", "jun", "jul", "ago aug", "sep set", "oct out", "nov"),
    "dic dez dec",
)
_MONTH = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split()}

_HALF = r"(?:\s*(a|p)\.?\s?m\b\.?)?"
_CLOCK = rf"(\d{{1,2}})(?:\s?[:.h]\s?(\d{{2}}))?(?::(\d{{2}})(?:\.\d+)?)?{_HALF}(?:\s*(?:hrs?|hs|horas?|h)\b\.?)?"
_ONE = re.compile(_CLOCK)
_BETWEEN = re.compile(
    rf"(?:(?:de|das|entre|from|between)\s+)?{_CLOCK}\s*(?:-|–|—|a|as|hasta|ate|y|e|to|and|/)\s*(?:las\s+|as\s+)?{_CLOCK}"
)
_ANOTHER = re.compile(r"\s*(?:[,;|+]|\by\b|\be\b|\band\b)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayStyle:
    """How a column writes its days; `is_sure`: a day of it shows that, else it is the language's way."""

    order: Order
    is_sure: bool = True


def day_style_of(cells: Iterable[Cell], *, usual: Order) -> DayStyle | None:
    """Find out how a column writes its days; None: no cell of it can be read in two ways.

    Raises:
        CellError: some of them are written in one way, some in another.
    """
    shown: set[Order] = set()
    is_open = False
    for one in cells:
        found = _SLASHES.fullmatch(_plain(one)) if isinstance(one, str) else None
        if found is None:
            continue
        first, second = int(found[1]), int(found[2])
        if first > 12:
            shown.add("day first")
        elif second > 12:
            shown.add("month first")
        elif first != second:
            is_open = True
    if len(shown) > 1:
        raise CellError("some days are written day first, others month first")
    if not is_open:
        return DayStyle(order=shown.pop()) if shown else None
    return DayStyle(order=shown.pop()) if shown else DayStyle(order=usual, is_sure=False)


def day_of(cell: Cell, order: Order | None) -> date:
    """Read a day; a time behind it is passed over.

    Raises:
        CellError: it is none.
    """
    found = _day_and_rest(cell, order)
    if found is None:
        raise CellError("must be a day like 31/12/2026 or 2026-12-31")
    return found[0]


def moment_of(cell: Cell, order: Order | None, zone: ZoneInfo | None, *, on: date | None) -> datetime:
    """Read a day with a time, or a time of the day `on`.

    Args:
        zone: of times that name none; None: nobody knows it.

    Raises:
        CellError: it is none, or of no known day or zone.
    """
    if isinstance(cell, str) and _ISO.match(cell):
        try:
            moment = datetime.fromisoformat(cell)
        except ValueError:
            moment = None
        if moment is not None and moment.tzinfo is not None:
            return moment
    found = _day_and_rest(cell, order)
    day, rest = found or (on, cell)
    if day is None:
        raise CellError("which day is it on?")
    if rest is None:
        raise CellError("which time of the day?")
    return at(day, clock_of(rest), zone)


def at(day: date, seconds: int, zone: ZoneInfo | None) -> datetime:
    """Give a time of a day. Raises CellError when nobody knows the time zone."""
    if zone is None:
        raise CellError("in which time zone? Name it by ?timezone=, or put the depot with its time zone")
    return datetime.combine(day + timedelta(days=seconds // _DAY_S), time(), zone) + timedelta(seconds=seconds % _DAY_S)


def clock_of(cell: Cell) -> int:
    """Read a time of the day, seconds from midnight to midnight.

    Raises:
        CellError: it is none.
    """
    if isinstance(cell, float):
        if 0 <= cell < 1:
            return round(cell * _DAY_S)
        if cell <= 24 and cell.is_integer():
            return int(cell) * 3600
        raise CellError("must be a time of the day like 14:30")
    found = _ONE.fullmatch(_plain(cell))
    if found is None:
        raise CellError("must be a time of the day like 14:30")
    return _seconds(*found.groups())


def windows_of(cell: Cell) -> list[tuple[int, int]]:
    """Read one or several windows of a day: (start, end), seconds from midnight.

    Raises:
        CellError: it is none.
    """
    text = _plain(cell)
    if isinstance(cell, float) or _ISO.match(text):
        raise CellError("is a day or number by now, as spreadsheet programs make of 9-13: format the column as text")
    found: list[tuple[int, int]] = []
    place = 0
    while place < len(text):
        if found:
            between = _ANOTHER.match(text, place)
            if between is None or between.end() == place:
                raise CellError("must be a window like 9:00-13:00")
            place = between.end()
        one = _BETWEEN.match(text, place)
        if one is None:
            raise CellError("must be a window like 9:00-13:00")
        half = one[4] or (one[8] if _hour(one[1]) <= _hour(one[5]) or one[8] == "a" else None)
        start, end = _seconds(one[1], one[2], one[3], half), _seconds(*one.groups()[4:])
        if end <= start:
            raise CellError("its end is not after its start")
        found.append((start, end))
        place = one.end()
    if not found:
        raise CellError("must be a window like 9:00-13:00")
    return found


def _hour(text: str) -> int:
    return int(text) % 12


def _seconds(hour: str, minute: str | None, second: str | None, half: str | None) -> int:
    hours, minutes, seconds = int(hour), int(minute or 0), int(second or 0)
    if half is not None:
        if not 1 <= hours <= 12:
            raise CellError("must be a time of the day like 14:30")
        hours = hours % 12 + (12 if half == "p" else 0)
    found = hours * 3600 + minutes * 60 + seconds
    if minutes > 59 or seconds > 59 or found > _DAY_S:
        raise CellError("must be a time of the day like 14:30")
    return found


def _day_and_rest(cell: Cell, order: Order | None) -> tuple[date, Cell] | None:
    """Cut a cell into its day and what stands behind it; None: it begins with no day."""
    if isinstance(cell, float):
        if not _FIRST_SERIAL <= cell < _LAST_SERIAL:
            return None
        whole = int(cell)
        return _EPOCH + timedelta(days=whole), (cell - whole if cell > whole else None)
    text = _plain(cell)
    if found := _ISO.fullmatch(text):
        return _date(found[1], found[2], found[3]), found[4]
    if found := _SLASHES.fullmatch(text):
        first, second = found[1], found[2]
        day, month = (second, first) if order == "month first" else (first, second)
        return _date(found[3], month, day), found[4]
    if found := _NAMED.fullmatch(text):
        number = _MONTH.get(found[2][:3])
        return None if number is None else (_date(found[3], str(number), found[1]), found[4])
    return None


def _date(year: str, month: str, day: str) -> date:
    try:
        found = date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        raise CellError("there is no such day") from None
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise CellError("must be a day like 31/12/2026 or 2026-12-31")
    return found


def _plain(cell: Cell) -> str:
    """Give text in lower case without accents and repeated spaces; of what is too long to be a day or time nothing."""
    text = str(cell or "")
    folded = unicodedata.normalize("NFKD", text.lower() if len(text) <= _LONGEST else "")
    return " ".join("".join(one for one in folded if not unicodedata.combining(one)).split())
