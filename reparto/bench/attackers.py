"""Greedy clients for `reparto bench fairness`, each with one credential, in a process of their own."""

import asyncio
import base64
import io
import multiprocessing
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from uuid import uuid4

import aiohttp
import uvloop
from PIL import Image

_AT_ONCE = 32
_BOMB_PX = 8_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What an attacker knows: where the product listens, and credentials of its own.

    Attributes:
        token, ingest_token: of a phone.
        stop: one of its driver's stops, by its id; `link`: the token of that one's tracking page.
        key: of an account of its own.
    """

    url: str
    token: str
    ingest_token: str
    stop: str
    link: str
    key: str

    @property
    def phone(self) -> dict[str, str]:
        """What the phone says with each request."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def account(self) -> dict[str, str]:
        """What the account's program says."""
        return {"Authorization": f"Bearer {self.key}"}


Attack = Callable[[Target, aiohttp.ClientSession], Awaitable[None]]
"""One of `_AT_ONCE` that go on side by side; it is begun again when it ends, and when it is refused."""


async def _slow_body(target: Target, session: aiohttp.ClientSession) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        yield b" " * 500_000
        while True:
            await asyncio.sleep(1)
            yield b" "

    await _done(session.post(f"{target.url}/ingest/{target.ingest_token}/osmand", data=trickle()))


async def _body_flood(target: Target, session: aiohttp.ClientSession) -> None:
    await _done(session.post(f"{target.url}/v1/pings", data=b"[" + b" " * 1_000_000, headers=target.phone))


async def _sockets(target: Target, session: aiohttp.ClientSession) -> None:
    token = target.token if secrets.randbelow(2) else "rpd_nobody"
    async with session.ws_connect(f"{target.url}/v1/pings/ws", headers={"Authorization": f"Bearer {token}"}) as socket:
        await socket.send_str('{"n": 1, "pings": []}')
        await asyncio.sleep(0.5)


async def _link_polls(target: Target, session: aiohttp.ClientSession) -> None:
    await _done(session.get(f"{target.url}/v1/track/{target.link}"))


async def _streams(target: Target, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{target.url}/v1/track/{target.link}/stream") as response:
        while await response.content.readany():
            pass


async def _quarantine(target: Target, session: aiohttp.ClientSession) -> None:
    odd = {"time": 1, "lat": 1, "lon": 1, "id": base64.b64encode(secrets.token_bytes(47_000)).decode()}
    await _done(session.post(f"{target.url}/v1/pings", json={"pings": [odd]}, headers=target.phone))


async def _events(target: Target, session: aiohttp.ClientSession) -> None:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    said = [{"id": str(uuid4()), "type": "note", "occurred_at": at, "data": {"text": "x" * 500}} for _ in range(500)]
    await _done(session.post(f"{target.url}/v1/driver/events", json={"events": said}, headers=target.phone))


async def _geofences(target: Target, session: aiohttp.ClientSession) -> None:
    body = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [-103.35, 20.67]},
        "properties": {"radius_m": 50 + secrets.randbelow(1000)},
    }
    place = f"{target.url}/v1/geofences/g{secrets.randbelow(_AT_ONCE)}"
    await _done(session.put(place, json=body, headers=target.account))


async def _bombs(target: Target, session: aiohttp.ClientSession) -> None:
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in (("stop_id", target.stop), ("kind", "photo")):
        form.add_field(name, value)
    form.add_field("file", _bomb() + secrets.token_bytes(4), filename="x.png")
    await _done(session.post(f"{target.url}/v1/driver/proofs", data=form, headers=target.phone))


async def _account_loop(target: Target, session: aiohttp.ClientSession) -> None:
    for path in ("/v1/positions", "/v1/drivers", "/v1/events?limit=1000", "/v1/geofences"):
        await _done(session.get(target.url + path, headers=target.account))


ATTACKS: dict[str, Attack] = {
    "slow bodies": _slow_body,
    "body flood": _body_flood,
    "socket flood": _sockets,
    "link polls": _link_polls,
    "streams": _streams,
    "quarantine flood": _quarantine,
    "event flood": _events,
    "geofence writes": _geofences,
    "pixel bombs": _bombs,
    "one account's loop": _account_loop,
}


@cache
def _bomb() -> bytes:
    file = io.BytesIO()
    Image.new("RGBA", (_BOMB_PX, _BOMB_PX)).save(file, "PNG")
    return file.getvalue()


async def _done(asking: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> None:
    async with asking as response:
        await response.read()


@contextmanager
def attacking(name: str, target: Target) -> Iterator[None]:
    """Attack during the block, from another process."""
    process = multiprocessing.get_context("spawn").Process(target=_attack, args=(name, target), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def _attack(name: str, target: Target) -> None:
    async def again_and_again() -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def one() -> None:
                while True:
                    with suppress(aiohttp.ClientError, OSError, TimeoutError):
                        await ATTACKS[name](target, session)

            await asyncio.gather(*(one() for _ in range(_AT_ONCE)))

    uvloop.run(again_and_again())
