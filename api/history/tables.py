"""Tables for spreadsheets and scripts: CSV (RFC 4180)."""

import csv
import io
import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import msgspec

_FORMULA = re.compile(r"[=+\-@\t\r]")
_PHONE = re.compile(r"\+[0-9 ]{5,20}")  # a spreadsheet makes a number of it, and nothing else


def csv_of(names: Iterable[str], rows: Iterable[Iterable[Any]]) -> bytes:
    """Write a table with a line of names. None is an empty cell, the words of a list have a space between them."""
    return csv_lines([names]) + csv_lines(rows)


def csv_lines(rows: Iterable[Iterable[Any]]) -> bytes:
    """Write lines of a table. Text that a spreadsheet would take for a formula has an apostrophe before it."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def time_text(time: datetime) -> str:
    """Write a time to the millisecond with its zone, as all programs read it; UTC as Z."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def plain(value: Any) -> Any:
    """Write what no table has as text: times, days, lists of words, objects; numbers and truths stay as they are."""
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return " ".join(value)
    return msgspec.json.encode(value).decode() if isinstance(value, dict) else value


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = plain(value)
    if isinstance(text, str) and _FORMULA.match(text) and not _PHONE.fullmatch(text):
        return f"'{text}"
    return text
