"""Six hours of a van that is still under way come at once, scrambled: nobody is told what is not true any more."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from api.http.ids import number_of
from reparto.client.client import Client, Phone
from reparto.client.tally import Tally
from reparto.simulate.day import make_day
from reparto.simulate.driver_app import open_app
from reparto.simulate.fleet import GUADALAJARA, enlist, make_trip, report, route_of_tour
from sql.pool import Pool
from tests.journeys.conftest import no_logo
from work.job import Job, repeat
from work.messages.sending.service import message_jobs
from work.outgoing.guard import Guard
from work.outgoing.sealed import Sealer, keys_in, new_key
from work.upkeep.config import RetentionConfig
from work.upkeep.retention import retention_guard

HOURS_MS = 6 * 3_600_000
YOUNG_MS = 300_000
KINDS = ("booked", "departed_depot", "approaching", "arrived", "delivered", "failed", "delayed", "changed", "rating")


async def test_a_scrambled_backlog_tells_nobody_what_is_over(
    client: Client, pool: Pool, settled: Callable[[], Awaitable[None]]
) -> None:
    for kind in KINDS:
        body = {
            "enabled": kind != "booked",
            "channels": ["log"],
            "quiet_hours": None,
            "after_s": 900 * (kind == "delayed"),
        }
        await client.ask("PUT", f"/v1/account/messages/{kind}", body=body)
    await client.ask("PUT", "/v1/account/channels/log", body={})
    sealer, stop = Sealer(keys_in(new_key())), asyncio.Event()
    working = asyncio.create_task(work(pool, sealer, Guard(), stop))
    stops, truth = await backlog(client)
    await settled()
    await asyncio.sleep(5)
    stop.set()
    await working

    facts = await pool.fetch("SELECT type, late, count(*) FROM event GROUP BY 1, 2 ORDER BY 1, 2")
    print([tuple(row) for row in facts], await pool.fetchval("SELECT count(*) FROM notice"))
    rows = await pool.fetch("SELECT stop_id, kind, state, why, left_at FROM message WHERE kind <> 'rating' ORDER BY id")
    print(Counter((row["kind"], row["state"], row["why"]) for row in rows))
    place_of = {number_of("st_", stop["id"]): place for place, stop in enumerate(stops)}
    for row in rows:
        if row["state"] != "sent":
            continue
        left_ms, place = row["left_at"].timestamp() * 1000, place_of[row["stop_id"]]
        done_ms = truth["leaves_ms"] + truth["departed_ms"][place]
        match row["kind"]:
            case "approaching" | "delayed":
                assert left_ms < done_ms, f"{row['kind']} of stop {place}, which was served before"
            case "delivered" | "failed":
                assert left_ms - done_ms < YOUNG_MS + 120_000, f"{row['kind']} of stop {place} is old news"
            case "arrived":
                assert left_ms < done_ms + 60_000, f"the van had left stop {place}"
            case kind:
                raise AssertionError(f"{kind} of a tour that began six hours ago")


async def backlog(client: Client) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Send all of the day so far in no order, four things at once, while messages are made and sent."""
    trip = await asyncio.to_thread(make_trip, 5, city=GUADALAJARA, stops=60, every_s=8.0, service=2.5)
    assert trip.home_ms > HOURS_MS + 1_800_000, "the van is still under way"
    told = report(trip, 5, from_ms=0, to_ms=HOURS_MS, offline_per_h=0, gaps_per_h=0)
    leaves_ms = int(time.time() * 1000) - HOURS_MS
    _, _, token = await enlist(client, "late", "Ana Ríos")
    planned = route_of_tour(trip.tour, "late", driver="late", leaves_ms=leaves_ms, city=GUADALAJARA)
    stops = (await client.put_route(planned))["stops"]
    chance = random.Random(3)
    app = open_app(client, token, Tally(), chance, route="late", stops=stops)
    await app.fetch_manifest()
    events = [
        (await app.write(deed, leaves_ms + deed.at_ms))[0]
        for deed in make_day("late", trip.stays_ms, from_ms=0, to_ms=HOURS_MS)
    ]
    for event in events:
        event.get("data", {}).pop("proofs", None)
    pings = told.sent_pings(0, len(told), leaves_ms=leaves_ms)
    chance.shuffle(pings)
    chance.shuffle(events)
    phone = Phone(client.session, client.url, token, Tally(), chance)
    jobs: list[Callable[[], Awaitable[Any]]] = [
        *(partial(phone.send, pings[start : start + 100]) for start in range(0, len(pings), 100)),
        *(partial(app.say, events[start : start + 4]) for start in range(0, len(events), 4)),
    ]
    chance.shuffle(jobs)

    async def send() -> None:
        while jobs:
            await jobs.pop()()
            await asyncio.sleep(0.05)

    await asyncio.gather(*(send() for _ in range(4)))
    return stops, {"leaves_ms": leaves_ms, "departed_ms": trip.truth.departed_ms.tolist()}


async def work(pool: Pool, sealer: Sealer, guard: Guard, stop: asyncio.Event) -> None:
    """Make and send messages as the role `work` does."""
    retention = retention_guard(RetentionConfig(), proof_retention_days=730)
    jobs = message_jobs(sealer, guard, public_url="https://reparto.example", retention=retention, find_logo=no_logo)
    async with asyncio.TaskGroup() as tasks:
        for job in jobs:
            tasks.create_task(repeat(job, pool, stop) if isinstance(job, Job) else job.run(pool, stop))
