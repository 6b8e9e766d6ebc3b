"""Reports: how well the promises were kept."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec
from aiohttp import web

from api.history.tables import csv_of
from api.http.app_keys import POOL, now_of
from api.http.auth import caller_of
from api.http.ids import ROUTE
from api.http.media import JSON, MSGPACK, answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import FieldError, Invalid
from api.http.refs import driver_named, ref_of
from api.http.times import time_in
from geo.eta.score import bucket_name
from sql.delivery.routes import find_route
from sql.eta.told import AccuracyRow, read_accuracy

operations = Operations("reports")

LONGEST = timedelta(days=92)
"""A report looks at every ETA of its period."""

_USUAL = timedelta(days=7)
_TIME = {"type": "string", "format": "date-time"}


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """How well arrivals of some leads were told, seconds.

    `lead_min`: minutes from when it was told to when the van was expected; `all`: any.
    `source`: our ETAs, what the planned times alone would have said, or those and the delay then; the last two have no
    windows and count only stops with planned times.
    Of `n` arrivals: mean, median and 90th percentile of the absolute error; `bias_s`, the mean error, is positive when
    vans came sooner than told; `coverage` is the part that came within the window, which is to be 0.8; `width_s` is how
    wide windows were; `score_s`, the interval score, puts both into one number: less is better.
    """

    lead_min: str
    source: Literal["eta", "timetable", "timetable_and_delay"]
    n: int
    mae_s: float
    median_s: float
    p90_s: float
    bias_s: float
    coverage: float | None
    width_s: float | None
    score_s: float | None


class AccuracyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was told in a period, of which the van has come since."""

    since: datetime = msgspec.field(name="from")
    until: datetime = msgspec.field(name="to")
    rows: list[Accuracy]


@operations.operation(
    "GET",
    "/v1/reports/eta-accuracy",
    who=Who.VIEWER,
    answer=AccuracyReport,
    query=(
        Parameter(name="from", description="Told at or after; a week before `to` unless given.", schema=_TIME),
        Parameter(name="to", description="Told before; now unless given.", schema=_TIME),
        Parameter(name="driver", description="Only of this driver."),
        Parameter(name="route", description="Only of this route."),
        Parameter(name="format", description="`csv` for a table.", schema={"type": "string", "enum": ["csv"]}),
    ),
    media=(JSON, MSGPACK, "text/csv"),
)
async def get_eta_accuracy(request: web.Request) -> web.Response:
    """Tell how well arrivals were foretold, by how long before.

    Of each stop the first ETA told in each range of leads counts, against the first arrival after it by its visits.
    """
    pool, account_id = request.app[POOL], caller_of(request).account_id
    until = time_in(request, "to") or now_of(request)
    since = time_in(request, "from") or until - _USUAL
    if not timedelta(0) < until - since <= LONGEST:
        why = f"must be before `to`, by at most {LONGEST.days} days"
        raise Invalid("This is no period of a report.", errors=[FieldError(at="from", why=why)])
    kind = request.query.get("format", "")
    if kind not in ("", "csv"):
        raise Invalid("This format is not written here.", errors=[FieldError(at="format", why="must be csv")])
    driver_id, route_id = await _driver_asked(request), await _route_asked(request)
    found = await read_accuracy(pool, account_id, since=since, until=until, driver_id=driver_id, route_id=route_id)
    report = AccuracyReport(since=since, until=until, rows=[accuracy_of(row) for row in found])
    if not kind:
        return answer(request, report)
    headers = {"Content-Disposition": 'attachment; filename="eta-accuracy.csv"'}
    table = csv_of(Accuracy.__struct_fields__, map(msgspec.structs.astuple, report.rows))
    return web.Response(body=table, content_type="text/csv", charset="utf-8", headers=headers)


async def _driver_asked(request: web.Request) -> int | None:
    name = request.query.get("driver", "")
    driver = await driver_named(request.app[POOL], caller_of(request).account_id, name)
    if name and driver is None:
        raise Invalid("There is no such driver.", errors=[FieldError(at="driver", why=f"there is no driver {name!r}")])
    return driver.id if driver else None


async def _route_asked(request: web.Request) -> int | None:
    name = request.query.get("route", "")
    ref = ref_of(ROUTE, name) if name else None
    route = ref and await find_route(
        request.app[POOL], account_id=caller_of(request).account_id, route_id=ref.id, external_id=ref.external_id
    )
    if name and not route:
        raise Invalid("There is no such route.", errors=[FieldError(at="route", why=f"there is no route {name!r}")])
    return route.id if route else None


def accuracy_of(row: AccuracyRow) -> Accuracy:
    """Show a row, rounded."""
    return Accuracy(
        lead_min="all" if row.bucket is None else bucket_name(row.bucket),
        source=row.source,
        n=row.n,
        mae_s=round(row.mae_s, 1),
        median_s=round(row.median_s, 1),
        p90_s=round(row.p90_s, 1),
        bias_s=round(row.bias_s, 1),
        coverage=None if row.coverage is None else round(row.coverage, 3),
        width_s=None if row.width_s is None else round(row.width_s, 1),
        score_s=None if row.score_s is None else round(row.score_s, 1),
    )
