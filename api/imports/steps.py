"""What all kinds of import share: a step is some rows with all that they made, in one transaction."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from api.http.problem import FieldError
from api.routes.roads import RouteTools
from sql.imports.imports import ImportRow, RowVerdict, Verdict
from sql.pool import Db
from work.imports.columns import RowCells, SheetNote, Surroundings

HOLD_S = 30.0
"""How long an import stays with a process that is not heard of; a step takes a few seconds, with roads ten."""

_LONGEST_ID = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Importing:
    """An import under way, with its rows below the headings."""

    tools: RouteTools
    row: ImportRow
    around: Surroundings
    rows: list[RowCells]


class ImportSteps(Protocol):
    """The steps of a kind of import."""

    @property
    def count(self) -> int:
        """How many orders or routes there are."""
        ...

    async def take(self, step: int) -> int | None:
        """Do the next ones after so many; tell how many are done then. None: another process does it by now."""
        ...


@asynccontextmanager
async def trial(db: Db, *, dry_run: bool) -> AsyncIterator[None]:
    """Do the block in a transaction of its own; of a dry run nothing of it stays, nor where it raises."""
    change = db.transaction()
    await change.start()
    try:
        yield
    except BaseException:
        await change.rollback()
        raise
    await (change.rollback() if dry_run else change.commit())


def judged(row: RowCells, name: str | None, verdict: Verdict, errors: Iterable[FieldError] = ()) -> RowVerdict:
    """Give a row its verdict, with its mistakes or warnings; the cells of a rejected one are kept, to be sent back."""
    cells = [_text(one) for one in row.cells] if verdict == "rejected" else None
    told = [{"at": one.at, "why": one.why} for one in errors]
    kept = None if name is None else name[:_LONGEST_ID]
    return RowVerdict(number=row.number, external_id=kept, verdict=verdict, errors=told, cells=cells)


def named(row: RowCells, errors: Iterable[SheetNote]) -> list[FieldError]:
    """Name what could not be read by the headings of its sheet."""
    return [FieldError(at=row.heading(one.at) if one.at else "", why=one.why) for one in errors]


def by_heading(row: RowCells, pointer: str, fields: Mapping[str, tuple[str, ...]]) -> str:
    """Turn a place in a body into the heading that it came from.

    Args:
        fields: the fields that a member of the body may come from; those that are left out come from one of their name.
    """
    steps = pointer.strip("/").split("/")
    for depth in (3, 2, 1):
        names = fields.get("/".join(one for one in steps[:depth] if not one.isdigit()))
        if names is not None:
            return row.heading(next((one for one in names if row.has(one)), names[0]))
    return row.heading(steps[0]) if steps[0] else ""


_OF_BOTH = {
    "lat": ("lat", "place"),
    "lon": ("lon", "place"),
    "service_s": ("service_s", "service_min"),
    "parcels": ("barcode", "quantity", "parcel_description"),
    "parcels/quantity": ("quantity",),
    "parcels/description": ("parcel_description",),
    "cash_on_delivery": ("cash",),
    "cash_on_delivery/currency": ("currency", "cash"),
}

ORDER_FIELDS = _OF_BOTH | {
    "windows": ("window", "window_start"),
    "windows/end": ("window", "window_end"),
    "load/kg": ("weight_kg",),
    "load/m3": ("volume_m3",),
    "earliest": ("earliest", "date"),
    "latest": ("latest", "date"),
}
STOP_FIELDS = _OF_BOTH | {
    "": ("lat", "place"),
    "window": ("window", "window_start"),
    "window/end": ("window", "window_end"),
}
TOUR_FIELDS = {
    "depot": ("depot", "depot_lat"),
    "depot/lat": ("depot_lat", "depot"),
    "depot/lon": ("depot_lon", "depot"),
}
"""What members of bodies come from."""


def _text(cell: str | float | None) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell)
