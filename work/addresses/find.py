"""Orders without a good place get one: by the geocoder, else whoever waits is asked. A job of `work`."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import aiohttp

from sql.addresses import geocoding
from sql.addresses.geocoding import LookedForOrder
from sql.planning import orders
from sql.planning.resources import depot_places
from sql.pool import Pool
from work.addresses.book import read_book
from work.addresses.doubt import doubt
from work.addresses.geocode import CannotAsk, Geocoding
from work.addresses.geocoders.protocol import FoundAddress
from work.addresses.text import normalised, person_of
from work.job import Job

log = logging.getLogger(__name__)

_EACH, _ACCOUNTS = 10, 10
_HOLD_S = 120.0
_ROUND_S = 20.0
"""An account whose geocoder is slow holds the others no longer than that."""

AGAIN_S = 60.0
"""Until the next try where a geocoder could not be asked."""

ASK_AFTER = timedelta(minutes=15)
"""So long a geocoder that cannot be asked is waited for; then whoever waits for the order is."""


def place_job(geocoding_: Geocoding) -> Job:
    """Give the job that looks where orders are."""

    async def do(pool: Pool) -> bool:
        return await place_orders(pool, geocoding_)

    return Job(name="places of orders", do=do, pause_s=1.0)


async def place_orders(pool: Pool, asking: Geocoding) -> bool:
    """Look for the places of some orders; tell whether there may be more."""
    taken = await geocoding.take_orders(pool, each=_EACH, accounts=_ACCOUNTS, hold_s=_HOLD_S)
    if not taken:
        return False
    by_account: defaultdict[int, list[LookedForOrder]] = defaultdict(list)
    for order in taken:
        by_account[order.account_id].append(order)
    async with asking.open(at_once=_ACCOUNTS) as session, asyncio.TaskGroup() as tasks:
        for account_id, some in by_account.items():
            tasks.create_task(_of_account(pool, asking, session, account_id, some))
    return True


async def _of_account(
    pool: Pool, asking: Geocoding, session: aiohttp.ClientSession, account_id: int, some: Sequence[LookedForOrder]
) -> None:
    until_s = time.monotonic() + _ROUND_S
    row = await geocoding.geocoder_of(pool, account_id)
    keys = {order.id: _key(order) for order in some}
    book = await read_book(pool, account_id, list(keys.values()))
    for place, order in enumerate(some):
        depots = await depot_places(pool, account_id=account_id, depot=order.depot)
        if (known := book.get(keys[order.id])) and doubt(known.lat, known.lon, depots) is None:
            await _settle(pool, order, state="ready", quality=known.quality, lat=known.lat, lon=known.lon)
            continue
        try:
            found = None
            if row is not None and order.body.get("address"):
                found = await asking.find(pool, session, row, order.body["address"], depots)
                await geocoding.note_trouble(pool, account_id, None)
        except CannotAsk as error:
            log.warning("the geocoder of account %d could not be asked: %s", account_id, error)
            await geocoding.note_trouble(pool, account_id, str(error))
            await _wait_or_ask(pool, some[place:])
            return
        await _found(pool, order, found, depots)
        if time.monotonic() > until_s:
            await geocoding.look_again(pool, some[place + 1 :], in_s=0.0)
            return


def _key(order: LookedForOrder) -> tuple[str, str]:
    body = order.body
    person = person_of(phone=body.get("phone"), email=body.get("email"), name=body.get("name"))
    return normalised(body.get("address") or ""), person


async def _wait_or_ask(pool: Pool, some: Sequence[LookedForOrder]) -> None:
    """Wait for a geocoder that cannot be asked; of orders that wait for long, whoever waits for them is asked."""
    since = pool.clock.now() - ASK_AFTER
    for order in some:
        if order.updated_at < since:
            await _ask(pool, order)
    await geocoding.look_again(pool, [order for order in some if order.updated_at >= since], in_s=AGAIN_S)


async def _found(
    pool: Pool, order: LookedForOrder, found: FoundAddress | None, depots: Sequence[tuple[float, float]]
) -> None:
    """Put an order where it was found, or ask."""
    doubted = doubt(found.lat, found.lon, depots) if found else None
    if found is None or doubted is not None or (found.quality == "area" and order.quality != "none"):
        await _ask(pool, order)
    elif found.quality == "area":
        await _settle(pool, order, state="received", quality="area", lat=found.lat, lon=found.lon)
    else:
        await _settle(pool, order, state="ready", quality=found.quality, lat=found.lat, lon=found.lon)


async def _settle(pool: Pool, order: LookedForOrder, *, state: str, quality: str, lat: float, lon: float) -> None:
    async with pool.acquire() as db, db.transaction():
        placed = await geocoding.place_order(db, order, state=state, quality=quality, lat=lat, lon=lon)
        if placed and state == "received":
            told = _told(order, quality)
            await orders.put_fact(db, order.account_id, "order.place_asked", told, now=db.clock.now())


async def _ask(pool: Pool, order: LookedForOrder) -> None:
    """Tell the feed that somebody has to say where an order is; its page asks from the first minute on."""
    async with pool.acquire() as db, db.transaction():
        if await geocoding.stop_looking(db, order):
            told = _told(order, order.quality)
            await orders.put_fact(db, order.account_id, "order.place_asked", told, now=db.clock.now())


def _told(order: LookedForOrder, quality: str) -> dict[str, Any]:
    return {"order_id": f"or_{order.id}", "external_id": order.external_id, "quality": quality}
