"""Every report by its name: how it is read, and what its rows are."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import phonenumbers

from api.http.ids import DRIVER, shown
from api.http.problem import Unavailable
from api.reports.rows import (
    CashCollected,
    MessagesSent,
    Outcomes,
    PlanVsActual,
    Punctuality,
    Ratings,
    ReportRow,
    ServiceTimes,
    by_country,
)
from sql.pool import Pool
from sql.reports import kept, paid
from sql.reports.asked import ToursAsked


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportKind:
    """A report."""

    row: type[ReportRow]
    read: Callable[[Pool, ToursAsked], Awaitable[list[asyncpg.Record]]]


REPORTS: Mapping[str, ReportKind] = {
    "punctuality": ReportKind(row=Punctuality, read=kept.read_punctuality),
    "plan-vs-actual": ReportKind(row=PlanVsActual, read=kept.read_plan_vs_actual),
    "service-times": ReportKind(row=ServiceTimes, read=kept.read_service_times),
    "reasons": ReportKind(row=Outcomes, read=kept.read_reasons),
    "messages": ReportKind(row=MessagesSent, read=paid.read_messages),
    "ratings": ReportKind(row=Ratings, read=paid.read_ratings),
    "cash": ReportKind(row=CashCollected, read=paid.read_cash),
}

_NORTH_AMERICA, _ANY_NUMBER = 1, "2345678"


async def rows_of(pool: Pool, name: str, asked: ToursAsked) -> list[Any]:
    """Read a report of `REPORTS`: rows of its type, of all first."""
    kind = REPORTS[name]
    found = await kind.read(pool, asked)
    rows = by_country(found, _country_of) if kind.row is MessagesSent else [dict(row) for row in found]
    return [kind.row(**{**row, "of": shown(DRIVER, row["of"]) if _has_driver(row) else row["of"]}) for row in rows]


@contextmanager
def in_time() -> Iterator[None]:
    """Say in words when the database takes too long over a report.

    Raises:
        Unavailable: it does.
    """
    try:
        yield
    except asyncpg.QueryCanceledError as error:
        raise Unavailable("That took too long. Ask for a shorter period, or try again when less is asked.") from error


def _has_driver(row: Mapping[str, Any]) -> bool:
    return row["by"] == "driver" and row["of"] is not None


def _country_of(begins: str) -> str | None:
    """Give the country of numbers that begin so (ISO 3166-1 alpha-2): where several share a code, the largest of them,
    but for North America, where the next three digits tell."""
    try:
        number = phonenumbers.parse(begins + _ANY_NUMBER)
    except phonenumbers.NumberParseException:
        return None
    code = number.country_code or 0
    shared = code == _NORTH_AMERICA
    region = phonenumbers.region_code_for_number(number) if shared else phonenumbers.region_code_for_country_code(code)
    return region if region not in (None, "ZZ", "001") else None
