"""Workbooks: XLSX, XLS, ODS. Formulas are the values that were saved with them."""

import io
import re
import zipfile
import zlib
from datetime import date, datetime, time, timedelta

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from work.imports.sheet import Cell, PlanSheet, SheetError, SheetRow
from work.imports.text_file import require_few, row_of

MOST_UNPACKED = 64 * 2**20
"""Bytes of a workbook's parts, unpacked: five times what 20,000 rows of thirty columns have."""

MOST_TEXT = 32 * 2**20
"""Characters: a workbook keeps a text once, however many cells have it."""

MOST_PARTS = 1_000

_PARTS = re.compile(
    r"(xl/.*\.(xml|rels|bin)|\[Content_Types\]\.xml|_rels/\.rels|mimetype|content\.xml|META-INF/.*\.xml)"
)
_PIECE = 1 << 16


def read_workbook(content: bytes, *, most_rows: int) -> PlanSheet:
    """Read the first sheet of a workbook that is shown and has something in it.

    Raises:
        SheetError: it cannot be read, or is too large.
    """
    if content.startswith(b"PK"):
        content = _unpacked(content)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        shown = [
            one.name
            for one in book.sheets_metadata
            if one.visible == SheetVisibleEnum.Visible and one.typ == SheetTypeEnum.WorkSheet
        ]
        for name in shown:
            if rows := _rows(book, name, most_rows):
                return PlanSheet(name=name, others=[one for one in shown if one != name], rows=rows)
    except PasswordError:
        raise SheetError("unreadable", "The workbook is protected by a password; save it without one.") from None
    except CalamineError as error:
        raise SheetError("unreadable", f"The workbook is damaged: {str(error)[:200]}.") from error
    return PlanSheet(name=shown[0] if shown else None, others=shown[1:], rows=[])


def _rows(book: CalamineWorkbook, name: str, most_rows: int) -> list[SheetRow]:
    sheet, size = book.get_sheet_by_name(name), 0
    rows: list[SheetRow] = []
    if sheet.start is None:
        return []
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        if row := row_of(number, [_cell(one) for one in cells]):
            rows.append(row)
            size += sum(len(one) for one in row.cells if isinstance(one, str))
            if size > MOST_TEXT:
                raise SheetError("too-large", f"The sheet has more than {MOST_TEXT} characters; send it in parts.")
        require_few(len(rows), most_rows)
    return rows


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return value.replace("\0", " ").strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
    return None


def _unpacked(content: bytes) -> bytes:
    """Pack the parts that are read anew, as they are: what a header of the file says of their size may be a lie."""
    size = 0
    made = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(made, "w") as plain:
            parts = {one.filename: one for one in packed.infolist() if _PARTS.fullmatch(one.filename)}
            if not parts.keys() & {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}:
                raise SheetError("no-sheet", "This ZIP file is no workbook. Send CSV, XLSX, XLS or ODS.")
            if len(parts) > MOST_PARTS:
                raise SheetError("too-large", f"The workbook has more than {MOST_PARTS} parts.")
            for name, part in parts.items():
                if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise SheetError("unreadable", "The workbook is packed in a way that no spreadsheet program uses.")
                with packed.open(part) as come, plain.open(name, "w") as gone:
                    while piece := come.read(_PIECE):
                        size += len(piece)
                        if size > MOST_UNPACKED:
                            raise SheetError("too-large", f"The workbook unpacks to more than {MOST_UNPACKED} bytes.")
                        gone.write(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise SheetError("unreadable", "The workbook is damaged, or protected by a password.") from error
    return made.getvalue()
