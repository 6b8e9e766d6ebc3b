"""What a provider that hangs does to the others. Run it by hand (how fast all leave: `reparto bench notify`):

    .venv/bin/python -m tests.bench.messages

Everything is real: a Postgres of its own, the senders of `work` in this process, providers in another one.
"""

import asyncio
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from aiohttp import web

from reparto.postgres import EmbeddedPostgres
from sql.account.accounts import ensure_account, read_instance
from sql.config import DatabaseConfig
from sql.messages.setup import put_channel, put_kind
from sql.migrate import migrate
from sql.pool import Pool, create_pool
from work.messages.deciding.expand import expand
from work.messages.sending.send import MessageSender
from work.messages.sending.service import open_channel
from work.messages.words.render import Source
from work.outgoing.guard import Guard, networks_of
from work.outgoing.sealed import Sealer, keys_in, new_key

GUARD = Guard(networks_of("127.0.0.0/8"))
SEALER = Sealer(keys_in(new_key()))
BODY = '{"to": {{ to|tojson }}, "text": {{ text|tojson }}, "id": {{ id|tojson }}}'


def serve(port: int, queue: Any) -> None:
    """Be every provider and every endpoint, by path, in a process of our own; tell what came and when."""

    async def answer(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        how = request.path.strip("/")
        queue.put((how, time.time(), body if how.startswith("good") else b""))
        if how.startswith("hang"):
            await asyncio.Event().wait()
        return web.json_response({"data": {"id": str(uuid4())}})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None, backlog=4096)


async def account_with(pool: Pool, name: str, path: str, port: int, stops: int, **more: Any) -> tuple[int, list[int]]:
    """Make an account that sends bookings by a gateway, and a route of so many stops."""
    account_id = await ensure_account(pool, name)
    settings = {
        "gateway": "custom",
        "url": f"http://127.0.0.1:{port}/{path}",
        "body": BODY,
        "id_path": "data.id",
    } | more
    await put_channel(pool, account_id=account_id, channel="sms", enabled=True, settings=settings, secrets=None)
    kind = {"channels": ["sms"], "quiet_hours": None, "wait_for_workday": False}
    await put_kind(pool, account_id=account_id, kind="booked", settings=kind)
    start = datetime.now(UTC) + timedelta(hours=2)
    route_id = await pool.fetchval(
        "INSERT INTO route (account_id, external_id, version, date, timezone, start_at, end_at, return_to_depot,"
        " path_source, length_m) VALUES ($1, $2, 1, $3, 'America/Bogota', $4, $5, false, 'given', 1) RETURNING id",
        account_id, name, start.date(), start, start + timedelta(hours=9),
    )  # fmt: skip
    rows = await pool.fetch(
        "INSERT INTO stop (account_id, route_id, external_id, seq, kind, name, lat, lon, along_m, radius_m, service_s,"
        " phone, link_hash) SELECT $1::bigint, $2::bigint, n::text, n, 'delivery', 'Ana', 6.2 + n * 1e-5, -75.5, 0, 50,"
        " 60, '+57300' || (1000000 + $2 * 10000 + n)::text, int8send($2 * 100000 + n) FROM generate_series(1, $3) AS n"
        " RETURNING id", account_id, route_id, stops,
    )  # fmt: skip
    return account_id, [row["id"] for row in rows]


async def note(pool: Pool, account_id: int, stop_ids: list[int]) -> None:
    await pool.execute(
        "INSERT INTO notice (account_id, stop_id, kind, happened_at) SELECT $1, stop, 'booked', now()"
        " FROM unnest($2::bigint[]) AS stop", account_id, stop_ids,
    )  # fmt: skip


async def work_messages(pool: Pool, stop: asyncio.Event) -> None:
    source = Source(secret=(await read_instance(pool)).secret, public_url="https://reparto.example")

    async def found(_: Pool) -> Source:
        return source

    async def make() -> None:
        while not stop.is_set():
            if not await expand(pool, now=datetime.now(UTC)):
                await asyncio.sleep(0.1)

    sender = MessageSender(
        open_channel=lambda row, settings, where: open_channel(row, settings, where, GUARD, SEALER),
        find_source=found,
        sealer=SEALER,
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(make())
        tasks.create_task(sender.run(pool, stop))


def came(queue: Any, wanted: Callable[[str], bool], count: int, timeout_s: float) -> list[tuple[str, float, bytes]]:
    found: list[tuple[str, float, bytes]] = []
    until_s = time.time() + timeout_s
    while len(found) < count and time.time() < until_s:
        try:
            one = queue.get(timeout=0.5)
        except Exception:
            continue
        if wanted(one[0]):
            found.append(one)
    return found


async def hanging(pool: Pool, port: int, queue: Any) -> None:
    hangs, its = await account_with(pool, "hangs", "hang", port, 3_000)
    good, stops = await account_with(pool, "good", "good", port, 3_000)
    stop = asyncio.Event()
    running = asyncio.create_task(work_messages(pool, stop))
    await note(pool, hangs, its)
    await asyncio.sleep(3)
    begun: dict[str, float] = {}
    memory = []
    for second in range(60):
        batch = stops[second * 50 : second * 50 + 50]
        for place in range(0, 50, 5):
            await note(pool, good, batch[place : place + 5])
            begun |= {str(one): time.time() for one in batch[place : place + 5]}
            await asyncio.sleep(0.1)
        memory.append(resident_mb())
    got = await asyncio.to_thread(came, queue, lambda how: how == "good", 3_000, 20)
    of = {str(row["id"]): str(row["stop_id"]) for row in await pool.fetch("SELECT id, stop_id FROM message")}
    waits = np.array([at - begun[of[json.loads(body)["id"]]] for _, at, body in got])
    print(f"a provider that hangs: others' p50 {np.quantile(waits, 0.5):.2f} s, p95 {np.quantile(waits, 0.95):.2f} s,"
          f" {len(waits)} of 3000; memory {memory[5]} MB after 5 s, {memory[-1]} MB after 60 s")  # fmt: skip
    running.cancel()
    await asyncio.wait({running})


def resident_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


async def main() -> None:
    from reparto.child import free_port

    port, queue = free_port(), multiprocessing.get_context("spawn").Queue()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(port, queue), daemon=True)
    server.start()
    with tempfile.TemporaryDirectory() as directory, EmbeddedPostgres.start(Path(directory)) as postgres:
        database = DatabaseConfig(database_url=postgres.dsn)
        await migrate(database)
        async with await create_pool(database, connections=6) as pool:
            await asyncio.sleep(2)
            await hanging(pool, port, queue)
    server.terminate()


if __name__ == "__main__":
    asyncio.run(main())
