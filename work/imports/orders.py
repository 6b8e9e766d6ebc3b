"""A row becomes an order: the body that `PUT /v1/orders/{order}` takes."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from work.imports.columns import RowCells, Surroundings
from work.imports.numbers import CellError
from work.imports.stops import kind_of, who_waits, windows_in
from work.imports.times import day_of

MOST_WINDOWS = 10

_SKILLS = re.compile(r"\s*[,;|]\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSaid:
    """What a row says.

    Attributes:
        external_id: None: it names none.
        body: not judged yet; what could not be read is among the row's errors.
    """

    row: RowCells
    external_id: str | None
    body: dict[str, Any]


def order_of(row: RowCells, around: Surroundings) -> OrderSaid:
    """Read an order."""
    body = who_waits(row)
    if kind := kind_of(row):
        body["kind"] = kind
    depot = None
    if named := row.text("depot"):
        depot = around.depot(named)
        if depot is None:
            row.wrong("depot", f"there is no depot {named[:80]!r}")
        else:
            body["depot"] = depot.external_id
    zone = row.zone(row.text("timezone") or around.zone(depot))
    body |= _days(row, around, zone)
    load = {"kg": row.quantity("weight_kg"), "m3": row.quantity("volume_m3")}
    body["load"] = {name: much for name, much in load.items() if much is not None}
    body["skills"] = [one for one in _SKILLS.split(row.text("skills") or "") if one]
    body |= {name: value for name in ("after", "source") if (value := row.text(name)) is not None}
    if (priority := row.whole("priority")) is not None:
        body["priority"] = priority
    external_id = row.text("external_id")
    if external_id is None:
        row.wrong("external_id", "is missing")
    return OrderSaid(row=row, external_id=external_id, body=body)


def day_in(row: RowCells, field: str) -> date | None:
    """Read a day; None: there is none, or none that can be read."""
    cell = row.cell(field)
    if cell is None:
        return None
    style = row.day_style(field)
    try:
        return day_of(cell, style.order if style else None)
    except CellError as error:
        row.wrong(field, str(error))
        return None


def _days(row: RowCells, around: Surroundings, zone: ZoneInfo | None) -> dict[str, Any]:
    """Read on which days it may be done, and its windows on each of them."""
    on = day_in(row, "date")
    earliest, latest = day_in(row, "earliest") or on, day_in(row, "latest") or on
    if not row.errors and earliest is None and latest is None:
        earliest = latest = around.on
    days = {name: day.isoformat() for name, day in (("earliest", earliest), ("latest", latest)) if day}
    windows = [one for day in _each_day(earliest, latest) for one in windows_in(row, day, zone)]
    unlike = list({one["start"]: one for one in windows}.values())
    return {**days, "windows": unlike} if unlike else days


def _each_day(earliest: date | None, latest: date | None) -> list[date | None]:
    """List the days of an order; of more than can be listed None alone: its windows name theirs."""
    first = earliest or latest
    if first is None or latest is None or earliest is None:
        return [first]
    count = (latest - first).days + 1
    return [first + timedelta(days=one) for one in range(count)] if 1 <= count <= MOST_WINDOWS else [None]
