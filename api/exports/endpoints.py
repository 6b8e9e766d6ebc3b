"""Exports as people and programs ask for them: one operation, whatever the thing and the kind of file.

Rows are read some at a time: a client that reads slowly holds no connection of the database, and little memory.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from api.exports.columns import Table
from api.exports.maps import GeoJson, Gpx, Kml
from api.exports.text import Csv, FileWriter
from api.exports.things import THINGS, ExportAsked, Thing
from api.exports.xlsx import Workbook
from api.history.formats import FORMATS
from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.operation import Operations, Who
from api.http.problem import FieldError, Forbidden, NotFound
from api.http.read.bodies import refuse
from api.http.shares.ledger import Ledger
from api.http.trail import note
from api.http.who import parties_of
from api.reports.period import TOURS, period_in, tours_in

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Exports under way in a process: each holds a piece of a file, three megabytes, as Parquet twenty, and has a thread
while it is written."""

OF_ONE = 2
"""Of these, of one account."""

_TAKES_WITHIN_S = 60.0  # a client that reads nothing for so long is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class FileForm:
    """A kind of file."""

    media: str
    writer: Callable[[str, Table], FileWriter]


def _parquet(title: str, table: Table) -> FileWriter:
    try:
        from api.exports.parquet import Parquet
    except ImportError as error:
        raise NotFound(
            "This server writes no Parquet yet. Whoever runs it installs that: pip install 'reparto[parquet]'."
        ) from error
    return Parquet(title, table)


FORMS: Mapping[str, FileForm] = {
    "csv": FileForm(media=FORMATS["csv"].media, writer=Csv),
    "xlsx": FileForm(media="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", writer=Workbook),
    "parquet": FileForm(media="application/vnd.apache.parquet", writer=_parquet),
    "geojson": FileForm(media=FORMATS["geojson"].media, writer=GeoJson),
    "gpx": FileForm(media=FORMATS["gpx"].media, writer=Gpx),
    "kml": FileForm(media=FORMATS["kml"].media, writer=Kml),
}

_LEDGER: web.AppKey[Ledger] = web.AppKey("exports", Ledger)


def _prepare(app: web.Application) -> None:
    app[_LEDGER] = Ledger("exports", AT_ONCE, caps={"account": OF_ONE})


operations = Operations("exports", prepare=_prepare)


@operations.operation(
    "GET",
    "/v1/exports/{export}.{format}",
    who=Who.VIEWER,
    query=TOURS,
    media=tuple(form.media for form in FORMS.values()),
)
async def get_export(request: web.Request) -> web.StreamResponse:
    """Read routes, stops, visits, proofs, messages, orders, events, tracks or a report as a file.

    Of the tours of a period as reports have it; orders are those that may be brought then, events those that became
    known then. A file that ends early breaks off: it has no end that looks like one.
    """
    name, ending = request.match_info["export"], request.match_info["format"]
    thing = _thing(name, ending)
    if caller_of(request).role < thing.role:
        raise Forbidden(f"Exporting {name} needs the role {thing.role.name.lower()}.")
    period = period_in(request)
    others = [at for at in ("driver", "depot") if request.query.get(at) and at not in thing.only]
    refuse([FieldError(at=at, why=f"says nothing of {name}") for at in others])
    tours = await tours_in(request, period)
    asked = ExportAsked(pool=request.app[POOL], tours=tours, period=period, form=ending)
    form = FORMS[ending]
    with request.app[_LEDGER].held(parties_of(request)), closing(form.writer(name, thing.table)) as writer:
        if thing.of_people and request.method != "HEAD":
            of = {at: request.query[at] for at in ("driver", "depot") if request.query.get(at)}
            await note(request, asked.pool, after={"from": period.shown[0], "to": period.shown[1], **of})
        response = web.StreamResponse(
            headers={
                "Content-Type": form.media + ("; charset=utf-8" if ending == "csv" else ""),
                "Content-Disposition": f'attachment; filename="{name}.{ending}"',
                "Cache-Control": "no-store",
            }
        )
        await _stream(request, response, thing, asked, writer)
    return response


def _thing(name: str, ending: str) -> Thing:
    thing = THINGS.get(name)
    if thing is None:
        raise NotFound(f"There is no such export. There are {', '.join(THINGS)}.")
    if ending not in thing.forms:
        forms = ", ".join(f"{name}.{form}" for form in thing.forms)
        raise NotFound(f"There is no such file of {name}. There are {forms}.")
    return thing


async def _stream(
    request: web.Request, response: web.StreamResponse, thing: Thing, asked: ExportAsked, writer: FileWriter
) -> None:
    """Write the file; the first rows are there before anything is answered, so that what fails then is a problem."""
    if request.method == "HEAD":
        await response.prepare(request)
        return
    nothing: list[list[Any]] = []
    async with aclosing(thing.read(asked)) as pieces:
        first = await anext(pieces, nothing)
        await response.prepare(request)
        try:
            await _write(response, writer.begin())
            await _write(response, await asyncio.to_thread(writer.rows, first))
            async for rows in pieces:
                await _write(response, await asyncio.to_thread(writer.rows, rows))
            await _write(response, await asyncio.to_thread(writer.end))
        except Exception as error:
            log.warning("an export broke off: %s", type(error).__name__)
            if request.transport is not None:
                request.transport.abort()


async def _write(response: web.StreamResponse, data: bytes) -> None:
    if data:
        async with asyncio.timeout(_TAKES_WITHIN_S):
            await response.write(data)
