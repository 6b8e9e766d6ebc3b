"""What must be true once all is calm again. Each check gives a sentence for what is not."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import asyncpg

from api.http.ids import DEVICE, DRIVER, number_of
from reparto.client.client import Client
from reparto.simulate.van import SimulatedVan
from reparto.simulate.verify import verify
from tests.acceptance.chaos import messages
from tests.acceptance.chaos.traffic import Reader, Told
from tests.journeys.histories import history
from tests.settling import settle

_HURRY_WEBHOOKS = (
    "UPDATE webhook_delivery SET next_try_at = now() WHERE state = 'pending' AND next_try_at < now() + interval '1 day'"
    " AND created_at < now() - interval '25 s';"
    "UPDATE webhook_span SET leased_until = now() WHERE leased_until BETWEEN now() AND now() + interval '35 s'"
)
"""What waits longer than it must: for its next try, or for a process that was killed while it told."""
_UNTOLD = (
    "SELECT EXISTS (SELECT FROM webhook_delivery WHERE state = 'pending') OR EXISTS (SELECT FROM webhook_span)"
    " OR EXISTS (SELECT FROM webhook JOIN account ON account.id = webhook.account_id WHERE told_seq < events_numbered)"
    " OR EXISTS (SELECT FROM event WHERE seq IS NULL)"
)


async def pings(db: asyncpg.Connection, vans: Sequence[SimulatedVan]) -> list[str]:
    """Hold what is stored of vans against what was acknowledged: everything once, nothing else, all of it judged."""
    acknowledged = {(number_of(DEVICE, van.device_id), *fix) for van in vans for fix in van.acknowledged}
    devices = [number_of(DEVICE, van.device_id) for van in vans]
    rows = await db.fetch(
        "SELECT device_id, (extract(epoch FROM recorded_at) * 1000)::bigint AS ms, lat_e6, lon_e6, believed"
        " FROM ping WHERE device_id = ANY ($1)",
        devices,
    )
    stored = Counter((row["device_id"], row["ms"], row["lat_e6"], row["lon_e6"]) for row in rows)
    found = {
        "acknowledged, but not there": len(acknowledged - stored.keys()),
        "there, but never acknowledged": len(stored.keys() - acknowledged),
        "there more than once": sum(n > 1 for n in stored.values()),
        "never judged": sum(row["believed"] is None for row in rows),
        "drivers without a track": len(vans) - await _drivers_in(db, "track", vans),
        "drivers without a live position": len(vans) - await _drivers_in(db, "live", vans),
    }
    return [f"pings: {n} {what}" for what, n in found.items() if n]


async def _drivers_in(db: asyncpg.Connection, table: str, vans: Sequence[SimulatedVan]) -> int:
    drivers = [number_of(DRIVER, van.driver_id) for van in vans]
    return int(await db.fetchval(f"SELECT count(*) FROM {table} WHERE driver_id = ANY ($1)", drivers))


async def feed(db: asyncpg.Connection, reader: Reader | None = None) -> list[str]:
    """Look for gaps in the feed, for revisions out of order, and for what a reader was told otherwise."""
    wrong = []
    for account in await db.fetch("SELECT id, events_numbered FROM account ORDER BY id"):
        rows = await db.fetch(
            "SELECT seq, fact_id::text, revision FROM event WHERE account_id = $1 AND seq IS NOT NULL ORDER BY seq",
            account["id"],
        )
        if [row["seq"] for row in rows] != list(range(1, account["events_numbered"] + 1)):
            wrong.append(f"feed: of {account['events_numbered']} events {len(rows)} are there, or out of order")
        revisions: Counter[str] = Counter()
        for row in rows:
            revisions[row["fact_id"]] += 1
            if row["revision"] != revisions[row["fact_id"]]:
                wrong.append(f"feed: revision {row['revision']} of a fact comes as number {revisions[row['fact_id']]}")
        if reader and rows and reader.told != [tuple(row) for row in rows]:
            wrong.append(f"feed: a reader was told {len(reader.told)} entries, {len(rows)} are there, and not the same")
    return wrong


async def quarantine(db: asyncpg.Connection, vans: Sequence[SimulatedVan]) -> list[str]:
    """Look for good pings that were set aside."""
    devices = [number_of(DEVICE, van.device_id) for van in vans]
    rows = await db.fetch(
        "SELECT reason, count(*) AS n FROM quarantine WHERE device_id = ANY ($1) GROUP BY reason", devices
    )
    return [f"quarantine: {row['n']} entries of good phones, {row['reason']}" for row in rows]


async def everything(db: asyncpg.Connection, client: Client, vans: Sequence[SimulatedVan], reader: Reader) -> list[str]:
    """Check all that phones and apps told, by the database and by the API."""
    wrong = [*await pings(db, vans), *await quarantine(db, vans), *(await verify(client, vans)).wrong]
    await reader.read(client)
    return [*wrong, *await feed(db, reader)]


async def messages_of(
    db: asyncpg.Connection, routes: Sequence[str], stops: int, providers: tuple[Any, Any]
) -> list[str]:
    """Hold the messages of some routes against the logs of those who carried them: (SMS, e-mail)."""
    rows = await db.fetch(
        "SELECT channel, address, state, why FROM message JOIN route ON route.id = message.route_id"
        " WHERE route.external_id = ANY ($1)",
        list(routes),
    )
    wrong = messages.what_is_wrong(rows, *providers)
    if len(rows) != len(routes) * stops:
        wrong.append(f"messages: {len(routes) * stops} were due, {len(rows)} are there")
    return wrong


async def webhooks(db: asyncpg.Connection, told: Told, since_seq: int) -> list[str]:
    """Look for entries of the feed after one that were never told to a webhook that wants all of them."""
    last = await db.fetchval("SELECT max(events_numbered) FROM account")
    missing = set(range(since_seq + 1, last + 1)) - told.seqs.keys()
    return [f"webhooks: {len(missing)} of {last - since_seq} entries were never told"] if missing else []


async def same_when_folded_again(db: asyncpg.Connection, client: Client, vans: Sequence[SimulatedVan]) -> list[str]:
    """Fold the days of some vans again, from nothing and in order: the history must be the one that chaos left."""
    before = [await history(client, van.name, shift_ms=0) for van in vans]
    drivers = [number_of(DRIVER, van.driver_id) for van in vans]
    await db.execute(
        "UPDATE track SET version = version + 1, rerun_from = '2000-01-01Z' WHERE driver_id = ANY ($1)", drivers
    )
    await settle(db)
    wrong = []
    for van, was in zip(vans, before, strict=True):
        now = await history(client, van.name, shift_ms=0)
        wrong += [f"history: another {what} of {van.name}, folded in order" for what in was if was[what] != now[what]]
    return wrong


async def all_over(db: asyncpg.Connection, *, patience_s: float) -> None:
    """Wait until nothing waits any more: to be followed, numbered, sent or told.

    Raises:
        TimeoutError: that takes longer.
    """
    async with asyncio.timeout(patience_s):
        while True:
            await settle(db)
            await messages.over(db, patience_s=patience_s)
            if not await db.fetchval(_UNTOLD):
                return
            await db.execute(_HURRY_WEBHOOKS)
            await asyncio.sleep(0.5)
