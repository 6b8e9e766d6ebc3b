import asyncio
from collections.abc import AsyncIterator

import pytest

from api.http.problem import Unavailable
from api.stream.hub import Hub
from api.stream.signals import Signal, Watch
from sql.config import DatabaseConfig
from sql.pool import Pool
from tests.api.stream.streams import SOON_S


@pytest.fixture
async def hub(database: DatabaseConfig, pool: Pool) -> AsyncIterator[Hub]:
    async with Hub(database, pool, stream_clients=2) as made:
        await made.listening()
        yield made


async def notify(pool: Pool, channel: str, payload: str) -> None:
    await pool.execute("SELECT pg_notify($1, $2)", channel, payload)


async def test_who_watches_an_account_or_a_route_hears_who_moved(hub: Hub, pool: Pool) -> None:
    with hub.on_account(1) as account, hub.on_route(30) as route, hub.on_route(31) as other:
        assert account.read() is None  # at first it may be anybody
        assert other.read() is None
        await notify(pool, "reparto_live", "1:20:30 1:21:0 2:22:32")
        assert await account.wait(SOON_S)
        assert await route.wait(SOON_S)
        assert account.read() == {20, 21}
        assert not await other.wait(0)


async def test_who_watches_a_feed_hears_that_it_grew(hub: Hub, pool: Pool) -> None:
    with hub.on_events(7) as feed:
        await notify(pool, "reparto_events", "6 7")
        assert await feed.wait(SOON_S)


async def test_a_payload_that_nobody_understands_is_passed_over(
    hub: Hub, pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    with hub.on_account(1) as account:
        account.read()
        for payload in ("", "1:2", "one:two:three", "1:-2:3", "1:20:30:40"):
            await notify(pool, "reparto_live", payload)
        await notify(pool, "reparto_live", "1:20:30")
        assert await account.wait(SOON_S)
        assert account.read() == {20}
    assert caplog.text.count("cannot be read") == 4


async def test_after_a_lost_connection_everybody_looks_again_and_hears_again(hub: Hub, pool: Pool) -> None:
    with hub.on_account(1) as account:
        account.read()
        await pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        )
        assert await account.wait(SOON_S)
        assert account.read() is None  # what was told meanwhile is lost: it may be anybody
        await notify(pool, "reparto_live", "1:20:30")
        assert await account.wait(SOON_S)
        assert account.read() == {20}


async def test_a_thing_is_read_once_for_all_who_watch_it_and_no_longer_than_they_do(hub: Hub) -> None:
    runs, stopped = 0, asyncio.Event()
    changed = asyncio.Event()

    async def follow(_hub: Hub, key: int) -> AsyncIterator[str]:
        nonlocal runs
        runs += 1
        try:
            yield f"first of {key}"
            await changed.wait()
            yield f"second of {key}"
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with hub.watch(follow, 5) as one, hub.watch(follow, 5) as two:
        assert await one.next(SOON_S) == await two.next(SOON_S) == "first of 5"
        async with hub.watch(follow, 5) as late:
            assert await late.next(SOON_S) == "first of 5"
        changed.set()
        assert await one.next(SOON_S) == await two.next(SOON_S) == "second of 5"
        assert not stopped.is_set()
    assert runs == 1
    assert stopped.is_set()


async def test_a_thing_that_cannot_be_read_is_tried_again(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    runs = 0

    async def follow(_hub: Hub, _key: int) -> AsyncIterator[int]:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise ConnectionResetError
        if runs == 2:
            raise KeyError("a defect")
        yield runs
        await asyncio.Event().wait()

    async with hub.watch(follow, 1) as watch:
        assert await watch.next(SOON_S) == 3
    assert "cannot read for streams" in caplog.text
    assert "follow failed" in caplog.text


async def test_a_slow_watcher_gets_the_newest_value_only() -> None:
    watch: Watch[int] = Watch()
    for value in range(1000):
        watch.put(value)
    assert await watch.next(0.01) == 999
    assert await watch.next(0.01) is None


def test_more_changes_than_names_are_kept_for_mean_everybody() -> None:
    signal = Signal()
    signal.read()
    for driver_id in range(20_000):
        signal.raise_for(driver_id)
    assert signal.read() is None


async def test_streams_have_seats(hub: Hub) -> None:
    with hub.seat([]):
        with hub.seat([]), pytest.raises(Unavailable), hub.seat([]):
            pass
        with hub.seat([]):
            pass


async def test_a_closing_hub_wakes_everybody(hub: Hub) -> None:
    async def follow(_hub: Hub, _key: int) -> AsyncIterator[int]:
        yield 1
        await asyncio.Event().wait()

    with hub.on_route(1) as signal:
        async with hub.watch(follow, 1) as watch:
            assert await watch.next(SOON_S) == 1
            hub.close_streams()
            assert await signal.wait(SOON_S)
            assert await watch.next(SOON_S) is None
            assert hub.closing
            with pytest.raises(Unavailable), hub.seat([]):
                pass
