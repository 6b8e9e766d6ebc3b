"""An import goes on to its end, or as far as there is time: in the request that brought it, then in the role `work`."""

import asyncio
import time
import zlib

import msgspec

from api.http.config import ApiConfig
from api.imports.asked import Reading, surroundings
from api.imports.orders import OrderSteps
from api.imports.routes import RouteSteps
from api.imports.steps import HOLD_S, Importing, ImportSteps
from api.routes.roads import RouteTools
from sql.imports.imports import ImportRow, end_import, put_back, sheet_of, take_import
from sql.pool import Pool
from work.imports.columns import Surroundings, understood
from work.imports.headings import HeadingError, Kind
from work.imports.sheet import PlanSheet
from work.job import Job
from work.roads.protocol import Roads

SOON_S = 2.0
"""So long a request goes on with what it brought."""

TURN_S = 5.0
"""So long the role goes on with one, before others that wait have their turn."""

MOST_TRIES = 3
"""A step that ended so many processes is not tried again."""

_PAUSE_S = 0.5


def packed(sheet: PlanSheet) -> bytes:
    """Write a sheet as it is kept until it is done."""
    return zlib.compress(msgspec.msgpack.encode(sheet), 1)


async def carry_on(tools: RouteTools, row: ImportRow, *, within_s: float) -> None:
    """Go on with an import that was taken; what is not done in time, after its rows were opened, is put back."""
    kept = await sheet_of(tools.pool, row.id)
    if kept is None:
        return
    if row.tries > MOST_TRIES:
        why = "A row of it ended the process again and again. Send the file in parts, without the rows that are done."
        await end_import(tools.pool, row, state="failed", why=why)
        return
    try:
        reading = msgspec.convert(row.asked, Reading)
        around = await surroundings(tools.pool, row.account_id, reading)
        steps = await asyncio.to_thread(_steps, tools, row, kept, reading, around)
    except HeadingError as error:
        await end_import(tools.pool, row, state="failed", why=f"The file is not understood any more: {error}.")
        return
    until_s = time.monotonic() + within_s  # of a turn that opening took whole nothing would be done, again and again
    step: int | None = row.step
    while step is not None and step < steps.count:
        if time.monotonic() > until_s:
            await put_back(tools.pool, row)
            return
        step = await steps.take(step)
    if step is not None:
        await end_import(tools.pool, row, state="done")


def _steps(tools: RouteTools, row: ImportRow, kept: bytes, reading: Reading, around: Surroundings) -> ImportSteps:
    """Open the rows of an import. For threads: of many it takes a quarter of a second."""
    sheet = msgspec.msgpack.decode(zlib.decompress(kept), type=PlanSheet)
    kind = msgspec.convert(row.kind, Kind)
    columns = understood(sheet, kind, reading.mapping, around)
    at = Importing(tools=tools, row=row, around=around, rows=list(columns.rows(sheet)))
    return OrderSteps(at) if kind == "orders" else RouteSteps(at)


def import_job(roads: Roads, config: ApiConfig) -> Job:
    """Give the job that goes on with imports."""

    async def look(pool: Pool) -> bool:
        row = await take_import(pool, hold_s=HOLD_S)
        if row is not None:
            await carry_on(RouteTools(pool=pool, roads=roads, config=config), row, within_s=TURN_S)
        return row is not None

    return Job(name="imports", do=look, pause_s=_PAUSE_S)
