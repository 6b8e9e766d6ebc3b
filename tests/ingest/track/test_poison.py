"""What stops a tracker, and what it must not stop: blocks that kill, lanes that fail, a Postgres that cannot now."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import asyncpg
import pytest

from ingest import blocks
from ingest.track.batch import Batch
from ingest.track.take import STEPS
from ingest.track.tracker import DEADLY_ATTEMPTS, run_tracker
from ingest.track.write import write
from sql.pool import Connection
from tests.ingest.track.conftest import Fleet
from tests.ingest.track.trackers import with_step


async def test_a_tracker_that_dies_in_the_middle_leaves_nothing_half_done(fleet: Fleet, east, tour):
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    await fleet.send(phone, east(tour))

    async def die(*_: object) -> Batch:
        raise ConnectionError("the process was killed")

    await fleet.take_in_steps(with_step("write", die))
    with pytest.raises(ConnectionError):
        await fleet.turn()
    await fleet.take_in_steps(STEPS)
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping") == 0
    assert await fleet.pool.fetchval("SELECT sum(pings) FROM inbox") == len(tour)
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping") == len(tour)
    assert await fleet.pool.fetchval("SELECT max(attempts) FROM lane_attempt") == 0


async def test_a_block_that_kills_the_process_is_quarantined_unread(fleet: Fleet, east, monkeypatch):
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(0, 0)]))
    poison = await fleet.pool.fetchval("SELECT id FROM inbox")
    await fleet.send(phone, east([(10, 80)]))

    def die_of(bodies: Sequence[bytes]):
        if killer in bodies:
            raise SystemError("the process was killed")
        return decode_all(bodies)

    decode_all = blocks.decode_all
    killer = await fleet.pool.fetchval("SELECT body FROM inbox WHERE id = $1", poison)
    monkeypatch.setattr("ingest.blocks.decode_all", die_of)
    for _ in range(DEADLY_ATTEMPTS - 1):
        with pytest.raises(SystemError):
            await fleet.turn()
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT reason FROM quarantine") == "ended-the-tracker"
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping") == 1


async def test_three_kills_in_a_row_lose_no_block(fleet: Fleet, east):
    """A block is to blame only when it is alone in its take, and again and again."""
    phone = await fleet.phone(await fleet.driver())
    for at in range(5):
        await fleet.send(phone, east([(10 * at, 80 * at)]))

    async def die(*_: object) -> Batch:
        raise SystemError("the process was killed")

    await fleet.take_in_steps(with_step("write", die))
    for _ in range(4):
        with pytest.raises(SystemError):
            await fleet.turn()
    await fleet.take_in_steps(STEPS)
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM quarantine") == 0
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping") == 5


async def test_of_a_block_of_several_phones_only_the_deadly_one_s_pings_are_set_aside(fleet: Fleet, east, monkeypatch):
    driver = await fleet.driver()
    deadly, harmless = await fleet.phone(driver), await fleet.phone(driver)
    for phone in (deadly, harmless):
        await fleet.send(phone, east([(0, 0)]))
    bodies = [row["body"] for row in await fleet.pool.fetch("SELECT body FROM inbox ORDER BY id")]
    decode_all = blocks.decode_all
    (joined,) = blocks.split([(deadly.lane, decode_all(bodies)[0])])
    await fleet.pool.execute("DELETE FROM inbox WHERE id > (SELECT min(id) FROM inbox)")
    await fleet.pool.execute("UPDATE inbox SET body = $1, pings = 2", joined.body)

    def die_of_one(bodies: Sequence[bytes]):
        if deadly.device_id in [device for body in bodies for _, device in blocks.devices_in(body)]:
            raise SystemError("the process was killed")
        return decode_all(bodies)

    monkeypatch.setattr("ingest.blocks.decode_all", die_of_one)
    for _ in range(100):
        try:
            if not await fleet.turn():
                break
        except SystemError:
            continue
    row = await fleet.pool.fetchrow("SELECT account_id, driver_id, device_id, reason, body FROM quarantine")
    assert (row["device_id"], row["reason"]) == (deadly.device_id, "ended-the-tracker")
    assert row["account_id"] == await fleet.pool.fetchval("SELECT account_id FROM driver")
    assert len(blocks.decode(row["body"])) == 1
    assert await fleet.pool.fetchval("SELECT device_id FROM ping") == harmless.device_id


async def test_a_database_that_is_lost_again_and_again_is_no_block_s_fault(fleet: Fleet, east, monkeypatch):
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(0, 0)]))
    lost = 0

    async def lose(db: Connection, batch: Batch) -> Batch:
        nonlocal lost
        lost += 1
        if lost <= 2 * DEADLY_ATTEMPTS:
            raise ConnectionResetError
        return await write(db, batch)

    monkeypatch.setattr("ingest.track.tracker.STEPS", with_step("write", lose))
    monkeypatch.setattr("ingest.track.tracker.random.uniform", lambda *_: 0.01)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(60):
        tasks.create_task(run_tracker(fleet.config, fleet.database, stop=stop))
        while not await fleet.pool.fetchval("SELECT count(*) FROM ping"):
            await asyncio.sleep(0.02)
        stop.set()
    assert lost > 2 * DEADLY_ATTEMPTS
    assert await fleet.pool.fetchval("SELECT count(*) FROM quarantine") == 0


async def test_a_damaged_block_is_quarantined(fleet: Fleet, east):
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(0, 0)]))
    await fleet.pool.execute("UPDATE inbox SET body = '\\x00' || body")
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT reason FROM quarantine") == "unreadable-block"


async def test_a_block_that_kills_takes_no_other_lane_with_it(fleet: Fleet, east, monkeypatch):
    deadly, harmless = await fleet.phone(await fleet.driver("ana")), await fleet.phone(await fleet.driver("bo"))
    assert deadly.lane < harmless.lane
    for phone in (deadly, harmless):
        await fleet.send(phone, east([(0, 0)]))
    poison = await fleet.pool.fetchval("SELECT body FROM inbox WHERE lane = $1", deadly.lane)
    decode_all = blocks.decode_all

    def die_of_it(bodies: Sequence[bytes]):
        if poison in bodies:
            raise SystemError("the process was killed")
        return decode_all(bodies)

    monkeypatch.setattr("ingest.blocks.decode_all", die_of_it)
    monkeypatch.setattr("ingest.track.tracker.random.choice", min)
    for _ in range(DEADLY_ATTEMPTS - 1):
        with pytest.raises(SystemError):
            await fleet.turn()
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM quarantine") == 1
    assert await fleet.pool.fetchval("SELECT driver_id FROM ping") == harmless.driver_id


async def test_a_lane_that_fails_without_a_block_is_left_alone_for_a_while(fleet: Fleet, east):
    stuck, other = await fleet.phone(await fleet.driver("ana")), await fleet.phone(await fleet.driver("bo"))
    await fleet.send(stuck, east([(0, 0), (10, 80)]))
    await fleet.settle()
    await fleet.pool.execute("UPDATE track SET rerun_from = '-infinity'")

    async def fail_for_her(db: Connection, batch: Batch) -> Batch:
        if stuck.driver_id in batch.drivers.ids:
            raise ZeroDivisionError
        return await write(db, batch)

    await fleet.take_in_steps(with_step("write", fail_for_her))
    for _ in range(DEADLY_ATTEMPTS):
        with pytest.raises(ZeroDivisionError):
            await fleet.turn()
    await fleet.send(other, east([(0, 0)]))
    assert await fleet.turn()
    assert not await fleet.turn()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE driver_id = $1", other.driver_id) == 1
    await fleet.take_in_steps(STEPS)
    await fleet.pool.execute("UPDATE lane_attempt SET tried_at = tried_at - interval '1 hour'")
    await fleet.settle()


async def test_what_postgres_cannot_do_now_is_no_blocks_fault(fleet: Fleet, east):
    """Somebody makes an index on the pings, for longer than a tracker waits for a lock."""
    fleet.database = replace(fleet.database, lock_timeout_s=0.05)
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(0, 0)]))
    async with fleet.pool.acquire() as db, db.transaction():
        await db.execute("LOCK TABLE ping IN SHARE MODE")
        for _ in range(5):
            with pytest.raises(asyncpg.LockNotAvailableError):
                await fleet.turn()
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping") == 1


async def test_what_fails_beside_the_takes_does_not_stop_them(fleet: Fleet, east, monkeypatch):
    async def fail(*_: object, **__: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr("ingest.track.tracker.notice_silence", fail)
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(0, 0)]))
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(60):
        tasks.create_task(run_tracker(fleet.config, fleet.database, stop=stop))
        while not await fleet.pool.fetchval("SELECT count(*) FROM ping"):
            await asyncio.sleep(0.02)
        stop.set()
