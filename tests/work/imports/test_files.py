"""What planners' programs save, and what strangers may send in its place."""

import asyncio
import struct
import tempfile
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from tests.work.imports.books import lying, ods, with_part, workbook
from work.imports.read import SheetReader
from work.imports.sheet import LONGEST_CELL, PlanSheet, SheetError
from work.imports.text_file import decoded, delimiter_of

ROWS = [["Pedido", "Dirección"], ["001", "Calle 1, apto 2"]]


def read(content: bytes, most_rows: int = 100) -> PlanSheet:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        return asyncio.run(SheetReader().read(file, 1, most_rows=most_rows))


def cells(sheet: PlanSheet) -> list[list[Any]]:
    return [row.cells for row in sheet.rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "cp850", "mac_roman"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_csv_is_read_however_it_was_saved(encoding: str, delimiter: str) -> None:
    text = "\r\n".join(delimiter.join(f'"{one}"' for one in row) for row in ROWS)
    told = decoded(text.encode(encoding))
    assert told == text
    assert delimiter_of(told) == delimiter


def test_csv_of_a_program_that_names_its_delimiter() -> None:
    assert cells(read(b"sep=|\r\na|b;c\r\n1|2;3\r\n")) == [["a", "b;c"], ["1", "2;3"]]


def test_a_decimal_comma_cuts_no_fields() -> None:
    assert delimiter_of("Título\npedido;lat;lon\n1;4,6;-74,1\n2;4,7;-74,2\n3;4,7;-74,2\n") == ";"


def test_rows_are_counted_as_a_spreadsheet_program_does() -> None:
    sheet = read(b'a;b\n"1\n1";2\n\n3;4\n')
    assert [row.number for row in sheet.rows] == [1, 2, 4]


def test_a_workbook_gives_values_of_formulas_and_days_as_text() -> None:
    def write(book: Any, page: Any) -> None:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        moment = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        clock = book.add_format({"num_format": "[h]:mm"})
        page.write_row(2, 1, ["a", 1001, 0.375, True])
        page.write_formula(3, 1, "=1+1", None, 2)
        page.write_datetime(3, 2, date(2026, 12, 1), day)
        page.write_datetime(3, 3, datetime.fromisoformat("2026-12-01T09:30"), moment)
        page.write_datetime(3, 4, time(9, 15), clock)
        page.write_datetime(3, 5, timedelta(hours=26), clock)

    sheet = read(workbook([], write, [["x"]]))
    assert (sheet.name, sheet.others) == ("Sheet2", ["Sheet1", "Sheet3"])
    assert [row.number for row in sheet.rows] == [3, 4]
    assert cells(sheet) == [
        ["a", 1001.0, 0.375, "true"],
        [2.0, "2026-12-01", "2026-12-01T09:30:00", "09:15:00", "26:00:00"],
    ]


def test_open_document_is_read() -> None:
    assert cells(read(ods(ROWS))) == ROWS


def test_a_cell_without_end_is_cut_to_what_no_field_takes() -> None:
    (_, row) = read(b"a;b\n" + b"x" * 7_000_000 + b";1\n").rows
    assert (len(str(row.cells[0])), row.cells[1]) == (LONGEST_CELL + 1, "1")
    (cell,) = read(workbook([["y" * 30_000]])).rows[0].cells
    assert len(str(cell)) == LONGEST_CELL + 1


def far_away(_book: Any, page: Any) -> None:
    page.write(0, 0, "a")
    page.write(1_048_575, 16_383, "b")


BOMB = with_part(workbook([["a"]]), "xl/worksheets/sheet1.xml", b"<x>" + b"0" * 200_000_000)


def one_text(_book: Any, page: Any) -> None:
    for row in range(100):
        page.write_row(row, 0, ["x" * 5_000] * 100)


REFUSED = {
    "an empty file": (b"", "unreadable", "nothing in the file"),
    "a workbook with nothing": (workbook([]), "unreadable", "nothing in the file"),
    "a PDF": (b"%PDF-1.7\n", "no-sheet", "a PDF"),
    "a web page that is called .xls": (b"\xef\xbb\xbf\n<HTML><table>", "no-sheet", "save it as XLSX"),
    "bytes": (b"a;b\n\0\1\2", "no-sheet", "no text file and no workbook"),
    "another ZIP file": (with_part(workbook(), "x", b"")[:0] + b"PK\x03\x04" + bytes(100), "unreadable", "damaged"),
    "a damaged XLS": (b"\xd0\xcf\x11\xe0" + bytes(3_000), "unreadable", "damaged"),
    "a damaged XLSX": (workbook([["a"]])[:-500], "unreadable", "damaged"),
    "a million columns": (b"a," * 1_000_000, "too-large", "1000000 columns"),
    "more rows": (b"a;b\n" * 200, "too-large", "more than 100 rows"),
    "one text in ten thousand cells": (workbook(one_text), "too-large", "more than 33554432 characters"),
    "a bomb": (BOMB, "too-large", "unpacks to more than"),
    "a bomb that lies": (lying(BOMB, "xl/worksheets/sheet1.xml"), "unreadable", "damaged"),
    "cells as far apart as can be": (workbook(far_away), "too-large", "takes too much to read"),
    "XML that is none": (with_part(workbook([["a"]]), "xl/worksheets/sheet1.xml", b"<<"), "unreadable", "damaged"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_in_words(name: str) -> None:
    content, kind, why = REFUSED[name]
    with pytest.raises(SheetError, match=why) as refused:
        read(content)
    assert refused.value.refused.kind == kind


def test_a_part_of_a_zip_that_says_it_is_huge_is_not_believed() -> None:
    content = workbook([["a"]])
    huge = content.replace(struct.pack("<L", len(content)), struct.pack("<L", 2**31))
    assert cells(read(huge)) == [["a"]]
