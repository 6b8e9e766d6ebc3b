"""Reports as dispatchers ask for them."""

from typing import Any, cast

import msgspec
from aiohttp import web
from msgspec import Struct

from api.history.tables import csv_of
from api.http.app_keys import POOL
from api.http.media import JSON, MSGPACK, answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import FieldError
from api.http.read.bodies import refuse
from api.reports.kinds import REPORTS, in_time, rows_of
from api.reports.period import TOURS, period_in, tours_in
from api.reports.rows import (
    NOTHING_RATED,
    CashCollected,
    MessagesSent,
    Outcomes,
    PlanVsActual,
    Punctuality,
    Ratings,
    ServiceTimes,
)

operations = Operations("reports")

_QUERY = (
    *TOURS,
    Parameter(name="format", description="`csv` for a table.", schema={"type": "string", "enum": ["csv"]}),
)
_MEDIA = (JSON, MSGPACK, "text/csv")


class ReportPeriod(Struct, frozen=True, kw_only=True):
    """The period of a report: two days, both part of it, or two times, of which the second is not."""

    since: str = msgspec.field(name="from")
    until: str = msgspec.field(name="to")


class PunctualityReport(ReportPeriod, frozen=True, kw_only=True):
    """By day, driver and depot."""

    totals: Punctuality
    rows: list[Punctuality]


class PlanVsActualReport(ReportPeriod, frozen=True, kw_only=True):
    """By day, driver and depot."""

    totals: PlanVsActual
    rows: list[PlanVsActual]


class ServiceTimesReport(ReportPeriod, frozen=True, kw_only=True):
    """By day, driver, kind of stop, and place: of the 200 places with most stops."""

    totals: ServiceTimes
    rows: list[ServiceTimes]


class OutcomesReport(ReportPeriod, frozen=True, kw_only=True):
    """By day, driver and reason."""

    totals: Outcomes
    rows: list[Outcomes]


class MessagesReport(ReportPeriod, frozen=True, kw_only=True):
    """By day, channel, kind and country."""

    totals: MessagesSent
    rows: list[MessagesSent]


class RatingsReport(ReportPeriod, frozen=True, kw_only=True):
    """By day, driver, and reason that recipients chose."""

    totals: Ratings
    rows: list[Ratings]


class CashReport(ReportPeriod, frozen=True, kw_only=True):
    """By day and driver; one line of totals for each currency: they are never added up."""

    totals: list[CashCollected]
    rows: list[CashCollected]


@operations.operation(
    "GET", "/v1/reports/punctuality", who=Who.VIEWER, answer=PunctualityReport, query=_QUERY, media=_MEDIA
)
async def get_punctuality_report(request: web.Request) -> web.Response:
    """Tell how promises were kept, the first one and the last one, and how much came on time and in full."""
    return await _answered(request, PunctualityReport, "punctuality")


@operations.operation(
    "GET", "/v1/reports/plan-vs-actual", who=Who.VIEWER, answer=PlanVsActualReport, query=_QUERY, media=_MEDIA
)
async def get_plan_vs_actual_report(request: web.Request) -> web.Response:
    """Hold tours against their plans: stops, order, times, minutes, detours."""
    return await _answered(request, PlanVsActualReport, "plan-vs-actual")


@operations.operation(
    "GET", "/v1/reports/service-times", who=Who.VIEWER, answer=ServiceTimesReport, query=_QUERY, media=_MEDIA
)
async def get_service_times_report(request: web.Request) -> web.Response:
    """Tell how long vans were at stops, against what was planned."""
    return await _answered(request, ServiceTimesReport, "service-times")


@operations.operation("GET", "/v1/reports/reasons", who=Who.VIEWER, answer=OutcomesReport, query=_QUERY, media=_MEDIA)
async def get_reasons_report(request: web.Request) -> web.Response:
    """Tell what became of stops and why, and how much was done at the first attempt."""
    return await _answered(request, OutcomesReport, "reasons")


@operations.operation("GET", "/v1/reports/messages", who=Who.VIEWER, answer=MessagesReport, query=_QUERY, media=_MEDIA)
async def get_messages_report(request: web.Request) -> web.Response:
    """Tell what was sent to recipients of tours, what became of it, and what it cost."""
    return await _answered(request, MessagesReport, "messages")


@operations.operation("GET", "/v1/reports/ratings", who=Who.VIEWER, answer=RatingsReport, query=_QUERY, media=_MEDIA)
async def get_ratings_report(request: web.Request) -> web.Response:
    """Tell what recipients thought."""
    return await _answered(request, RatingsReport, "ratings")


@operations.operation("GET", "/v1/reports/cash", who=Who.VIEWER, answer=CashReport, query=_QUERY, media=_MEDIA)
async def get_cash_report(request: web.Request) -> web.Response:
    """Tell what was to be collected in cash and what drivers say they took."""
    return await _answered(request, CashReport, "cash")


async def _answered(request: web.Request, kind: type[ReportPeriod], name: str) -> web.Response:
    form = request.query.get("format", "")
    if form not in ("", "csv"):
        refuse([FieldError(at="format", why="must be csv; GET /v1/exports has other kinds of files")])
    period = period_in(request)
    asked = await tours_in(request, period)
    with in_time():
        rows = await rows_of(request.app[POOL], name, asked)
    if not form:
        parts = {"since": period.shown[0], "until": period.shown[1], "totals": _totals(kind, rows)}
        return answer(request, cast(Any, kind)(**parts, rows=[row for row in rows if row.by != "all"]))
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    table = csv_of(REPORTS[name].row.__struct_fields__, map(msgspec.structs.astuple, rows))
    return web.Response(body=table, content_type="text/csv", charset="utf-8", headers=headers)


def _totals(kind: type[ReportPeriod], rows: list[Any]) -> Any:
    totals = [row for row in rows if row.by == "all"]
    if kind is CashReport:
        return totals
    return totals[0] if totals else NOTHING_RATED
