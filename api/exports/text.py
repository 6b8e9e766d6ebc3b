"""What all kinds of files write alike: lines of CSV, text in XML."""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from api.exports.columns import Table
from api.history.tables import csv_lines

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that no XML may hold, written in whatever way."""

XML_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def xml_text(text: str) -> str:
    """Write text between tags, without what XML cannot hold."""
    return escape(_NOT_XML.sub("", text))


class FileWriter(ABC):
    """Writes a table as a file, piece by piece."""

    @abstractmethod
    def begin(self) -> bytes: ...

    @abstractmethod
    def rows(self, rows: Sequence[Sequence[Any]]) -> bytes: ...

    @abstractmethod
    def end(self) -> bytes: ...

    def close(self) -> None:  # noqa: B027 (most have nothing to let go of)
        """Let go of what is held beside, however it ended: nothing."""


class Csv(FileWriter):
    """RFC 4180 in UTF-8 without a mark before it, for programs; who opens it in a spreadsheet wants a workbook."""

    def __init__(self, _title: str, table: Table) -> None:
        self._names = [column.name for column in table]

    def begin(self) -> bytes:
        """Write the line of names."""
        return csv_lines([self._names])

    def rows(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """Write some rows."""
        return csv_lines(rows)

    def end(self) -> bytes:
        """Write what comes after the last row: nothing."""
        return b""
