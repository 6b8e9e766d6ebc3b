"""What can be exported: columns, formats, and how rows are read, some at a time."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias

import asyncpg

from api.exports.columns import Table, columns, values_of
from api.history.gait import Gait
from api.history.reports import accuracy_of
from api.history.track import columns_of
from api.http import ids
from api.http.auth import Role
from api.reports.kinds import REPORTS, in_time, rows_of
from api.reports.period import Period
from api.reports.rows import ReportRow
from sql.eta.told import read_accuracy
from sql.feed.events import events_numbered, read_events
from sql.pings.trace import NOWHERE, LastPing, read_track
from sql.pool import Pool
from sql.reports import exports
from sql.reports.asked import ToursAsked

TOURS_AT_ONCE = 10
"""Of which rows are read in one statement: a thousand stops or so."""

PAGE = 2_000
"""Rows read in one statement where they are of no tours."""

_NUMBERED_LATE = timedelta(minutes=15)
"""An entry of the feed may have its place after others that became known later."""

_INCLUSIVE = timedelta(milliseconds=1)  # a tour takes pings until and with its end

Rows: TypeAlias = AsyncGenerator[list[list[Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAsked:
    """What is exported.

    Attributes:
        form: the ending of the file.
    """

    pool: Pool
    tours: ToursAsked
    period: Period
    form: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """What can be exported.

    Attributes:
        forms: endings of files that make sense.
        role: who may read it elsewhere.
        only: what can be asked for beside a period.
        of_people: where somebody was, lives, or can be reached: that it was exported is noted.
    """

    table: Table
    forms: Sequence[str]
    read: Callable[[ExportAsked], Rows]
    role: Role = Role.VIEWER
    only: Sequence[str] = ("driver", "depot")
    of_people: bool = True


_TABLES = ("csv", "xlsx", "parquet")
_MAPS = ("geojson", "gpx", "kml")


def _of_tours(table: Table, read: Callable[[Pool, Sequence[int]], Awaitable[list[asyncpg.Record]]]) -> Any:
    async def rows(asked: ExportAsked) -> Rows:
        async for route_ids in _tours(asked):
            yield values_of(table, await read(asked.pool, route_ids))

    return rows


async def _tours(asked: ExportAsked) -> AsyncIterator[list[int]]:
    every = await exports.tour_ids(asked.pool, asked.tours)
    for start in range(0, len(every), TOURS_AT_ONCE):
        yield every[start : start + TOURS_AT_ONCE]


_ROUTES = columns(
    "id external_id date:d timezone status driver_id driver_external_id driver_name depot_name depot_lat:f depot_lon:f"
    " start_at:t end_at:t started_at:t finished_at:t version:i return_to_depot:b path_source length_m:f stops:i done:i"
    " failed:i skipped:i left_open:i",
    own=ids.ROUTE,
)
_STOPS = columns(
    "id external_id route_id route_external_id date:d timezone driver_id driver_name seq:i kind status removed:b name"
    " address lat:f lon:f phone email locale window_start:t window_end:t planned_arrival:t arrived_at:t departed_at:t"
    " outcome_at:t reason service_s:f parcels:i cash_amount:f cash_currency instructions",
    own=ids.STOP,
)
_VISITS = columns(
    "route_id route_external_id date:d timezone stop_id stop_external_id driver_id arrived_at:t departed_at:t source"
    " certainty:f lat:f lon:f"
)
_PROOFS = columns(
    "id stop_id stop_external_id route_id date:d timezone driver_id kind state why taken_at:t lat:f lon:f filename"
    " size:i sha256 type whole:b stored_at:t",
    own=ids.PROOF,
)
_MESSAGES = columns(
    "id stop_id route_id date:d timezone kind channel to locale state why subject body parts:i price:f provider_id"
    " attempts:i created_at:t sent_at:t delivered_at:t",
    own=ids.MESSAGE,
)
_ORDERS = columns(
    "id external_id state quality lat:f lon:f depot earliest:d latest:d route_id stop_status name address phone email"
    " kind instructions source cash_amount:f cash_currency",
    own=ids.ORDER,
)
_EVENTS = columns(
    "seq:i fact_id revision:i state type occurred_at:t known_at:t driver_id route_id stop_id geofence_id late:b data:j"
)
_TRACK = columns(
    "route_id device_id time:t received_at:t lat:f lon:f accuracy_m:f speed_mps:f heading_deg:f snapped_lat:f"
    " snapped_lon:f along_m:f offset_m:f on_route:b believed:b flags route_version:i on_foot:b"
)


_ACCURACY = columns("lead_min source n:i mae_s:f median_s:f p90_s:f bias_s:f coverage:f width_s:f score_s:f")


async def _routes(asked: ExportAsked) -> Rows:
    with_paths = asked.form == "geojson"
    async for route_ids in _tours(asked):
        rows = await exports.routes_of(asked.pool, route_ids, with_paths=with_paths)
        paths = [[row["path"]] if with_paths else [] for row in rows]
        yield [values + path for values, path in zip(values_of(_ROUTES, rows), paths, strict=True)]


async def _orders(asked: ExportAsked) -> Rows:
    period, after = asked.period, (date.min, 0)
    first = period.first_day or period.since.date()
    last = period.last_day or period.until.date()
    while True:
        rows = await exports.page_of_orders(asked.pool, asked.tours.account_id, first, last, after=after, limit=PAGE)
        yield values_of(_ORDERS, rows)
        if len(rows) < PAGE:
            return
        after = rows[-1]["latest"], rows[-1]["id"]


async def _events(asked: ExportAsked) -> Rows:
    """Entries that became known in the period."""
    pool, account_id = asked.pool, asked.tours.account_id
    since, until = _by_utc(asked.period)
    head = await events_numbered(pool, account_id)
    after = await exports.first_known(pool, account_id, since - _NUMBERED_LATE, head) - 1
    while after < head:
        entries = await read_events(pool, account_id, after=after, until=head, types=None, limit=PAGE)
        if not entries:
            return
        wanted = [entry for entry in entries if since <= entry.known_at < until]
        yield values_of(_EVENTS, ({column.name: getattr(entry, column.name) for column in _EVENTS} for entry in wanted))
        if entries[0].known_at >= until + _NUMBERED_LATE:
            return
        after = entries[-1].seq


def _by_utc(period: Period) -> tuple[datetime, datetime]:
    """Give begin and end of what is of no tour, and so has no zone: days are those of UTC."""
    if period.first_day is None or period.last_day is None:
        return period.since, period.until
    first, last = (datetime.combine(day, time(), UTC) for day in (period.first_day, period.last_day))
    return first, last + timedelta(days=1)


async def _accuracy(asked: ExportAsked) -> Rows:
    since, until = _by_utc(asked.period)
    tours = asked.tours
    with in_time():
        found = await read_accuracy(
            asked.pool, tours.account_id, since=since, until=until, driver_id=tours.driver_id, route_id=None
        )
    yield [[getattr(accuracy_of(row), column.name) for column in _ACCURACY] for row in found]


async def _track(asked: ExportAsked) -> Rows:
    async for route_ids in _tours(asked):
        for span in await exports.spans_of(asked.pool, route_ids):
            after = NOWHERE
            while True:
                pings = await read_track(
                    asked.pool,
                    span.driver_ids,
                    since=span.since,
                    until=span.until + _INCLUSIVE,
                    route_id=span.id,
                    after=after,
                    limit=PAGE,
                )
                if pings:
                    gait = await Gait.read(asked.pool, pings)
                    yield await asyncio.to_thread(_pings, span.id, pings, gait)
                if len(pings) < PAGE:
                    break
                last = pings[-1]
                after = LastPing(**{name: last[name] for name in ("recorded_at", "lat_e6", "lon_e6", "device_id")})


def _pings(route_id: int, pings: Sequence[asyncpg.Record], gait: Gait) -> list[list[Any]]:
    named = columns_of(pings, gait)
    route = ids.shown(ids.ROUTE, route_id)
    devices = [ids.shown(ids.DEVICE, ping["device_id"]) for ping in pings]
    return [list(row) for row in zip([route] * len(pings), devices, *named.values(), strict=True)]


def _report(name: str) -> Thing:
    row = REPORTS[name].row
    table = _columns_of_report(row)

    async def rows(asked: ExportAsked) -> Rows:
        with in_time():
            found = await rows_of(asked.pool, name, asked.tours)
        yield [[getattr(one, column.name) for column in table] for one in found]

    return Thing(table=table, forms=("csv", "xlsx"), read=rows, of_people=False)


def _columns_of_report(row: type[ReportRow]) -> Table:
    numbers = [name for name in row.__struct_fields__ if name not in ("by", "of", "name", "currency")]
    return columns(" ".join(f"{name}:f" if name in numbers else name for name in row.__struct_fields__))


THINGS: Mapping[str, Thing] = {
    "routes": Thing(table=_ROUTES, forms=(*_TABLES, "geojson"), read=_routes),
    "stops": Thing(table=_STOPS, forms=(*_TABLES, *_MAPS), read=_of_tours(_STOPS, exports.stops_of)),
    "visits": Thing(table=_VISITS, forms=(*_TABLES, "geojson"), read=_of_tours(_VISITS, exports.visits_of)),
    "proofs": Thing(table=_PROOFS, forms=(*_TABLES, "geojson"), read=_of_tours(_PROOFS, exports.proofs_of)),
    "messages": Thing(
        table=_MESSAGES, forms=_TABLES, read=_of_tours(_MESSAGES, exports.messages_of), role=Role.SUPPORT
    ),
    "orders": Thing(table=_ORDERS, forms=(*_TABLES, "geojson"), read=_orders, only=()),
    "events": Thing(table=_EVENTS, forms=_TABLES, read=_events, only=()),
    "track": Thing(table=_TRACK, forms=(*_TABLES, *_MAPS), read=_track),
    **{f"report-{name}": _report(name) for name in REPORTS},
    "report-eta-accuracy": Thing(
        table=_ACCURACY, forms=("csv", "xlsx"), read=_accuracy, only=("driver",), of_people=False
    ),
}
