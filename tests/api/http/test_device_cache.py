"""Devices believed for a moment: bounded, without secrets, and never longer than until they are revoked."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from api.http.auth import TOKEN_PREFIX, hash_of, new_secret
from api.http.known import devices as known_devices
from api.http.known.devices import BELIEVED_LONGEST_S, REMEMBERED_S, DeviceCache
from sql.account import devices
from sql.account.accounts import ensure_account
from sql.account.devices import DeviceRow, create_device, revoke_device
from sql.pool import Db, Pool

Known = tuple[bool, bytes, int]


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
    find, find_gone = devices.find_by_tokens, devices.not_as_known

    async def counted(db: Db | Pool, secret_hashes: Sequence[bytes]) -> dict[bytes, DeviceRow]:
        hashes.extend(secret_hashes)
        return await find(db, secret_hashes)

    async def counted_again(db: Db | Pool, known: Sequence[Known]) -> set[tuple[bool, bytes]]:
        hashes.extend(secret_hash for _, secret_hash, _ in known)
        return await find_gone(db, known)

    monkeypatch.setattr(devices, "find_by_tokens", counted)
    monkeypatch.setattr(devices, "not_as_known", counted_again)
    return hashes


async def by_token(cache: DeviceCache, token: str) -> DeviceRow | None:
    """Find a device by its token."""
    return await cache.find(hash_of(token), can_read=True)


async def settled(cache: DeviceCache) -> None:
    """Wait until the cache has looked again, if it does."""
    if cache._looking is not None:
        await cache._looking


async def test_a_full_cache_forgets_those_longest_away_and_no_others(pool: Pool, made: Any, asked: list[bytes]) -> None:
    cache = DeviceCache(pool, ttl_s=60, size=3)
    tokens = [(await made())[2] for _ in range(4)]
    for token in tokens:
        await by_token(cache, token)
    asked.clear()
    for token in tokens[1:]:
        await by_token(cache, token)
    assert asked == []
    await by_token(cache, tokens[0])
    assert asked == [hash_of(tokens[0])]


async def test_what_is_in_memory_opens_nothing(pool: Pool, made: Any) -> None:
    cache = DeviceCache(pool, ttl_s=60)
    _, _, token = await made()
    await by_token(cache, token)
    await cache.find(hash_of(token[::-1]), can_read=False)
    assert token not in repr(vars(cache))
    assert token[::-1] not in repr(vars(cache))


async def test_a_device_that_is_silent_is_believed_for_a_while_and_not_longer(
    pool: Pool, made: Any, asked: list[bytes]
) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, ttl_s=2, clock_s=lambda: now_s)
    _, _, token = await made()
    for now_s, times in ((0.0, 1), (2.1, 2), (4.2, 3)):  # noqa: B007 (the cache reads it)
        await by_token(cache, token)
        assert len(asked) == times


async def test_devices_that_are_heard_are_asked_for_together_beside_their_requests(
    pool: Pool, made: Any, asked: list[bytes]
) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, ttl_s=2, clock_s=lambda: now_s)
    tokens = [(await made())[2] for _ in range(4)]
    for token in tokens:
        await by_token(cache, token)
    now_s = 0.9
    for token in tokens[:3]:
        await by_token(cache, token)
    now_s, asked[:] = 1.9, []
    await by_token(cache, tokens[0])
    await settled(cache)
    assert sorted(asked) == sorted(map(hash_of, tokens[:3]))
    now_s = 3.8
    for token in tokens[:3]:
        await by_token(cache, token)
    await settled(cache)
    assert len(asked) == 6


async def test_a_device_that_was_revoked_unheard_is_shut_out_when_it_is_asked_for_again(
    pool: Pool, made: Any, asked: list[bytes]
) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, ttl_s=2, clock_s=lambda: now_s)
    account_id, device_id, token = await made()
    await by_token(cache, token)
    await revoke_device(pool, account_id=account_id, device_id=device_id)
    now_s = 1.5
    await by_token(cache, token)
    await settled(cache)
    assert await by_token(cache, token) is None


async def test_without_the_database_devices_are_believed_until_their_time_is_over(
    pool: Pool, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, ttl_s=2, clock_s=lambda: now_s)
    _, _, token = await made()
    await by_token(cache, token)

    async def away(_db: Db | Pool, _asked: Sequence[Any]) -> Any:
        raise ConnectionRefusedError

    monkeypatch.setattr(devices, "find_by_tokens", away)
    monkeypatch.setattr(devices, "not_as_known", away)
    now_s = 1.5
    await by_token(cache, token)
    await settled(cache)
    await by_token(cache, token)
    now_s = 2.1
    with pytest.raises(ConnectionRefusedError):
        await by_token(cache, token)


async def test_a_forgotten_device_is_asked_for_and_the_others_are_not(
    pool: Pool, made: Any, asked: list[bytes]
) -> None:
    cache = DeviceCache(pool, ttl_s=60)
    (account_id, gone, token), (_, _, other) = await made(), await made()
    await by_token(cache, token)
    await by_token(cache, other)
    await revoke_device(pool, account_id=account_id, device_id=gone)
    cache.forget(gone)
    asked.clear()
    await by_token(cache, other)
    assert await by_token(cache, token) is None
    assert asked == [hash_of(token)]


def answers_held_back(monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """Have answers about tokens come only when somebody lets them: found, and go on."""
    found, go_on, find = asyncio.Event(), asyncio.Event(), devices.find_by_tokens

    async def slow(db: Db | Pool, secret_hashes: Sequence[bytes]) -> dict[bytes, DeviceRow]:
        rows = await find(db, secret_hashes)
        found.set()
        await go_on.wait()
        return rows

    monkeypatch.setattr(devices, "find_by_tokens", slow)
    return found, go_on


async def test_an_answer_that_is_older_than_the_revocation_is_not_believed(
    pool: Pool, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = DeviceCache(pool, ttl_s=60)
    account_id, device_id, token = await made()
    found, go_on = answers_held_back(monkeypatch)
    asking = asyncio.create_task(by_token(cache, token))
    await found.wait()
    await revoke_device(pool, account_id=account_id, device_id=device_id)
    cache.forget(device_id)
    go_on.set()
    await asking  # it came before
    assert await by_token(cache, token) is None


async def test_while_revocations_are_heard_a_busy_device_is_not_asked_for_again(
    pool: Pool, made: Any, asked: list[bytes]
) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, ttl_s=2, clock_s=lambda: now_s)
    (_, _, before), (account_id, device_id, token) = await made(), await made()
    await by_token(cache, before)
    now_s = 0.5
    await by_token(cache, token)
    asked.clear()
    for tenth in range(5, 300):
        now_s = tenth / 10
        cache.heard(0.2, now_s)
        await by_token(cache, token)
        await settled(cache)
    await by_token(cache, before)
    assert asked == [hash_of(before)], "once, beside the requests: its answer was older than the listening"
    await revoke_device(pool, account_id=account_id, device_id=device_id)
    cache.forget(device_id)
    assert await by_token(cache, token) is None


async def test_when_nothing_is_heard_any_more_a_device_is_looked_at_again(
    pool: Pool, made: Any, asked: list[bytes]
) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, ttl_s=2, clock_s=lambda: now_s)
    account_id, device_id, token = await made()
    await by_token(cache, token)
    cache.heard(0.0, 10.0)
    await revoke_device(pool, account_id=account_id, device_id=device_id)  # and that is lost
    now_s = 11.0
    await by_token(cache, token)
    await settled(cache)
    assert await by_token(cache, token) is None


async def test_what_nobody_tells_is_seen_in_five_minutes(pool: Pool, made: Any, asked: list[bytes]) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, ttl_s=2, clock_s=lambda: now_s)
    _, device_id, token = await made()
    await by_token(cache, token)
    await pool.execute("UPDATE device SET revoked_at = now() WHERE id = $1", device_id)
    cache.heard(0.0, now_s := BELIEVED_LONGEST_S - 1)
    await by_token(cache, token)
    cache.heard(0.0, now_s := BELIEVED_LONGEST_S + 2)
    assert await by_token(cache, token) is None


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
    await by_token(cache, token)
    await by_token(cache, token)
    assert len(asked) == 2


async def test_phones_that_come_at_the_same_time_are_looked_up_together(
    pool: Pool, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries: list[int] = []
    find = devices.find_by_tokens

    async def counted(db: Db | Pool, secret_hashes: Sequence[bytes]) -> dict[bytes, DeviceRow]:
        queries.append(len(secret_hashes))
        return await find(db, secret_hashes)

    monkeypatch.setattr(devices, "find_by_tokens", counted)
    monkeypatch.setattr(known_devices, "LOOKED_UP", 5)
    cache = DeviceCache(pool)
    phones = [await made() for _ in range(6)]
    tokens = [token for _, _, token in phones]
    found = await asyncio.gather(*(by_token(cache, token) for token in [*tokens, "nobody", *tokens]))
    assert [one and one.id for one in found] == [*(number for _, number, _ in phones), None] + [
        number for _, number, _ in phones
    ]
    assert queries == [5, 2]
    sends = await asyncio.gather(
        cache.find(hash_of(tokens[0][::-1]), can_read=False),
        cache.find(hash_of(tokens[0][::-1]), can_read=True),
        cache.find(hash_of(tokens[0]), can_read=False),
    )
    assert [one and one.id for one in sends] == [phones[0][1], None, None]


async def test_who_asks_while_a_query_is_under_way_is_asked_for_in_the_next(
    pool: Pool, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = DeviceCache(pool)
    account_id, device_id, token = await made()
    found, go_on = answers_held_back(monkeypatch)
    first = asyncio.create_task(by_token(cache, token))
    await found.wait()
    await revoke_device(pool, account_id=account_id, device_id=device_id)  # and nobody told us yet
    second = asyncio.create_task(by_token(cache, token))
    await asyncio.sleep(0)
    go_on.set()
    assert await first is not None
    assert await second is None


async def test_who_hangs_up_takes_no_answer_from_others_and_an_error_is_everybodys(
    pool: Pool, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = DeviceCache(pool)
    _, device_id, token = await made()
    gone, stays = (asyncio.create_task(by_token(cache, token)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    found = await stays
    assert found is not None
    assert found.id == device_id

    async def away(_db: Db | Pool, _asked: Sequence[Any]) -> Any:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(devices, "find_by_tokens", away)
        said = await asyncio.gather(*(by_token(cache, f"{n}") for n in range(3)), return_exceptions=True)
    assert [type(one) for one in said] == [ConnectionRefusedError] * 3
    assert await by_token(cache, "nobody") is None, "it goes on"


async def test_while_revocations_are_heard_phones_are_asked_for_again_a_few_at_a_time(
    pool: Pool, made: Any, asked: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 0.0
    monkeypatch.setattr(known_devices, "LOOKED_AT", 4)
    cache = DeviceCache(pool, clock_s=lambda: now_s)
    cache.heard(0.0, now_s)
    tokens = [(await made())[2] for _ in range(20)]
    for token in tokens:
        await by_token(cache, token)
    asked.clear()
    most, asked_s = 0, dict.fromkeys(map(hash_of, tokens), 0.0)
    for tenth in range(1, 8_000):
        now_s = tenth / 10
        cache.heard(0.0, now_s)
        await by_token(cache, tokens[0])  # the others send once in a quarter of an hour
        await settled(cache)
        most = max(most, len(asked))
        for secret_hash in asked:
            asked_s[secret_hash] = now_s
        asked.clear()
        assert min(asked_s.values()) > now_s - BELIEVED_LONGEST_S
    assert most == 4


async def test_a_phone_that_is_silent_for_long_is_not_asked_for_again(
    pool: Pool, made: Any, asked: list[bytes]
) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, clock_s=lambda: now_s)
    tokens = [(await made())[2] for _ in range(2)]
    for token in tokens:
        await by_token(cache, token)
    for second in range(round(REMEMBERED_S + BELIEVED_LONGEST_S)):
        now_s = float(second)
        cache.heard(0.0, now_s)
        await by_token(cache, tokens[0])
        await settled(cache)
    silent = hash_of(tokens[1])
    assert asked.count(silent) > REMEMBERED_S / BELIEVED_LONGEST_S
    assert cache.believed(silent, can_read=True) is None
    asked.clear()
    assert await by_token(cache, tokens[1]) is not None
    assert silent in asked


async def test_a_phone_that_is_revoked_while_it_is_asked_for_again_is_not_believed_by_that(
    pool: Pool, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, clock_s=lambda: now_s)
    (account_id, device_id, token), (_, _, other) = await made(), await made()
    await by_token(cache, token)
    await by_token(cache, other)
    found, go_on = asyncio.Event(), asyncio.Event()
    find_gone = devices.not_as_known

    async def slow(db: Db | Pool, known: Sequence[Known]) -> set[tuple[bool, bytes]]:
        answer = await find_gone(db, known)
        found.set()
        await go_on.wait()
        return answer

    monkeypatch.setattr(devices, "not_as_known", slow)
    now_s = BELIEVED_LONGEST_S * 2 / 3
    cache.heard(0.0, now_s)
    assert await by_token(cache, other) is not None
    await found.wait()
    await revoke_device(pool, account_id=account_id, device_id=device_id)
    cache.forget(device_id)
    go_on.set()
    await settled(cache)
    assert await by_token(cache, token) is None
    assert await by_token(cache, other) is not None


async def test_when_revocations_are_heard_again_phones_are_asked_for_beside_their_requests(
    pool: Pool, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, clock_s=lambda: now_s)
    cache.heard(0.0, 0.0)
    (account_id, device_id, token), (_, _, other), (_, _, third) = [await made() for _ in range(3)]
    for one in (token, other, third):
        await by_token(cache, one)
    await revoke_device(pool, account_id=account_id, device_id=device_id)  # while nobody listened
    now_s = 30.0
    cache.heard(29.5, now_s)
    assert cache.believed(hash_of(token), can_read=True) is None
    await settled(cache)
    assert cache.believed(hash_of(other), can_read=True) is not None
    assert cache.believed(hash_of(third), can_read=True) is not None
    assert await by_token(cache, token) is None


async def test_a_secret_opens_what_it_did_only_while_it_does(pool: Pool, made: Any) -> None:
    account_id, device_id, token = await made()
    found = await DeviceCache(pool).find(hash_of(token), can_read=True)
    assert found is not None
    opens, sends = (True, hash_of(token)), (False, hash_of(token[::-1]))
    good = [(*opens, device_id), (*sends, device_id)]
    assert await devices.not_as_known(pool, good) == set()
    crossed = [(False, hash_of(token), device_id), (True, hash_of(token[::-1]), device_id)]
    assert await devices.not_as_known(pool, [*good, *crossed, (True, hash_of("x"), device_id)]) == {
        *((opened, secret_hash) for opened, secret_hash, _ in crossed), (True, hash_of("x")),
    }  # fmt: skip
    assert await devices.not_as_known(pool, [(*opens, device_id + 1)]) == {opens}
    await pool.execute("UPDATE driver SET deleted_at = now() WHERE id = $1", found.driver_id)
    assert await devices.not_as_known(pool, good) == {opens, sends}
    await pool.execute("UPDATE driver SET deleted_at = NULL")
    await revoke_device(pool, account_id=account_id, device_id=device_id)
    assert await devices.not_as_known(pool, good) == {opens, sends}
