"""Devices believed for a moment: bounded, without secrets, and never longer than until they are revoked."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from api.http import auth
from api.http.auth import TOKEN_PREFIX, DeviceCache, Unauthorized, hash_of, new_secret
from sql.account import devices
from sql.account.accounts import ensure_account
from sql.account.devices import DeviceRow, create_device, revoke_device
from sql.pool import Db, Pool


@pytest.fixture
async def made(pool: Pool) -> Callable[[], Awaitable[tuple[int, int, str]]]:
    """`account_id, device_id, token = await made()`: a new device of one driver."""
    account_id = await ensure_account(pool, "mensajeria")
    driver_id = await pool.fetchval(
        "INSERT INTO driver (account_id, lane, external_id, name) VALUES ($1, 7, 'ana', 'Ana') RETURNING id", account_id
    )

    async def make() -> tuple[int, int, str]:
        token = new_secret(TOKEN_PREFIX)
        device_id = await create_device(
            pool, account_id=account_id, driver_id=driver_id, label=None, app="native",
            token_hash=hash_of(token), ingest_token_hash=hash_of(token[::-1]),
        )  # fmt: skip
        assert device_id is not None
        return account_id, device_id, token

    return make


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The hashes that the database was asked for."""
    hashes: list[bytes] = []
    find = devices.find_by_tokens

    async def counted(db: Db | Pool, secret_hashes: Sequence[bytes]) -> dict[bytes, DeviceRow]:
        hashes.extend(secret_hashes)
        return await find(db, secret_hashes)

    monkeypatch.setattr(auth.devices, "find_by_tokens", counted)
    return hashes


async def settled(cache: DeviceCache) -> None:
    """Wait until the cache has looked again, if it does."""
    if cache._looking is not None:
        await cache._looking


async def test_a_full_cache_forgets_those_longest_away_and_no_others(pool: Pool, made: Any, asked: list[bytes]) -> None:
    cache = DeviceCache(pool, ttl_s=60, size=3)
    tokens = [(await made())[2] for _ in range(4)]
    for token in tokens:
        await cache.by_token(token)
    asked.clear()
    for token in tokens[1:]:
        await cache.by_token(token)
    assert asked == []
    await cache.by_token(tokens[0])
    assert asked == [hash_of(tokens[0])]


async def test_what_is_in_memory_opens_nothing(pool: Pool, made: Any) -> None:
    cache = DeviceCache(pool, ttl_s=60)
    _, _, token = await made()
    await cache.by_token(token)
    await cache.by_ingest_token(token[::-1])
    assert token not in repr(vars(cache))
    assert token[::-1] not in repr(vars(cache))


async def test_a_device_that_is_silent_is_believed_for_a_while_and_not_longer(
    pool: Pool, made: Any, asked: list[bytes]
) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, ttl_s=2, clock_s=lambda: now_s)
    _, _, token = await made()
    for now_s, times in ((0.0, 1), (2.1, 2), (4.2, 3)):  # noqa: B007 (the cache reads it)
        await cache.by_token(token)
        assert len(asked) == times


async def test_devices_that_are_heard_are_asked_for_together_beside_their_requests(
    pool: Pool, made: Any, asked: list[bytes]
) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, ttl_s=2, clock_s=lambda: now_s)
    tokens = [(await made())[2] for _ in range(4)]
    for token in tokens:
        await cache.by_token(token)
    now_s = 0.9
    for token in tokens[:3]:
        await cache.by_token(token)
    now_s, asked[:] = 1.9, []
    await cache.by_token(tokens[0])
    await settled(cache)
    assert sorted(asked) == sorted(map(hash_of, tokens[:3]))
    now_s = 3.8
    for token in tokens[:3]:
        await cache.by_token(token)
    await settled(cache)
    assert len(asked) == 6


async def test_a_device_that_was_revoked_unheard_is_shut_out_when_it_is_asked_for_again(
    pool: Pool, made: Any, asked: list[bytes]
) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, ttl_s=2, clock_s=lambda: now_s)
    account_id, device_id, token = await made()
    await cache.by_token(token)
    await revoke_device(pool, account_id=account_id, device_id=device_id)
    now_s = 1.5
    await cache.by_token(token)
    await settled(cache)
    with pytest.raises(Unauthorized):
        await cache.by_token(token)


async def test_without_the_database_devices_are_believed_until_their_time_is_over(
    pool: Pool, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, ttl_s=2, clock_s=lambda: now_s)
    _, _, token = await made()
    await cache.by_token(token)

    async def away(_db: Db | Pool, _secret_hashes: Sequence[bytes]) -> dict[bytes, DeviceRow]:
        raise ConnectionRefusedError

    monkeypatch.setattr(auth.devices, "find_by_tokens", away)
    now_s = 1.5
    await cache.by_token(token)
    await settled(cache)
    await cache.by_token(token)
    now_s = 2.1
    with pytest.raises(ConnectionRefusedError):
        await cache.by_token(token)


async def test_a_forgotten_device_is_asked_for_and_the_others_are_not(
    pool: Pool, made: Any, asked: list[bytes]
) -> None:
    cache = DeviceCache(pool, ttl_s=60)
    (account_id, gone, token), (_, _, other) = await made(), await made()
    await cache.by_token(token)
    await cache.by_token(other)
    await revoke_device(pool, account_id=account_id, device_id=gone)
    cache.forget(gone)
    asked.clear()
    await cache.by_token(other)
    with pytest.raises(Unauthorized):
        await cache.by_token(token)
    assert asked == [hash_of(token)]


async def test_an_answer_that_is_older_than_the_revocation_is_not_believed(
    pool: Pool, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = DeviceCache(pool, ttl_s=60)
    account_id, device_id, token = await made()
    found, go_on = asyncio.Event(), asyncio.Event()
    find = devices.find_by_tokens

    async def slow(db: Db | Pool, secret_hashes: Sequence[bytes]) -> dict[bytes, DeviceRow]:
        rows = await find(db, secret_hashes)
        found.set()
        await go_on.wait()
        return rows

    monkeypatch.setattr(auth.devices, "find_by_tokens", slow)
    asking = asyncio.create_task(cache.by_token(token))
    await found.wait()
    await revoke_device(pool, account_id=account_id, device_id=device_id)
    cache.forget(device_id)
    go_on.set()
    await asking  # it came before
    with pytest.raises(Unauthorized):
        await cache.by_token(token)


async def test_while_revocations_are_heard_a_busy_device_is_not_asked_for_again(
    pool: Pool, made: Any, asked: list[bytes]
) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, ttl_s=2, clock_s=lambda: now_s)
    (_, _, before), (account_id, device_id, token) = await made(), await made()
    await cache.by_token(before)
    now_s = 0.5
    await cache.by_token(token)
    asked.clear()
    for tenth in range(5, 300):
        now_s = tenth / 10
        cache.heard(0.2, now_s)
        await cache.by_token(token)
        await settled(cache)
    assert asked == []
    await cache.by_token(before)  # its answer is older than the listening
    assert asked == [hash_of(before)]
    await revoke_device(pool, account_id=account_id, device_id=device_id)
    cache.forget(device_id)
    with pytest.raises(Unauthorized):
        await cache.by_token(token)


async def test_when_nothing_is_heard_any_more_a_device_is_looked_at_again(
    pool: Pool, made: Any, asked: list[bytes]
) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, ttl_s=2, clock_s=lambda: now_s)
    account_id, device_id, token = await made()
    await cache.by_token(token)
    cache.heard(0.0, 10.0)
    await revoke_device(pool, account_id=account_id, device_id=device_id)  # and that is lost
    now_s = 11.0
    await cache.by_token(token)
    await settled(cache)
    with pytest.raises(Unauthorized):
        await cache.by_token(token)


async def test_what_nobody_tells_is_seen_in_a_minute(pool: Pool, made: Any, asked: list[bytes]) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, ttl_s=2, clock_s=lambda: now_s)
    _, device_id, token = await made()
    await cache.by_token(token)
    await pool.execute("UPDATE device SET revoked_at = now() WHERE id = $1", device_id)
    cache.heard(0.0, now_s := 59.0)
    await cache.by_token(token)
    cache.heard(0.0, now_s := 62.0)
    with pytest.raises(Unauthorized):
        await cache.by_token(token)


async def test_an_answer_that_took_longer_than_it_is_believed_is_not_kept(
    pool: Pool, made: Any, asked: list[bytes]
) -> None:
    now_s = 0.0

    def slow_s() -> float:
        nonlocal now_s
        now_s += 2.0
        return now_s

    cache = DeviceCache(pool, ttl_s=2, clock_s=slow_s)
    _, _, token = await made()
    cache.heard(0.0, 100.0)
    await cache.by_token(token)
    await cache.by_token(token)
    assert len(asked) == 2
