"""Replay, and the phone it sends with: nothing is given up, order is kept, the recording ends now."""

import argparse
import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from reparto.client.client import Phone, RequestRefused
from reparto.client.recordings import Recording, SentPing
from reparto.client.tally import Tally
from reparto.data.replay import AT_ONCE, MAX_BATCH, ending_now, joined, send_recording, speed_of


def recorded(*seconds: int) -> Recording:
    return Recording(name="r", pings=tuple(SentPing(time=second * 1000, lat=1.0, lon=2.0) for second in seconds))


class Door:
    """A door that answers as it is told, then well."""

    def __init__(self, *answers: Callable[[], Awaitable[web.Response | None]]) -> None:
        self.answers = list(answers)
        self.kept: list[list[int]] = []

    async def answer(self, request: web.Request) -> web.Response:
        pings = msgspec.json.decode(await request.read())["pings"]
        if self.answers and (told := await self.answers.pop(0)()) is not None:
            return told
        self.kept.append([ping["time"] for ping in pings])
        rejected = [{"index": at, "why": "lat-out-of-range"} for at, ping in enumerate(pings) if ping["lat"] > 90]
        return web.json_response({"accepted": len(pings) - len(rejected), "rejected": rejected})


def refusing(status: int, retry_after: str | None = None) -> Callable[[], Awaitable[web.Response]]:
    async def answer() -> web.Response:
        return web.json_response(
            {"type": "x", "title": "T", "status": status, "detail": "because"},
            status=status,
            headers={"Retry-After": retry_after} if retry_after is not None else {},
        )

    return answer


MakePhone = Callable[[Door], Awaitable[tuple[Phone, Tally]]]


@pytest.fixture
async def phone_at() -> AsyncIterator[MakePhone]:
    servers: list[TestServer] = []
    session = aiohttp.ClientSession()

    async def make(door: Door) -> tuple[Phone, Tally]:
        app = web.Application()
        app.router.add_post("/v1/pings", door.answer)
        server = TestServer(app)
        servers.append(server)
        await server.start_server()
        tally = Tally()
        return Phone(session, str(server.make_url("/")), "rpd_x", tally, random.Random(1)), tally

    yield make
    await session.close()
    for server in servers:
        await server.close()


async def test_a_phone_sends_a_batch_until_it_is_acknowledged(phone_at: MakePhone) -> None:
    door = Door(refusing(503, "0"), refusing(429, "0"), refusing(500, "0"))
    phone, tally = await phone_at(door)
    assert await phone.send(recorded(1, 2).pings) == []
    assert door.kept == [[1000, 2000]]
    assert (tally.sent, tally.acknowledged, tally.accepted) == (8, 2, 2)
    assert tally.retried == {"503": 1, "429": 1, "500": 1}


async def test_a_phone_that_hung_up_sends_the_same_batch_again(phone_at: MakePhone) -> None:
    door = Door()
    phone, tally = await phone_at(door)

    async def slow() -> web.Response | None:
        if tally.retried:
            return None  # the phone hung up before it came to us: this is the next try
        while not tally.retried:
            await asyncio.sleep(0.01)
        return web.Response()  # to nobody

    door.answers.append(slow)
    await phone.send(recorded(1).pings, hang_up_after_s=0.05)
    assert door.kept == [[1000]]
    assert tally.retried == {"no answer": 1}


async def test_what_is_refused_for_good_is_counted_by_its_reason(phone_at: MakePhone) -> None:
    phone, tally = await phone_at(Door())
    pings = (SentPing(time=1, lat=91.0, lon=0.0), SentPing(time=2, lat=9.0, lon=0.0))
    assert await phone.send(pings) == [0]
    assert (tally.acknowledged, tally.accepted, tally.refused) == (2, 1, {"lat-out-of-range": 1})


@pytest.mark.parametrize("status", [400, 401, 413, 415])
async def test_a_phone_gives_up_only_where_trying_again_cannot_help(phone_at: MakePhone, status: int) -> None:
    phone, _ = await phone_at(Door(refusing(status)))
    with pytest.raises(RequestRefused, match="because") as caught:
        await phone.send(recorded(1).pings)
    assert caught.value.status == status


async def test_a_replay_keeps_the_order_of_rows_and_tells_of_its_progress(phone_at: MakePhone) -> None:
    door, told = Door(), list[int]()
    phone, _ = await phone_at(door)
    seconds = [*range(MAX_BATCH), 7, 3]
    await send_recording(phone, recorded(*seconds), AT_ONCE, told.append)
    assert [time_ms for batch in door.kept for time_ms in batch] == [second * 1000 for second in seconds]
    assert told == [MAX_BATCH, 2]


async def test_a_late_row_waits_for_the_rows_before_it_and_no_ping_is_sent_before_its_time(phone_at: MakePhone) -> None:
    door = Door()
    phone, _ = await phone_at(door)
    began_s = time.monotonic()
    await send_recording(phone, recorded(0, 100, 50, 200), 1000.0, lambda sent: None)
    assert time.monotonic() - began_s >= 0.2
    assert [ms for batch in door.kept for ms in batch] == [0, 100_000, 50_000, 200_000]
    assert door.kept[0] == [0]


def test_a_recording_is_moved_so_that_it_ends_when_the_replay_does() -> None:
    before_ms = time.time() * 1000
    assert ending_now(recorded(0, 600), AT_ONCE).last_ms == pytest.approx(before_ms, abs=60_000)
    sped_up = ending_now(recorded(0, 600), 60.0)
    assert sped_up.last_ms == pytest.approx(before_ms + 10_000, abs=60_000)
    assert sped_up.last_ms - sped_up.first_ms == 600_000


def test_several_files_of_one_driver_are_one_recording() -> None:
    assert joined("ana", [recorded(1, 2), recorded(5)]).pings == recorded(1, 2, 5).pings


@pytest.mark.parametrize(("text", "speed"), [("1", 1.0), ("60", 60.0), ("1000", 1000.0), ("max", AT_ONCE)])
def test_a_speed_is_1_to_1000_or_max(text: str, speed: Any) -> None:
    assert speed_of(text) == speed


@pytest.mark.parametrize("text", ["0", "0.5", "1001", "fast", "nan", ""])
def test_another_speed_is_a_mistake(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="1 to 1000, or max"):
        speed_of(text)
