"""CSV as spreadsheet programs write it: with `;`, tabs or commas, in encodings of Windows, DOS, Macs, and Unicode."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from work.imports.sheet import LONGEST_CELL, MOST_COLUMNS, Cell, PlanSheet, SheetError, SheetRow

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_OLD = ("cp1252", "cp850", "mac_roman")
_EXPECTED = frozenset("áéíóúüñãõâêôàçÁÉÍÓÚÜÑÃÕÂÊÔÀÇºª°¿¡€–’“”")
"""What is not ASCII in sheets in Spanish and Portuguese."""

_DELIMITERS = ";\t,|"
_LOOKED_AT = 50
_SEP = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)


def read_text(content: bytes, *, most_rows: int) -> PlanSheet:
    """Read a CSV.

    Raises:
        SheetError: it is no text, or has more rows or columns than are read.
    """
    text = decoded(content)
    named = _SEP.match(text)
    if named is not None:
        text = text[named.end() :]
    delimiter = named[1] if named else delimiter_of(text)
    csv.field_size_limit(max(len(text), 1))
    rows: list[SheetRow] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for number, fields in enumerate(reader, start=1):
            if row := row_of(number, [one.strip() for one in fields]):
                rows.append(row)
            require_few(len(rows), most_rows)
    except csv.Error as error:
        raise SheetError("unreadable", f"Line {reader.line_num} of the file is no CSV: {error}.") from error
    return PlanSheet(name=None, others=[], rows=rows)


def require_few(rows: int, most_rows: int) -> None:
    """Raise SheetError when there are too many rows; some may be titles above the headings."""
    if rows > most_rows + TITLE_ROWS:
        raise SheetError("too-large", f"The sheet has more than {most_rows} rows; send it in parts.")


TITLE_ROWS = 20
"""So many rows may stand above the headings."""


def row_of(number: int, cells: list[Cell]) -> SheetRow | None:
    """Make a row of its cells; None: it is empty.

    Raises:
        SheetError: it has more columns than are read.
    """
    while cells and cells[-1] in ("", None):
        cells.pop()
    if len(cells) > MOST_COLUMNS:
        raise SheetError("too-large", f"Row {number} has {len(cells)} columns; at most {MOST_COLUMNS} are read.")
    kept = [one[: LONGEST_CELL + 1] or None if isinstance(one, str) else one for one in cells]
    return SheetRow(number, kept) if kept else None


def decoded(content: bytes) -> str:
    """Read the letters of a text file: as its mark says, else UTF-8, else whichever old encoding makes sense of them.

    Raises:
        SheetError: it is no text.
    """
    marked = next((encoding for mark, encoding in _MARKS if content.startswith(mark)), None)
    try:
        text = content.decode(marked or "utf-8")
    except UnicodeDecodeError as error:
        if marked:
            raise SheetError("unreadable", f"The file says that it is {marked.upper()}, and is not.") from error
        text = max((content.decode(one, "replace") for one in _OLD), key=_sense)
    if "\0" in text:
        raise SheetError("no-sheet", "This is no text file and no workbook. Send CSV, XLSX, XLS or ODS.")
    return text


def _sense(text: str) -> int:
    """Count letters that are expected, less what is not."""
    found = Counter(one for one in text if ord(one) > 127)
    return sum(count if letter in _EXPECTED else -count for letter, count in found.items())


def delimiter_of(text: str) -> str:
    """Find what stands between the fields: what cuts most rows into the same number of columns."""
    return max(_DELIMITERS, key=lambda one: _agreement(text, one))


def _agreement(text: str, delimiter: str) -> tuple[float, int]:
    widths = [len(fields) for fields in islice(_some(text, delimiter), _LOOKED_AT) if any(fields)]
    times = Counter(width for width in widths if width > 1)
    width = max(times, key=lambda one: (times[one], one), default=0)
    return (times[width] / len(widths), width) if width else (0.0, 0)


def _some(text: str, delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(text[:200_000], newline=""), delimiter=delimiter)
    except csv.Error:  # a cell is longer than is looked at
        return
