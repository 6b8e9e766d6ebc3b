"""Imports: queued, running, done or failed; each row has its verdict once, with what it made."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

Verdict: TypeAlias = Literal["created", "updated", "unchanged", "rejected"]
MOST_HEADINGS = 1_000
"""That an account says something of: each import is stored with all of them."""

VERDICTS: tuple[Verdict, ...] = ("created", "updated", "unchanged", "rejected")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewImport:
    """An import to make.

    Attributes:
        asked_hash: the same for the same file of which the same is asked.
        asked: how it is read.
        headings: of its columns, each with the field that it is for, or None.
        notes: what whoever sent it should know.
        sheet: its rows, packed.
        rows: how many.
    """

    kind: str
    dry_run: bool
    file_name: str
    asked_hash: bytes
    asked: dict[str, Any]
    headings: list[Any]
    notes: list[Any]
    sheet: bytes = field(repr=False)
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """An import as it is.

    Attributes:
        state: queued, running, done or failed; `why`: of a failed one, a sentence.
        step: so many of its orders or routes have their verdict.
        created, updated, unchanged, rejected: rows.
        attempts: who goes on with it now is told apart by this.
        tries: to get further than `step`, this one too.
    """

    id: int
    account_id: int
    kind: str
    dry_run: bool
    file_name: str
    state: str
    why: str | None
    asked: dict[str, Any]
    headings: list[Any]
    notes: list[Any]
    rows: int
    step: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    attempts: int
    tries: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RowVerdict:
    """What became of a row.

    Attributes:
        errors: of a rejected one its mistakes, of another one warnings.
        cells: of a rejected one, as they came.
    """

    number: int
    external_id: str | None
    verdict: Verdict
    errors: list[Any]
    cells: list[str] | None = field(repr=False)


async def waiting_imports(db: Db | Pool, account_id: int) -> int:
    """Count those of an account that are not done."""
    return int(await db.fetchval(_SQL["waiting_imports"], account_id))


async def create_import(db: Db, account_id: int, new: NewImport) -> int | None:
    """Make an import; None: the same waits already."""
    found: int | None = await db.fetchval(
        _SQL["create_import"],
        account_id,
        *(new.kind, new.dry_run, new.file_name, new.asked_hash, new.asked, new.headings, new.notes),
        *(new.sheet, new.rows),
    )
    return found


async def same_import(db: Db | Pool, account_id: int, asked_hash: bytes) -> int | None:
    """Find one that waits, of the same file, of which the same is asked; None: there is none."""
    found: int | None = await db.fetchval(_SQL["same_import"], account_id, asked_hash)
    return found


async def find_import(db: Db | Pool, account_id: int, import_id: int) -> ImportRow | None:
    """Find an import; None when the account has none such."""
    row = await db.fetchrow(_SQL["find_import"], account_id, import_id)
    return None if row is None else ImportRow(**row)


async def list_imports(db: Db | Pool, account_id: int, *, before: int, limit: int) -> list[ImportRow]:
    """Read a page of them, the newest first."""
    return [ImportRow(**row) for row in await db.fetch(_SQL["list_imports"], account_id, before, limit)]


async def take_import(db: Db | Pool, *, hold_s: float, only: int | None = None) -> ImportRow | None:
    """Take one that waits; None when there is none, or `only` that one is asked for and somebody has it."""
    row = await db.fetchrow(_SQL["take_import"], hold_s, only)
    return None if row is None else ImportRow(**row)


async def sheet_of(db: Db | Pool, import_id: int) -> bytes | None:
    """Read the rows of one, packed; None: it is done by now."""
    found: bytes | None = await db.fetchval(_SQL["sheet_of_import"], import_id)
    return found


async def hold_import(db: Db, row: ImportRow) -> int | None:
    """Be the only one who goes on with it until the transaction ends; tell its step. None: another one does by now."""
    found: int | None = await db.fetchval(_SQL["hold_import"], row.id, row.attempts)
    return found


async def go_on(db: Db, row: ImportRow, *, step: int, verdicts: Sequence[RowVerdict], hold_s: float) -> None:
    """Write what became of rows; a held import is a step further."""
    await db.execute(_SQL["put_verdicts"], row.id, [asdict(one) for one in verdicts])
    counts = [sum(one.verdict == verdict for one in verdicts) for verdict in VERDICTS]
    await db.execute(_SQL["go_on"], row.id, step, hold_s, *counts)


async def end_import(db: Db | Pool, row: ImportRow, *, state: str, why: str | None = None) -> None:
    """End it, done or failed; nothing where another one goes on with it by now."""
    await db.execute(_SQL["end_import"], row.id, row.attempts, state, why)


async def put_back(db: Db | Pool, row: ImportRow) -> None:
    """Let another one go on with it, after others that wait."""
    await db.execute(_SQL["put_back"], row.id, row.attempts)


async def verdicts_of(
    db: Db | Pool, import_id: int, *, verdict: Verdict | None, after: int, limit: int, only_said: bool = False
) -> list[RowVerdict]:
    """Read a page of verdicts, in the order of the rows.

    Args:
        verdict: None: whatever they are.
        only_said: those that come with a mistake or a warning.
    """
    rows = await db.fetch(_SQL["verdicts_of"], import_id, verdict, after, limit, only_said)
    return [RowVerdict(**row) for row in rows]


async def read_mapping(db: Db | Pool, account_id: int, kind: str) -> dict[str, str | None]:
    """Read what an account said its headings are for; None there: such a column is not read."""
    return await db.fetchval(_SQL["read_mapping"], account_id, kind) or {}


async def add_mapping(db: Db | Pool, account_id: int, kind: str, mapping: Mapping[str, str | None]) -> None:
    """Remember what headings are for, of `MOST_HEADINGS` at most."""
    await db.execute(_SQL["add_mapping"], account_id, kind, dict(mapping), MOST_HEADINGS)


async def drop_imports(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget imports that were made before a time, with their rows; return how many."""
    return len(await db.fetch(_SQL["drop_imports"], before, at_most))


async def drop_rows_of_words(
    db: Db, account_id: int, *, words: Sequence[str], phones: Sequence[str], at_most: int
) -> int:
    """Forget rejected rows that hold a word of somebody, in any case, or the digits of their phone; return how many."""
    return len(await db.fetch(_SQL["drop_rows_of_words"], account_id, list(words), list(phones), at_most))
