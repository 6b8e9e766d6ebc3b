"""Numbers as people write them: 12.500,00 and 12,500.00, with a unit or a currency beside them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from work.imports.sheet import Cell

Mark: TypeAlias = Literal[".", ","]

_NUMBER = re.compile(r"[-+]?\d[\d.,']*")
_GROUPED = re.compile(r"[-+]?\d{1,3}([.,]\d{3})+")

CURRENCIES = frozenset(
    (
        *("ARS", "BOB", "BRL", "CLP", "COP", "CRC", "CUP", "DOP", "GTQ", "HNL", "MXN"),
        *("NIO", "PAB", "PEN", "PYG", "SVC", "UYU", "VES", "USD", "CAD", "EUR", "GBP"),
    )
)
_SIGNS = {"R$": "BRL", "US$": "USD", "U$S": "USD", "USD$": "USD", "COL$": "COP", "MX$": "MXN", "S/": "PEN", "€": "EUR"}


class CellError(Exception):
    """A cell does not mean what its column is for; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberStyle:
    """What stands before the decimals of a column. `is_sure`: a cell shows it; else it is the language's way."""

    mark: Mark
    is_sure: bool = True


def style_of(cells: Iterable[Cell], *, usual: Mark) -> NumberStyle | None:
    """Find out how a column writes its numbers; None: no cell of it can be read in two ways.

    Raises:
        CellError: some of them are written in one way, some in another.
    """
    told = {_mark_of(text) for one in cells if isinstance(one, str) and (text := _digits(one)) is not None}
    shown: list[Mark] = [mark for mark in (".", ",") if mark in told]
    if len(shown) > 1:
        raise CellError("some numbers have a comma before their decimals, others a point")
    if shown:
        return NumberStyle(mark=shown[0])
    return NumberStyle(mark=usual, is_sure=False) if "either" in told else None


def _mark_of(text: str) -> Mark | Literal["either", "none"]:
    """Tell what stands before the decimals of a number, as far as it shows that."""
    if "." in text and "," in text:
        return "," if text.rfind(",") > text.rfind(".") else "."
    separator: Mark = "." if "." in text else ","
    if separator not in text:
        return "none"
    if not _GROUPED.fullmatch(text):
        return separator
    if text.count(separator) == 1:
        return "either"
    return "," if separator == "." else "."


def number_of(cell: Cell, mark: Mark | None) -> float:
    """Read a number; a unit or currency beside it is passed over.

    Args:
        mark: what stands before decimals; None: any single one does, as in degrees.

    Raises:
        CellError: it is none.
    """
    if isinstance(cell, float):
        return cell
    text = _digits(cell)
    if text is None:
        raise CellError("must be a number")
    if mark is None:
        return _float(text.replace(",", "."))
    return _float(text.replace("," if mark == "." else ".", "").replace(mark, "."))


def currency_in(text: str) -> str | None:
    """Find the currency that is named in a cell or a heading, as ISO 4217 has it; a bare $ is anybody's."""
    upper = text.upper()
    named: list[str] = [word for word in re.findall(r"\b[A-Z]{3}\b", upper) if word in CURRENCIES]
    if named:
        return named[0]
    return next((code for sign, code in sorted(_SIGNS.items(), key=lambda one: -len(one[0])) if sign in upper), None)


def _digits(cell: Cell) -> str | None:
    """Give the number in a cell as it is written, without grouping by spaces; None: there is none, or more than one."""
    text = re.sub(r"(?<=\d)[\s']+(?=\d)", "", str(cell or "").lstrip("'"))
    found: list[str] = _NUMBER.findall(text)
    return str(found[0]).rstrip(".,") if len(found) == 1 and len(found[0]) <= 40 else None


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise CellError("must be a number") from None
