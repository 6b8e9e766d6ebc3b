"""Files as planners send them."""

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import xlsxwriter


def workbook(*sheets: Sequence[Sequence[Any]] | Callable[[Any, Any], None]) -> bytes:
    """An XLSX; each of its sheets is its rows, or what writes it, given the book and the sheet."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        for sheet in sheets:
            page = book.add_worksheet()
            if callable(sheet):
                sheet(book, page)
            else:
                for number, cells in enumerate(sheet):
                    page.write_row(number, 0, cells)
    return made.getvalue()


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    """A workbook with one of its parts replaced."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as was, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as now:
        for one in was.namelist():
            now.writestr(one, part if one == name else was.read(one))
    return made.getvalue()


def ods(rows: Sequence[Sequence[str]]) -> bytes:
    """An OpenDocument sheet of text."""
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    table = "".join(f"<table:table-row>{''.join(cell.format(one) for one in row)}</table:table-row>" for row in rows)
    content = (
        '<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        f'<table:table table:name="Hoja">{table}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("content.xml", content)
        packed.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?><m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
    return made.getvalue()


def lying(content: bytes, name: str) -> bytes:
    """The same ZIP file, in which both headers of a part say that it has only ten bytes."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        part = packed.getinfo(name)
    size, ten = part.file_size.to_bytes(4, "little"), (10).to_bytes(4, "little")
    at = part.header_offset
    patched = bytearray(content)
    patched[at + 22 : at + 26] = ten
    entry = patched.index(b"PK\x01\x02")
    while patched[entry + 46 : entry + 46 + len(name)] != name.encode():
        entry = patched.index(b"PK\x01\x02", entry + 4)
    assert patched[entry + 24 : entry + 28] == size
    patched[entry + 24 : entry + 28] = ten
    return bytes(patched)
