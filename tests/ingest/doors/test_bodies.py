"""Bodies on their way in: all of them together are bounded."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from api.http.problem import Unavailable
from ingest.doors.bodies import BODIES, Bodies
from tests.ingest.doors.phones import Doors, Phone


async def test_bodies_that_come_in_together_are_bounded(open_doors: Doors, phone: Phone) -> None:
    rest_may_come = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"[" + b" " * 6_000
        await rest_may_come.wait()
        yield b"]"

    async with open_doors(inbox_waiting_bytes=10_000) as client:
        bodies = client.app[BODIES]
        slow = asyncio.create_task(client.post("/v1/pings", data=slowly(), headers=phone.headers))
        async with asyncio.timeout(60):
            while not bodies.total_bytes:
                await asyncio.sleep(0.01)
        response = await client.post("/v1/pings", data=b"[" + b" " * 6_000 + b"]", headers=phone.headers)
        assert (response.status, "Retry-After" in response.headers) == (503, True)
        rest_may_come.set()
        assert (await slow).status == 200
        assert bodies.total_bytes == 0


def test_what_is_held_is_let_go() -> None:
    bodies = Bodies(max_bytes=10, max_total_bytes=15)
    with bodies.held(10):
        with pytest.raises(Unavailable), bodies.held(10):
            pass
        assert bodies.total_bytes == 10
    with bodies.held(100):  # alone, it is let in whatever its size
        pass
    assert bodies.total_bytes == 0
