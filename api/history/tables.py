"""Tables for spreadsheets and scripts: CSV (RFC 4180)."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Any


def csv_of(names: Iterable[str], rows: Iterable[Iterable[Any]]) -> bytes:
    """Write a table with a line of names. None is an empty cell, the words of a list have a space between them."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(names)
    lines.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def time_text(time: datetime) -> str:
    """Write a time of UTC to the millisecond, as all programs read it."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return time_text(value)
    return " ".join(value) if isinstance(value, list) else value
