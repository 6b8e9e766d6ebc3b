"""Files are read here: `python -m work.imports.child MOST_ROWS`. One comes in, what it holds goes out, and it ends.

A file is a stranger's: here it takes no more memory and time than was said, or falls, and nobody else notices.
"""

import resource
import sys
from pathlib import Path

import msgspec

from work.imports.sheet import TOO_COSTLY, PlanSheet, RefusedSheet, SheetError
from work.imports.text_file import read_text
from work.imports.workbook import read_workbook

MOST_BYTES = 512 * 2**20
"""Of memory, for one file: the parts of a workbook twice, its cells, and they again as they are sent."""

MOST_S = 20
"""Of a processor, for one file. 20,000 rows of thirty columns take two."""

_OLE = b"\xd0\xcf\x11\xe0"
_OTHER = {b"%PDF": "a PDF", b"\x89PNG": "a picture", b"\xff\xd8\xff": "a picture", b"GIF8": "a picture"}
_PAGE = (b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta")


def main(most_rows: int) -> None:
    """Read the file on standard input; write a `PlanSheet` or `RefusedSheet` as MessagePack."""
    content = sys.stdin.buffer.read()
    _limit()
    said: PlanSheet | RefusedSheet
    try:
        said = read_file(content, most_rows=most_rows)
    except SheetError as error:
        said = error.refused
    except MemoryError:
        said = RefusedSheet("too-large", TOO_COSTLY)
    except BaseException:  # a panic of the reader of workbooks is no Exception
        said = RefusedSheet("unreadable", "The file is damaged: nobody can read it.")
    sys.stdout.buffer.write(msgspec.msgpack.encode(said))
    sys.stdout.buffer.flush()


def read_file(content: bytes, *, most_rows: int) -> PlanSheet:
    """Read a file by what it is, whatever it is called.

    Raises:
        SheetError: it cannot be read.
    """
    head = content[:1024].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if content.startswith((b"PK\x03\x04", _OLE)):
        sheet = read_workbook(content, most_rows=most_rows)
    elif other := next((name for magic, name in _OTHER.items() if content.startswith(magic)), None):
        raise SheetError("no-sheet", f"This is {other}, no sheet. Send CSV, XLSX, XLS or ODS.")
    elif head.startswith(_PAGE):
        why = (
            "This is a web page or XML under the name of a sheet: open it in your spreadsheet program, save it as XLSX."
        )
        raise SheetError("no-sheet", why)
    else:
        sheet = read_text(content, most_rows=most_rows)
    if not sheet.rows:
        raise SheetError("unreadable", "There is nothing in the file.")
    return sheet


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a sheet is nobody's but its planner's
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_S, MOST_S))
    said = Path("/proc/self/statm")
    if said.exists():  # elsewhere nobody holds to it
        now = int(said.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MOST_BYTES, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(int(sys.argv[1]))
