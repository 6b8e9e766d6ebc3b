"""The loop that both senders go by, with traffic whose table is a real one."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field

import asyncpg
import pytest

from sql.pool import Db, Pool
from work.outgoing import loop
from work.outgoing.breaker import FAILURES, Rate
from work.outgoing.loop import SendingLoop
from work.outgoing.outlet import MOST_AT_A_TIME, UNWRITTEN, Outlet


@dataclass(slots=True, kw_only=True)
class Shop(Outlet):
    name: str


@dataclass(slots=True)
class Parcels:
    """Numbers that wait in a table, by shop. `send` says what a shop does with one."""

    shops: list[Shop]
    do: Callable[[str, int], Awaitable[None]]
    name: str = "parcels"
    at_once: dict[str, int] = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    poison: int | None = None

    @property
    def outlets(self) -> Collection[Shop]:
        return self.shops

    async def read_outlets(self, pool: Pool) -> None:
        pass

    async def due(self, pool: Pool, free: Sequence[Shop]) -> list[Shop]:
        rows = await pool.fetch("SELECT DISTINCT shop FROM thing_to_send WHERE state = 'waits'")
        return [one for one in free if one.name in {row["shop"] for row in rows}]

    async def lease(self, db: Db, outlet: Shop, at_most: int) -> list[int]:
        if outlet.name in self.broken:
            raise ValueError(f"a defect with what is for {outlet.name}")
        rows = await db.fetch(
            "UPDATE thing_to_send SET state = 'leased' WHERE id IN (SELECT id FROM thing_to_send"
            " WHERE shop = $1 AND state = 'waits' ORDER BY id LIMIT $2) RETURNING id", outlet.name, at_most,
        )  # fmt: skip
        assert len(rows) <= at_most
        return [row["id"] for row in rows]

    async def send(self, outlet: Shop, thing: int) -> int:
        self.at_once[outlet.name] = max(self.at_once.get(outlet.name, 0), outlet.under_way)
        await self.do(outlet.name, thing)
        return thing

    async def write(self, db: Db, came: Sequence[tuple[Shop, int]]) -> None:
        ids = [one for _, one in came]
        if self.poison in ids:
            raise ValueError("cannot be written")
        self.batches.append(len(ids))
        await db.execute("UPDATE thing_to_send SET state = 'over' WHERE id = ANY ($1::int[])", ids)


@pytest.fixture
async def parcels(pool) -> Callable[..., Awaitable[None]]:
    await pool.execute("CREATE TABLE thing_to_send (id serial, shop text, state text DEFAULT 'waits')")

    async def add(shop: str, count: int) -> None:
        await pool.execute("INSERT INTO thing_to_send (shop) SELECT $1 FROM generate_series(1, $2)", shop, count)

    return add


async def over(pool: Pool, shop: str) -> int:
    return int(await pool.fetchval("SELECT count(*) FROM thing_to_send WHERE shop = $1 AND state = 'over'", shop))


async def until(condition: Callable[[], Awaitable[bool]], running: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(30):
        while not await condition():
            assert not running.done(), running.exception()
            await asyncio.sleep(0.01)


async def at_once(shop: str, number: int) -> None:
    await asyncio.sleep(0)


async def test_everything_leaves_once_and_stopping_waits_for_what_is_under_way(pool, parcels):
    sent: list[int] = []

    async def slowly(shop: str, number: int) -> None:
        await asyncio.sleep(0.05)
        sent.append(number)

    traffic = Parcels([Shop(name="a", at_once=8)], slowly)
    await parcels("a", 40)
    stop = asyncio.Event()
    running = asyncio.create_task(SendingLoop(traffic, pool).run(stop))
    await asyncio.sleep(0.1)
    stop.set()
    await running
    leased = await pool.fetchval("SELECT count(*) FROM thing_to_send WHERE state = 'leased'")
    assert leased == 0  # what was taken was sent and written down
    assert 0 < await over(pool, "a") == len(sent) < 40

    stop.clear()
    running = asyncio.create_task(SendingLoop(traffic, pool).run(stop))
    await until(lambda: _all(pool, "a", 40), running)
    stop.set()
    await running
    assert sorted(sent) == list(range(1, 41))
    assert traffic.at_once["a"] == 8


async def _all(pool: Pool, shop: str, count: int) -> bool:
    return await over(pool, shop) == count


async def test_one_that_hangs_and_one_that_we_cannot_serve_hold_no_other(pool, parcels, caplog):
    async def do(shop: str, number: int) -> None:
        if shop == "hangs":
            await asyncio.Event().wait()

    shops = [Shop(name=name, at_once=4) for name in ("hangs", "broken", "good")]
    traffic = Parcels(shops, do, broken={"broken"})
    for shop in shops:
        await parcels(shop.name, 20)
    running = asyncio.create_task(SendingLoop(traffic, pool).run(asyncio.Event()))
    await until(lambda: _all(pool, "good", 20), running)
    assert traffic.at_once["hangs"] == 4
    assert await pool.fetchval("SELECT count(*) FROM thing_to_send WHERE shop = 'broken' AND state = 'waits'") == 20
    assert sum("sending parcels failed" in record.message for record in caplog.records) == 1  # it rests meanwhile
    running.cancel()
    await asyncio.wait({running})


async def test_what_comes_back_together_is_written_together(pool, parcels):
    traffic = Parcels([Shop(name="a", at_once=40)], at_once)
    await parcels("a", 40)
    stop = asyncio.Event()
    running = asyncio.create_task(SendingLoop(traffic, pool).run(stop))
    await until(lambda: _all(pool, "a", 40), running)
    stop.set()
    await running
    assert traffic.batches == [40]


async def test_what_cannot_be_written_takes_no_other_with_it(pool, parcels):
    traffic = Parcels([Shop(name="a", at_once=10)], at_once, poison=3)
    await parcels("a", 10)
    stop = asyncio.Event()
    running = asyncio.create_task(SendingLoop(traffic, pool).run(stop))
    await until(lambda: _all(pool, "a", 9), running)
    stop.set()
    await running
    assert await pool.fetchval("SELECT array_agg(id) FROM thing_to_send WHERE state <> 'over'") == [3]


async def test_what_came_back_waits_for_a_database_that_is_away(pool, parcels, monkeypatch):
    traffic = Parcels([Shop(name="a", at_once=5)], at_once)
    await parcels("a", 5)
    written, tries = traffic.write, 0

    async def away_twice(self: Parcels, db: Db, came: Sequence[tuple[Shop, int]]) -> None:
        nonlocal tries
        tries += 1
        if tries <= 2:
            raise asyncpg.ConnectionDoesNotExistError("gone")
        await written(db, came)

    monkeypatch.setattr(Parcels, "write", away_twice)
    stop = asyncio.Event()
    running = asyncio.create_task(SendingLoop(traffic, pool).run(stop))
    await until(lambda: _all(pool, "a", 5), running)
    assert tries == 3
    stop.set()
    await running


async def test_draining_ends_though_something_hangs(pool, parcels, monkeypatch):
    monkeypatch.setattr(loop, "_DRAIN_S", 0.2)

    async def hang(shop: str, number: int) -> None:
        await asyncio.Event().wait()

    traffic = Parcels([Shop(name="a", at_once=5)], hang)
    await parcels("a", 5)
    stop = asyncio.Event()
    running = asyncio.create_task(SendingLoop(traffic, pool).run(stop))
    await until(lambda: _is_full(traffic.shops[0]), running)
    stop.set()
    async with asyncio.timeout(10):
        await running


async def _is_full(shop: Shop) -> bool:
    return shop.under_way == shop.at_once


def test_an_outlet_has_room_for_so_many():
    shop = Shop(name="a", at_once=8)
    assert shop.room(0) == 8
    for _ in range(8):
        shop.began()
    assert shop.room(0) == 0
    shop.came()
    assert (shop.room(0), shop.is_busy) == (1, True)  # its place is free though nothing is written down yet
    shop.unwritten = UNWRITTEN * 8 - 7
    assert shop.room(0) == 0  # unless too much waits to be
    assert Shop(name="a", at_once=10_000).room(0) == MOST_AT_A_TIME
    assert Shop(name="a", at_once=8, rate=Rate(3.0)).room(0) == 3
    rests = Shop(name="a", at_once=8, rests_until_s=5.0)
    assert (rests.room(4.9), rests.room(5.0)) == (0, 8)
    for _ in range(FAILURES):
        rests.breaker.failed(6.0)
    assert rests.room(6.0) == 0
