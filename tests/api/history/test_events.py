import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.history import events
from sql import locks
from sql.config import DatabaseConfig
from sql.feed.events import number_events
from sql.operate.retention import drop_entries
from sql.pool import Pool, connect
from sql.queries import load
from tests.api.stream.streams import SOON_S

THEN = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, events.operations.add_to]


async def happen(
    db: Any, account_id: int, kind: str = "stop.arrived", *, n: int = 1, fact_id: UUID | None = None, **changes: Any
) -> None:
    for place in range(n):
        row: dict[str, Any] = {
            "account_id": account_id,
            "fact_id": fact_id or uuid4(),
            "revision": 1,
            "state": "asserted",
            "type": kind,
            "occurred_at": THEN + timedelta(seconds=place),
            "known_at": THEN + timedelta(seconds=place + 1),
            "lane": 1,
            "driver_id": 4,
            "late": False,
            **changes,
        }
        columns, places = ", ".join(row), ", ".join(f"${n + 1}" for n in range(len(row)))
        await db.execute(f"INSERT INTO event ({columns}) VALUES ({places})", *row.values())


async def number(pool: Pool) -> list[int]:
    async with pool.acquire() as db:
        return await number_events(db)


async def feed(client: Any, headers: dict[str, str], **query: Any) -> dict[str, Any]:
    response = await client.get("/v1/events", params=query, headers=headers)
    assert response.status == 200, await response.text()
    return await response.json()  # type: ignore[no-any-return]


async def test_an_entry_says_what_happened_to_whom(client: Any, account: Any, pool: Pool) -> None:
    fact_id = uuid4()
    await happen(pool, account.id, fact_id=fact_id, route_id=2, stop_id=3, late=True, data={"along_m": 12.5})
    assert await number(pool) == [account.id]
    (entry,) = (await feed(client, account.headers))["events"]
    assert entry == {
        "seq": 1,
        "fact_id": str(fact_id),
        "revision": 1,
        "state": "asserted",
        "type": "stop.arrived",
        "occurred_at": "2026-03-02T13:00:00Z",
        "known_at": "2026-03-02T13:00:01Z",
        "driver_id": "dr_4",
        "route_id": "rt_2",
        "stop_id": "st_3",
        "geofence_id": None,
        "late": True,
        "data": {"along_m": 12.5},
    }


async def test_a_reader_continues_where_it_was_and_gets_everything_once(client: Any, account: Any, pool: Pool) -> None:
    await happen(pool, account.id, n=5)
    await number(pool)
    first = await feed(client, account.headers, limit=3)
    second = await feed(client, account.headers, limit=3, cursor=first["next"])
    end = await feed(client, account.headers, cursor=second["next"])
    assert [entry["seq"] for page in (first, second, end) for entry in page["events"]] == [1, 2, 3, 4, 5]
    assert end["events"] == []
    await happen(pool, account.id)
    await number(pool)
    assert [entry["seq"] for entry in (await feed(client, account.headers, cursor=end["next"]))["events"]] == [6]


async def test_an_empty_feed_has_a_cursor_too(client: Any, account: Any, pool: Pool) -> None:
    page = await feed(client, account.headers)
    assert page["events"] == []
    await happen(pool, account.id)
    await number(pool)
    assert len((await feed(client, account.headers, cursor=page["next"]))["events"]) == 1


async def test_what_has_no_number_yet_is_not_told(client: Any, account: Any, pool: Pool) -> None:
    await happen(pool, account.id)
    assert (await feed(client, account.headers))["events"] == []


async def test_only_some_types(client: Any, account: Any, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "STRETCH", 2)  # a rare type is looked for a stretch at a time
    for kind in ("stop.arrived", "route.started", "stop.arrived", "stop.departed", "route.off_route"):
        await happen(pool, account.id, kind)
    await number(pool)
    seen: list[int] = []
    cursor = ""
    for _ in range(4):
        page = await feed(client, account.headers, type="route.started,route.off_route", cursor=cursor)
        seen += [entry["seq"] for entry in page["events"]]
        cursor = page["next"]
    assert seen == [2, 5]


async def test_each_account_has_its_own_feed(client: Any, account: Any, other_account: Any, pool: Pool) -> None:
    await happen(pool, account.id)
    await happen(pool, other_account.id, n=2)
    assert await number(pool) == [account.id, other_account.id]
    assert [entry["seq"] for entry in (await feed(client, account.headers))["events"]] == [1]
    assert [entry["seq"] for entry in (await feed(client, other_account.headers))["events"]] == [1, 2]


async def test_a_reader_may_wait_for_the_next_entry(client: Any, account: Any, pool: Pool) -> None:
    waiting = asyncio.create_task(feed(client, account.headers, wait_s=20))
    while not await pool.fetchval("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await happen(pool, account.id)
    await number(pool)
    async with asyncio.timeout(SOON_S):
        assert [entry["seq"] for entry in (await waiting)["events"]] == [1]


@pytest.mark.parametrize("query", ["type=stop.lost", "wait_s=31", "wait_s=-1", "cursor=zz", "limit=0"])
async def test_a_parameter_that_means_nothing_is_refused(client: Any, account: Any, query: str) -> None:
    response = await client.get(f"/v1/events?{query}", headers=account.headers)
    assert response.status == 422
    assert (await response.json())["errors"][0]["at"] == query.split("=")[0]


async def test_numbers_have_no_gaps_and_the_order_of_entries(pool: Pool, account: Any) -> None:
    await happen(pool, account.id, n=3)
    await number(pool)
    await happen(pool, account.id, n=2)
    await number(pool)
    rows = await pool.fetch("SELECT seq FROM event ORDER BY id")
    assert [row["seq"] for row in rows] == [1, 2, 3, 4, 5]
    assert await pool.fetchval("SELECT events_numbered FROM account WHERE id = $1", account.id) == 5
    assert await number(pool) == []


async def test_an_entry_that_commits_later_is_numbered_later_though_it_began_earlier(
    database: DatabaseConfig, pool: Pool, account: Any, client: Any
) -> None:
    slow = await connect(database)
    try:
        async with slow.transaction():
            await happen(slow, account.id, "route.started")
            await happen(pool, account.id, "stop.arrived")
            await number(pool)
            page = await feed(client, account.headers)
            assert [entry["type"] for entry in page["events"]] == ["stop.arrived"]
    finally:
        await slow.close()
    await number(pool)
    page = await feed(client, account.headers, cursor=page["next"])
    assert [(entry["seq"], entry["type"]) for entry in page["events"]] == [(2, "route.started")]


async def test_one_process_numbers_at_a_time(database: DatabaseConfig, pool: Pool, account: Any) -> None:
    await happen(pool, account.id)
    other = await connect(database)
    try:
        async with other.transaction():
            assert await other.fetchval("SELECT pg_try_advisory_xact_lock($1)", locks.NUMBERING)
            assert await number(pool) == []
    finally:
        await other.close()
    assert await number(pool) == [account.id]


async def test_many_numberers_at_once_leave_no_gap(pool: Pool, account: Any) -> None:
    async def write() -> None:
        for _ in range(20):
            await happen(pool, account.id)
            await number(pool)

    await asyncio.gather(*(write() for _ in range(4)))
    while await number(pool):
        pass
    rows = await pool.fetch("SELECT seq FROM event ORDER BY seq")
    assert [row["seq"] for row in rows] == list(range(1, 81))


async def test_listeners_are_told_after_the_commit(database: DatabaseConfig, pool: Pool, account: Any) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    listener = await connect(database)
    try:
        await listener.add_listener("reparto_events", lambda *heard: told.put_nowait(str(heard[3])))
        await happen(pool, account.id)
        await number(pool)
        async with asyncio.timeout(SOON_S):
            assert await told.get() == str(account.id)
    finally:
        await listener.close()


async def test_numbering_does_not_search_the_whole_feed(pool: Pool, account: Any) -> None:
    await happen(pool, account.id, n=50)
    await number(pool)
    async with pool.acquire() as db:
        await db.execute("SET enable_seqscan = off")
        await db.execute("SET enable_sort = off")
        queries = load("sql.feed.events")
        plan = await db.fetch("EXPLAIN (COSTS OFF) " + queries["number_events"], 100, [])
        page = await db.fetch("EXPLAIN (COSTS OFF) " + queries["read_events"], account.id, 0, 50, None, 10)
    assert any("event_unnumbered" in row[0] for row in plan)
    assert any("event_feed" in row[0] for row in page)
    assert not any("Sort" in row[0] for row in page)


async def test_who_reads_from_before_what_is_kept_is_told_where_to_begin(
    client: Any, account: Any, pool: Pool, refused: Any
) -> None:
    await happen(pool, account.id, n=5)
    await number(pool)
    first = await feed(client, account.headers, limit=2)
    second = await feed(client, account.headers, limit=2, cursor=first["next"])
    async with pool.acquire() as db, db.transaction():
        assert await drop_entries(db, THEN + timedelta(seconds=4), at_most=100) == 3
    problem = await refused(
        await client.get("/v1/events", params={"cursor": first["next"]}, headers=account.headers), 410, "cursor"
    )
    assert problem["type"].endswith("cursor-too-old")
    begin = problem["errors"][0]["why"].rpartition(" ")[2]
    for query in ({"cursor": begin}, {}, {"cursor": begin, "type": "stop.arrived"}, {"limit": 1}):
        seqs = [entry["seq"] for entry in (await feed(client, account.headers, **query))["events"]]
        assert seqs == [4, 5][: query.get("limit", 2)]
    assert [entry["seq"] for entry in (await feed(client, account.headers, cursor=second["next"]))["events"]] == [5]
    await happen(pool, account.id)
    await number(pool)
    assert (await feed(client, account.headers, cursor=second["next"]))["events"][-1]["seq"] == 6
