"""Workbooks for spreadsheets (ECMA-376), written as they go: nothing is kept, neither in memory nor on a disk.

Text stays text whatever it begins with. Times are text with their zone, as everywhere: a spreadsheet's own have none.
Days are days. Zip entries are of unknown size until their end, as those of other writers of streams are.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from api.exports.columns import Table
from api.exports.sink import Sink
from api.exports.text import XML_HEAD, FileWriter, xml_text
from api.history.tables import plain

ROWS_A_SHEET = 500_000
"""A spreadsheet reads 1 048 576, and a part of a zip without its 64 bits 2 GiB: 4 kB a row."""

_LONGEST_CELL = 32_767
"""Characters: a spreadsheet calls a file with more of them damaged."""

_SERIAL_0 = date(1899, 12, 30).toordinal()
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_FONT = '<sz val="11"/><name val="Calibri"/>'
_STYLES = (
    f'{XML_HEAD}<styleSheet xmlns="{_MAIN}"><fonts count="2"><font>{_FONT}</font><font><b/>{_FONT}</font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="3">'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_DAY, _BOLD = 1, 2
"""Places among `cellXfs`."""

_TYPES = (
    f'{XML_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Default Extension="xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>'
)
"""A part that is not named is a sheet, so that this comes first, where programs look for what a file is."""

_SHEET = (
    f'{XML_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)


class Workbook(FileWriter):
    """A workbook of one table, on as many sheets as it needs."""

    def __init__(self, title: str, table: Table) -> None:
        self._title, self._names = title, [column.name for column in table]
        self._sink = Sink()
        self._zip = ZipFile(self._sink, "w")
        self._sheets = 0
        self._rows = 0
        self._sheet: Any = None

    def begin(self) -> bytes:
        """Write what comes before the first row."""
        self._part("[Content_Types].xml", _TYPES)
        self._part("_rels/.rels", _relations([("rId1", "officeDocument", "xl/workbook.xml")]))
        self._part("xl/styles.xml", _STYLES)
        self._next_sheet()
        return self._sink.taken()

    def rows(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """Write some rows."""
        for start in range(0, len(rows), 1_000):
            piece = rows[start : start + 1_000]
            if self._rows + len(piece) > ROWS_A_SHEET:
                self._next_sheet()
            self._sheet.write("".join(map(_row, piece)).encode())
            self._rows += len(piece)
        return self._sink.taken()

    def end(self) -> bytes:
        """Write what comes after the last row."""
        self._close_sheet()
        numbers = range(1, self._sheets + 1)
        sheets = "".join(
            f'<sheet name="{xml_text(self._title[:20])} {n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers
        )
        book = f'{XML_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'
        self._part("xl/workbook.xml", book)
        relations = [(f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
        self._part("xl/_rels/workbook.xml.rels", _relations([*relations, ("rIdS", "styles", "styles.xml")]))
        self._zip.close()
        return self._sink.taken()

    def _next_sheet(self) -> None:
        self._close_sheet()
        self._sheets += 1
        self._sheet = self._zip.open(_entry(f"xl/worksheets/sheet{self._sheets}.xml"), "w")
        head = "".join(_text(name, f' s="{_BOLD}"') for name in self._names)
        self._sheet.write(f"{_SHEET}<row>{head}</row>".encode())
        self._rows = 1

    def _close_sheet(self) -> None:
        if self._sheet is not None:
            self._sheet.write(b"</sheetData></worksheet>")
            self._sheet.close()

    def _part(self, name: str, text: str) -> None:
        with self._zip.open(_entry(name), "w") as part:
            part.write(text.encode())


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name)
    entry.compress_type = ZIP_DEFLATED
    return entry


def _relations(relations: Iterable[tuple[str, str, str]]) -> str:
    each = "".join(f'<Relationship Id="{i}" Type="{_OFFICE}/{kind}" Target="{to}"/>' for i, kind, to in relations)
    return f'{XML_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'


def _row(values: Sequence[Any]) -> str:
    return f"<row>{''.join(map(_cell, values))}</row>"


def _cell(value: Any) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{value:d}</v></c>'
    if isinstance(value, int | float):
        if not math.isfinite(value):
            return "<c/>"
        return f"<c><v>{value!r}</v></c>"
    if isinstance(value, date) and not isinstance(value, datetime):
        return f'<c s="{_DAY}"><v>{value.toordinal() - _SERIAL_0}</v></c>'
    return _text(plain(value))


def _text(text: str, style: str = "") -> str:
    shown = xml_text(text[:_LONGEST_CELL])
    return f'<c t="inlineStr"{style}><is><t xml:space="preserve">{shown}</t></is></c>'
