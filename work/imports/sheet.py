"""A sheet as it is kept until it is done: rows of text and numbers."""

from typing import Literal, TypeAlias

import msgspec

Cell: TypeAlias = str | float | None
"""Text without spaces around it, a number of a workbook, or None: nothing is there. A workbook's days and times are
text: 2026-12-01, 2026-12-01T09:30:00, 09:30:00."""

LONGEST_CELL = 5_000
"""Characters; what is longer is cut to one more than that: no field takes so many."""

MOST_COLUMNS = 200
"""A planner's sheet has a few dozen."""

TOO_COSTLY = "The file takes too much to read: delete empty rows and columns around the table, or send it in parts."

Refusal: TypeAlias = Literal["no-sheet", "unreadable", "too-large"]


class SheetRow(msgspec.Struct, frozen=True, array_like=True):
    """A row that is not empty. `number`: as a spreadsheet program counts, from 1."""

    number: int
    cells: list[Cell]

    def cell(self, column: int) -> Cell:
        """Give a cell; None beyond the row's end."""
        return self.cells[column] if column < len(self.cells) else None


class PlanSheet(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a file holds.

    Attributes:
        name: of the sheet of a workbook; None: it is a text file.
        others: sheets of the same workbook that were not read.
    """

    name: str | None
    others: list[str]
    rows: list[SheetRow]


class RefusedSheet(msgspec.Struct, frozen=True, tag=True):
    """It cannot be read; `why` is a sentence for whoever sent it."""

    kind: Refusal
    why: str


class SheetError(Exception):
    """A file cannot be read."""

    def __init__(self, kind: Refusal, why: str) -> None:
        super().__init__(why)
        self.refused = RefusedSheet(kind, why)
