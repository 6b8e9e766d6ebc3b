"""The table of classes of data: whole, and told in the docs."""

import re
from pathlib import Path

from reparto.settings.settings import Settings
from sql.pool import Pool
from work.retention.classes import CLASSES, SOON_GONE, UNTIL_ERASED, WITHOUT_PEOPLE

HOUSE = Path(__file__).resolve().parents[3]
PAGE = HOUSE / "docs" / "reference" / "retention.md"


def _code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_docs_tell_the_same_table() -> None:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and "`" in line]
    told = {}
    for line in lines:
        name, tables, settings, days, what = (cell.strip() for cell in line.strip("|").split("|"))
        assert what
        told[name] = (tuple(_code(tables)), tuple(_code(settings)), float(days))
    defaults = Settings().shown()
    ours = {}
    for kind in CLASSES:
        names = tuple(f"REPARTO_{name.upper()}" for name in kind.settings)
        ours[kind.name] = (kind.tables, names, max(defaults[name] for name in names))
    assert told == ours


async def test_every_table_has_an_end_or_tells_of_nobody(pool: Pool) -> None:
    rows = await pool.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition"
    )
    named = {table for kind in CLASSES for table in kind.tables} | {*SOON_GONE, *UNTIL_ERASED, *WITHOUT_PEOPLE}
    assert {row["relname"] for row in rows} == named
    assert not {*SOON_GONE, *WITHOUT_PEOPLE} & {table for kind in CLASSES for table in kind.tables}


async def test_what_refers_to_a_tour_goes_with_it(pool: Pool) -> None:
    """Or is waited for: words of drivers, proofs, uploads, photos."""
    rows = await pool.fetch(
        "SELECT DISTINCT conrelid::regclass::text AS name FROM pg_constraint"
        " WHERE contype = 'f' AND confrelid IN ('route'::regclass, 'stop'::regclass)"
    )
    text = (HOUSE / "sql" / "operate" / "people.sql").read_text()
    goes = set(re.findall(r"DELETE FROM (\w+)", text))
    assert {row["name"] for row in rows} - goes == {"driver_event", "proof", "upload", "recipient_photo"}
