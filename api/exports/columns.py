"""Columns of exported tables: stable names, those of the API's fields, and what kind of value each holds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

from api.http import ids

Kind: TypeAlias = Literal["text", "int", "float", "bool", "time", "day", "json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportColumn:
    """A column; `prefix`: of ids that are numbers where they are stored."""

    name: str
    kind: Kind
    prefix: str = ""


Table: TypeAlias = Sequence[ExportColumn]

_KINDS: Mapping[str, Kind] = {"i": "int", "f": "float", "b": "bool", "t": "time", "d": "day", "j": "json"}
_IDS = {
    "route_id": ids.ROUTE,
    "stop_id": ids.STOP,
    "driver_id": ids.DRIVER,
    "geofence_id": ids.GEOFENCE,
}


def columns(text: str, *, own: str = "") -> Table:
    """Write columns shortly: names, each with the letter of its kind behind a colon where it is not text.

    Args:
        own: prefix of the column `id`.
    """
    made = []
    for word in text.split():
        name, _, letter = word.partition(":")
        prefix = own if name == "id" else _IDS.get(name, "")
        made.append(ExportColumn(name=name, kind=_KINDS.get(letter, "text"), prefix=prefix))
    return tuple(made)


def values_of(table: Table, rows: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    """Give rows as their columns have them; times in the zone of the row's tour, where it has one."""
    return [_values(table, row) for row in rows]


def _values(table: Table, row: Mapping[str, Any]) -> list[Any]:
    name = row.get("timezone")
    zone = ZoneInfo(name) if name else None
    values = []
    for column in table:
        value = row[column.name]
        if value is None:
            pass
        elif column.prefix:
            value = ids.shown(column.prefix, value)
        elif zone is not None and isinstance(value, datetime):
            value = value.astimezone(zone)
        elif column.kind == "text" and not isinstance(value, str):
            value = str(value)
        values.append(value)
    return values


def places_of(table: Table) -> tuple[int, int] | None:
    """Tell which columns hold latitude and longitude; None where rows have no place."""
    names = [column.name for column in table]
    return (names.index("lat"), names.index("lon")) if "lat" in names else None
