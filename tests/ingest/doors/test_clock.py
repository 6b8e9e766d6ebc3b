"""A phone whose clock is wrong: its pings are dated anew, and say so."""

import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from geo.pings import Pings
from geo.trust.clean import Flag
from sql.pool import Pool
from tests.ingest.doors.phones import Client, Phone, ping

Kept = Callable[[], Awaitable[Pings]]


async def post(client: Client, phone: Phone, body: Any) -> Any:
    response = await client.post(
        "/v1/pings", data=json.dumps(body), headers={"Content-Type": "application/json", **phone.headers}
    )
    assert response.status == 200
    return await response.json()


def ages(pings: Pings) -> list[float]:
    now_ms = datetime.now(UTC).timestamp() * 1000
    return [(now_ms - ms) / 1000 for ms in sorted(pings.rows["recorded_ms"].tolist())]


def flags(pings: Pings) -> set[int]:
    return set(pings.rows["flags"].tolist())


@pytest.mark.parametrize("minutes", [4, 10, 60])
async def test_a_fast_clock_is_shown_by_the_newest_ping(client: Client, phone: Phone, kept: Kept, minutes: int) -> None:
    body = {"pings": [ping(-60 * minutes + ago) for ago in (0, 5, 10)]}
    assert (await post(client, phone, body))["accepted"] == 3
    pings = await kept()
    assert flags(pings) == {int(Flag.CLOCK_CORRECTED)}
    assert ages(pings) == [pytest.approx(age, abs=10) for age in (10, 5, 0)]


async def test_sent_again_they_are_the_same_pings(client: Client, phone: Phone, kept: Kept) -> None:
    body = {"pings": [ping(-600), ping(-595)]}
    for _ in range(2):
        await post(client, phone, body)
    assert len(set((await kept()).rows["recorded_ms"].tolist())) == 2


@pytest.mark.parametrize("minutes", [-600, -10, -4, 4, 60, 525_600])
async def test_who_says_when_they_send_is_corrected_both_ways(
    client: Client, phone: Phone, kept: Kept, minutes: int
) -> None:
    off_s = 60 * minutes
    body = {"pings": [ping(1800 - off_s), ping(60 - off_s)], "sent_at": ping(-off_s)["time"]}
    assert await post(client, phone, body) == {"accepted": 2, "rejected": []}
    pings = await kept()
    assert flags(pings) == {int(Flag.CLOCK_CORRECTED)}
    assert ages(pings) == [pytest.approx(age, abs=10) for age in (1800, 60)]


async def test_a_right_clock_is_left_alone_and_odd_words_for_it_too(client: Client, phone: Phone, kept: Kept) -> None:
    for sent_at in (ping(0)["time"], "yesterday", 5.5, "2026-03-02T08:00:00", None):
        await post(client, phone, {"pings": [ping(60)], "sent_at": sent_at})
    pings = await kept()
    assert flags(pings) == {0}


async def test_one_ping_far_ahead_of_the_others_moves_none_of_them(client: Client, phone: Phone, kept: Kept) -> None:
    await post(client, phone, {"pings": [ping(20), ping(10), ping(-7200), ping(0)]})
    pings = await kept()
    assert flags(pings) == {0, int(Flag.CLOCK_AHEAD)}
    assert ages(pings)[:3] == [pytest.approx(age, abs=5) for age in (20, 10, 0)]


async def test_a_store_apps_clock_is_corrected_too(client: Client, phone: Phone, kept: Kept) -> None:
    ahead_s = round(datetime.now(UTC).timestamp()) + 600
    for second in range(3):
        path = f"/ingest/{phone.ingest_token}/osmand?lat=4.6&lon=-74.1&timestamp={ahead_s + second}"
        assert (await client.get(path)).status == 200
    pings = await kept()
    assert flags(pings) == {int(Flag.CLOCK_CORRECTED)}
    assert all(abs(age) < 15 for age in ages(pings))


@pytest.mark.parametrize("minutes", [-34 * 24 * 60, -10, 10, 34 * 24 * 60])
async def test_a_clock_of_ours_that_is_wrong_dates_and_refuses_nothing(
    client: Client, phone: Phone, kept: Kept, pool: Pool, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """Ours is off by so much, and the phone's is right, as the database's is."""
    now_s = time.time
    right = datetime.fromtimestamp(now_s() - 60 * minutes, UTC)
    monkeypatch.setattr(pool.clock, "hear", lambda *_: None)
    monkeypatch.setattr(pool.clock, "_ahead_s", right.timestamp() - time.monotonic())
    body = {"pings": [ping(60 * minutes + ago) for ago in (20, 10)]}
    sent = {**body, "pings": [ping(60 * minutes + ago) for ago in (15, 5)], "sent_at": ping(60 * minutes)["time"]}
    for one in (body, sent):
        assert await post(client, phone, one) == {"accepted": 2, "rejected": []}
    pings = await kept()
    assert flags(pings) == {0}
    assert ages(pings) == [pytest.approx(60 * minutes + age, abs=10) for age in (20, 15, 10, 5)]
