"""An import, as it is shown."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta, Struct

from api.http import ids
from api.http.problem import FieldError
from sql.imports.imports import ImportRow, RowVerdict
from work.imports.headings import Kind

State = Literal["queued", "running", "done", "failed"]
VerdictName = Literal["created", "updated", "unchanged", "rejected"]


class ColumnRead(Struct, frozen=True, kw_only=True):
    """A column of a sheet; `field`: what it is for; null: it is not read."""

    heading: str
    field: str | None


class NoteRead(Struct, frozen=True, kw_only=True):
    """How something was read that could be meant otherwise; `at`: a heading, or empty."""

    at: str
    why: str


class RowRead(Struct, frozen=True, kw_only=True):
    """What became of a row.

    `row` counts as a spreadsheet program does; `external_id` is that of the order, or of the route that it belongs to.
    Of a dry run: what would have become of it. `at` of an error is a heading of the sheet. `warnings` name what was
    taken as it came and looks like a mistake, or is asked about.
    """

    row: int
    external_id: str | None
    verdict: VerdictName
    errors: list[FieldError] = []
    warnings: list[FieldError] = []


class ImportItem(Struct, frozen=True, kw_only=True):
    """An import; numbers are those of rows, `progress` goes from 0 to 1."""

    id: str
    kind: Kind
    file: Annotated[str, Meta(description="Its name; empty: it has none")]
    dry_run: bool
    state: State
    why: Annotated[str | None, Meta(description="Of a failed one")]
    progress: float
    rows: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    created_at: datetime


class Import(ImportItem, frozen=True, kw_only=True):
    """An import with how it was read and a page of its verdicts, in the order of the rows that have one by now."""

    columns: list[ColumnRead]
    notes: list[NoteRead]
    verdicts: list[RowRead]
    next: str | None


class ImportList(Struct, frozen=True, kw_only=True):
    """A page of imports; `next` is the cursor of the next page, null on the last."""

    imports: list[ImportItem]
    next: str | None


def item_of(row: ImportRow) -> ImportItem:
    """Show an import in a list."""
    judged = row.created + row.updated + row.unchanged + row.rejected
    return ImportItem(
        id=ids.shown(ids.IMPORT, row.id),
        kind=cast(Kind, row.kind),
        file=row.file_name,
        dry_run=row.dry_run,
        state=cast(State, row.state),
        why=row.why,
        progress=1.0 if row.state == "done" else round(judged / max(row.rows, 1), 3),
        rows=row.rows,
        created=row.created,
        updated=row.updated,
        unchanged=row.unchanged,
        rejected=row.rejected,
        created_at=row.created_at,
    )


def import_of(row: ImportRow, verdicts: Sequence[RowVerdict], more: str | None) -> Import:
    """Show an import with a page of its verdicts; `more` is the cursor of the next one, None on the last."""
    return Import(
        **msgspec.structs.asdict(item_of(row)),
        columns=msgspec.convert(row.headings, list[ColumnRead]),
        notes=msgspec.convert(row.notes, list[NoteRead]),
        verdicts=[_row(one) for one in verdicts],
        next=more,
    )


def _row(one: RowVerdict) -> RowRead:
    said, is_rejected = msgspec.convert(one.errors, list[FieldError]), one.verdict == "rejected"
    return RowRead(
        row=one.number,
        external_id=one.external_id,
        verdict=one.verdict,
        errors=said if is_rejected else [],
        warnings=[] if is_rejected else said,
    )
