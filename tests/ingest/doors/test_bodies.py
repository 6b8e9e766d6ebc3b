"""Bodies on their way in: all of them together are bounded, and so is what one phone has of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from api.http.shares.bodies import BODIES
from tests.ingest.doors.phones import Client, Doors, Phone, ping


class Stalled:
    """A body whose end comes when it is let go on."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.may_end = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"[" + b" " * self._size + b"]"
        await self.may_end.wait()

    def post(self, client: Client, phone: Phone) -> "asyncio.Task[int]":
        async def sent() -> int:
            async with client.post("/v1/pings", data=aiter(self), headers=phone.headers) as response:
                return response.status

        return asyncio.create_task(sent())


async def until_held(client: Client, size: int) -> None:
    async with asyncio.timeout(60):
        while client.app[BODIES].total_bytes < size:  # type: ignore[union-attr]
            await asyncio.sleep(0.01)


async def test_bodies_that_come_in_together_are_bounded(open_doors: Doors, phone: Phone) -> None:
    async with open_doors(body_bytes_at_once=10_000) as client:
        body = Stalled(6_000)
        slow = body.post(client, phone)
        await until_held(client, 6_000)
        response = await client.post("/v1/pings", data=b"[" + b" " * 6_000 + b"]", headers=phone.headers)
        assert (response.status, "Retry-After" in response.headers) == (503, True)
        body.may_end.set()
        assert await slow == 200
        assert client.app[BODIES].total_bytes == 0


async def test_a_phone_that_stalls_keeps_its_share_and_no_more(
    open_doors: Doors, make_phone: Callable[..., Awaitable[Phone]]
) -> None:
    """A ninth of all, in as many bodies as it likes; the next of it is refused at once, and another phone's is not."""
    attacker, victim = await make_phone("luis"), await make_phone("ana", lane=8)
    async with open_doors(body_bytes_at_once=1_000_000) as client:
        bodies = [Stalled(20_000) for _ in range(20)]
        sent = [body.post(client, attacker) for body in bodies]
        try:
            done, _ = await asyncio.wait(sent, timeout=60, return_when=asyncio.FIRST_COMPLETED)
            assert {task.result() for task in done} == {429}
            assert client.app[BODIES].total_bytes <= 1_000_000 / 8
            response = await client.post("/v1/pings", json=[ping(1)] * 100, headers=victim.headers)
            assert response.status == 200
        finally:
            for body in bodies:
                body.may_end.set()
            await asyncio.wait(sent)
        assert client.app[BODIES].total_bytes == 0


async def test_a_body_that_stops_coming_ends(open_doors: Doors, phone: Phone) -> None:
    async with open_doors(body_wait_s=0.2) as client:
        body = Stalled(100)
        async with asyncio.timeout(60):
            assert await body.post(client, phone) == 503
        assert client.app[BODIES].total_bytes == 0
