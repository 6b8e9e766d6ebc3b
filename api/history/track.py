"""Tracks: the pings of a route or a driver, with how each was judged."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeAlias

import asyncpg
import msgspec
from aiohttp import web

from api.history.formats import FORMATS, write
from api.history.gait import Gait
from api.http.app_keys import CONFIG, POOL, now_of
from api.http.ids import DRIVER, ROUTE, shown
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.paging import PAGING, Id, Micros, cursor_in, cursor_of, limit_in, micros_of, time_of
from api.http.problem import FieldError, Invalid
from api.http.refs import driver_in_path, of_route_in_path
from api.http.times import time_in
from geo.trust.clean import names
from sql.pings.trace import NOWHERE, LastPing, read_track, track_of_route

operations = Operations("tracks")

PINGS_TO_THINGS = 10
"""A page of a track holds so many times more than a page of other lists: a ping is small."""

_E6: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]

_TIME = {"type": "string", "format": "date-time"}
_DAY = timedelta(days=1)
_INCLUSIVE = timedelta(milliseconds=1)  # a route takes pings until and with its end
_PAGE = (
    *PAGING,
    Parameter(
        name="format",
        description="The same page as a file; the next one is in the header `Link`.",
        schema={"type": "string", "enum": [*FORMATS]},
    ),
)
_MEDIA = ("application/json", "application/msgpack", *(one.media for one in FORMATS.values()))


class TrackColumns(msgspec.Struct, frozen=True, kw_only=True):
    """Pings as columns of one length, in the order of time.

    Attributes:
        time: by the phone's clock; received_at: by ours.
        lat, lon: the phone's own place; snapped_lat, snapped_lon: that place on the route's path.
        along_m: metres along the path; offset_m: beside it, left is positive. Null off the route.
        believed: whether the ping counts; null until it has been judged.
        on_foot: whether the driver was on foot, or sat in the parked van; null where the ping does not count.
        flags: why not, and what was repaired.
        route_version: the version of the route it was judged by.
    """

    time: list[datetime]
    received_at: list[datetime]
    lat: list[float]
    lon: list[float]
    accuracy_m: list[float | None]
    speed_mps: list[float | None]
    heading_deg: list[float | None]
    snapped_lat: list[float | None]
    snapped_lon: list[float | None]
    along_m: list[float | None]
    offset_m: list[float | None]
    on_route: list[bool | None]
    believed: list[bool | None]
    flags: list[list[str]]
    route_version: list[int | None]
    on_foot: list[bool | None]


class TrackPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a track; `next` is the cursor of the next page, null on the last."""

    columns: TrackColumns
    next: str | None


@operations.operation("GET", "/v1/routes/{route}/track", who=Who.VIEWER, answer=TrackPage, query=_PAGE, media=_MEDIA)
async def get_route_track(request: web.Request) -> web.Response:
    """Read the pings of a route.

    Those that were judged to be on this route, in the order of time, at most 10 000 a page.
    """
    route = await of_route_in_path(request, track_of_route)
    return await _page(
        request, shown(ROUTE, route.id), route.driver_ids, route.since, route.until + _INCLUSIVE, route_id=route.id
    )


@operations.operation(
    "GET",
    "/v1/drivers/{driver}/track",
    who=Who.VIEWER,
    answer=TrackPage,
    query=(
        Parameter(name="from", description="Recorded at or after; a day before `to` unless given.", schema=_TIME),
        Parameter(name="to", description="Recorded before; no end unless given.", schema=_TIME),
        *_PAGE,
    ),
    media=_MEDIA,
)
async def get_driver_track(request: web.Request) -> web.Response:
    """Read the pings of a driver.

    On any route or none, in the order of time, at most 10 000 a page.
    """
    driver = await driver_in_path(request)
    now = now_of(request)
    until = time_in(request, "to")
    since = time_in(request, "from") or (until or now) - _DAY
    until = until or now + 2 * _DAY  # a phone's clock may be a day ahead
    if since >= until:
        raise Invalid("This is no stretch of time.", errors=[FieldError(at="from", why="must be before `to`")])
    return await _page(request, shown(DRIVER, driver.id), [driver.id], since, until)


async def _page(
    request: web.Request,
    title: str,
    driver_ids: Sequence[int],
    since: datetime,
    until: datetime,
    *,
    route_id: int | None = None,
) -> web.Response:
    limit = _limit(request)
    kind = request.query.get("format", "")
    if kind and kind not in FORMATS:
        why = f"must be one of {', '.join(FORMATS)}"
        raise Invalid("This format is not written here.", errors=[FieldError(at="format", why=why)])
    cursor = cursor_in(request, tuple[Micros, _E6, _E6, Id])
    after = NOWHERE if cursor is None else _place(*cursor)
    pings = await read_track(
        request.app[POOL], driver_ids, since=since, until=until, route_id=route_id, after=after, limit=limit
    )
    following = _cursor_after(pings[-1]) if len(pings) == limit else None
    gait = await Gait.read(request.app[POOL], pings)
    # tens of milliseconds for a full page: others are served meanwhile
    columns = await asyncio.to_thread(columns_of, pings, gait)
    if not kind:
        return answer(request, {"columns": columns, "next": following})
    headers = {"Content-Disposition": f'attachment; filename="{title}.{FORMATS[kind].ending}"'}
    if following is not None:
        headers["Link"] = f'<{request.rel_url.update_query(cursor=following)}>; rel="next"'
    body = await asyncio.to_thread(write, kind, title, columns)
    return web.Response(body=body, content_type=FORMATS[kind].media, headers=headers)


def _limit(request: web.Request) -> int:
    most = request.app[CONFIG].max_page * PINGS_TO_THINGS
    return limit_in(request, most) if request.query.get("limit") else most


def _cursor_after(ping: asyncpg.Record) -> str:
    return cursor_of(micros_of(ping["recorded_at"]), ping["lat_e6"], ping["lon_e6"], ping["device_id"])


def _place(micros: int, lat_e6: int, lon_e6: int, device_id: int) -> LastPing:
    return LastPing(recorded_at=time_of(micros), lat_e6=lat_e6, lon_e6=lon_e6, device_id=device_id)


def columns_of(pings: Sequence[asyncpg.Record], gait: Gait) -> dict[str, list[Any]]:
    """Turn records into the columns of `TrackColumns`."""
    reasons: dict[int, list[str]] = {}  # few combinations occur, and most pings have none
    for flags in {ping["flags"] for ping in pings}:
        reasons[flags] = names(flags)
    return {
        "time": [ping["recorded_at"] for ping in pings],
        "received_at": [ping["received_at"] for ping in pings],
        "lat": [ping["lat_e6"] / 1e6 for ping in pings],
        "lon": [ping["lon_e6"] / 1e6 for ping in pings],
        "accuracy_m": _rounded(pings, "accuracy_m"),
        "speed_mps": _rounded(pings, "speed_mps"),
        "heading_deg": _rounded(pings, "heading_deg"),
        "snapped_lat": _degrees(pings, "snapped_lat_e6"),
        "snapped_lon": _degrees(pings, "snapped_lon_e6"),
        "along_m": _rounded(pings, "along_m"),
        "offset_m": _rounded(pings, "offset_m"),
        "on_route": [ping["on_route"] for ping in pings],
        "believed": [ping["believed"] for ping in pings],
        "flags": [reasons[ping["flags"]] for ping in pings],
        "route_version": [ping["route_version"] for ping in pings],
        "on_foot": gait.on_foot(),
    }


def _rounded(pings: Sequence[asyncpg.Record], name: str) -> list[float | None]:
    # stored with 24 bits: 12.3 comes back as 12.300000190734863
    return [None if (value := ping[name]) is None else round(value, 3) for ping in pings]


def _degrees(pings: Sequence[asyncpg.Record], name: str) -> list[float | None]:
    return [None if (value := ping[name]) is None else value / 1e6 for ping in pings]
