"""The lookup: the same answer, after the same time, for a number that nobody has and one that is another's."""

import math
from asyncio import get_running_loop, sleep
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from api.find.knows import knows
from api.http.app_keys import POOL
from api.portal.limits import admit_lookup
from sql.account.accounts import read_instance
from sql.portal.lookup import Company, find_company, stops_named
from work.links import token_of

ANSWERED_AFTER_S = 0.3
"""Longer than any lookup takes: how long one took says nothing."""


async def company_of(request: web.Request, name: str) -> Company | None:
    """Find whose page this is: the named account's, or that of the only one here; None: nobody's in particular."""
    return await find_company(request.app[POOL], name if name.isprintable() else "\ufffd")


async def token_for(request: web.Request, order: str, proof: str, company: Company | None) -> str | None:
    """Give the token of the newest delivery of an order that somebody knows; None: they know of none.

    Raises:
        TooManyRequests: this address, or somebody of this order, asked very often.
    """
    order = order.strip()
    await admit_lookup(request, order)
    async with _in_equal_time():
        pool = request.app[POOL]
        readable = 0 < len(order) <= 200 and order.isprintable()
        stops = await stops_named(pool, order if readable else "", account_id=company.id if company else None)
        known = [stop for stop in stops if knows(proof, address=stop.address, phone=stop.phone)]
        secret = (await read_instance(pool)).secret
        return token_of(secret, known[0].id, known[0].link_generation) if known else None


@asynccontextmanager
async def _in_equal_time() -> AsyncIterator[None]:
    """Take as long as any other lookup: whole steps of `ANSWERED_AFTER_S`, also where it fails."""
    clock = get_running_loop()
    begun_s = clock.time()
    try:
        yield
    finally:
        if ANSWERED_AFTER_S:
            took_s = clock.time() - begun_s
            steps = math.floor(took_s / ANSWERED_AFTER_S) + 1
            await sleep(steps * ANSWERED_AFTER_S - took_s)
