"""What goes on meanwhile: vans with phones and apps, orders that are booked, programs that read the feed."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
from aiohttp import WSMsgType, web

from reparto.client.client import MAX_BATCH, Client, Phone, together
from reparto.client.recordings import SentPing, as_json
from reparto.client.tally import Tally
from reparto.command import CannotRun
from reparto.simulate.driver_app import open_app
from reparto.simulate.fleet import enlist, names, route_of_tour
from reparto.simulate.simulate import Clock, Options, make_vans, send_report, work
from reparto.simulate.van import SimulatedVan
from tests.acceptance.chaos.messages import route_of_strangers
from tests.acceptance.chaos.world import UP, World

_ANSWER_S = 30.0
_PAUSE_S = (0.2, 2.0)
_READS_EVERY_S = 1.0


class SocketPhone(Phone):
    """A phone that sends its pings by WebSocket, and again what was not answered."""

    _socket: aiohttp.ClientWebSocketResponse | None = None
    _n = 0

    async def send(self, pings: Sequence[SentPing], *, hang_up_after_s: float | None = None) -> list[int]:
        """Send a batch until it is acknowledged; give the indices of what was refused for good."""
        self._n += 1
        patience_s = hang_up_after_s or _ANSWER_S
        while True:
            self.tally.sent += len(pings)
            with suppress(aiohttp.ClientError, TimeoutError, ConnectionError):
                async with asyncio.timeout(patience_s):
                    answer = await self._answer(pings)
                rejected = answer["rejected"]
                self.tally.batches += 1
                self.tally.acknowledged += len(pings)
                self.tally.refused.update(one["why"] for one in rejected)
                return [one["index"] for one in rejected]
            self.tally.retried["socket"] += 1
            await self.hang_up()
            await asyncio.sleep(self._chance.uniform(*_PAUSE_S))
            patience_s = _ANSWER_S

    async def _answer(self, pings: Sequence[SentPing]) -> dict[str, Any]:
        if self._socket is None or self._socket.closed:
            headers = {"Authorization": f"Bearer {self._token}"}
            self._socket = await self._session.ws_connect(f"{self._url}/v1/pings/ws", headers=headers)
        frame = {"n": self._n, **msgspec.json.decode(as_json(pings, time.time_ns() // 1_000_000))}
        await self._socket.send_str(msgspec.json.encode(frame).decode())
        while (told := await self._socket.receive()).type is WSMsgType.TEXT:
            answer: dict[str, Any] = msgspec.json.decode(told.data)
            if answer["n"] == self._n:
                if "error" in answer:
                    raise CannotRun(f"a frame is refused: {answer['error']}")
                return answer
        raise ConnectionError

    async def hang_up(self) -> None:
        """Close the socket, if one is open, without waiting for a good-bye."""
        if self._socket is not None:
            socket, self._socket = self._socket, None
            with suppress(aiohttp.ClientError, ConnectionError, TimeoutError):
                async with asyncio.timeout(1):
                    await socket.close()


@dataclass(slots=True)
class Fleet:
    """The vans of one round, and what else happens in it."""

    world: World
    options: Options
    chance: random.Random
    vans: list[SimulatedVan] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    _tokens: dict[str, str] = field(default_factory=dict)
    _clock: Clock | None = None

    async def set_up(self, client: Client) -> None:
        """Make drivers, phones and routes, while all is well."""
        self.vans = await asyncio.to_thread(make_vans, self.options)
        gate = asyncio.Semaphore(4)
        ahead_ms = self.options.minutes * 60_000 * (1 - 1 / self.options.speed)
        starts_ms = round(time.time() * 1000 - ahead_ms)

        async def enter(van: SimulatedVan, name: str) -> None:
            async with gate:
                van.driver_id, van.device_id, self._tokens[van.name] = await enlist(client, van.name, name)
                van.leaves_ms = starts_ms - van.begins_ms
                city = self.options.city
                route = route_of_tour(van.tour, van.name, driver=van.name, leaves_ms=van.leaves_ms, city=city)
                stops = (await client.put_route(route))["stops"]
                by_role = Client(self.world.networks[self.chance.choice(("api", UP))].url, client.key)
                by_role.session = client.session
                chance = random.Random(f"{van.name}'s app")
                van.app = open_app(by_role, self._tokens[van.name], self.tally, chance, route=van.name, stops=stops)

        await together([enter(van, name) for van, name in zip(self.vans, names(self.options.seed), strict=False)])
        self._clock = Clock(starts_ms=starts_ms, speed=self.options.speed)

    async def drive(self, session: aiohttp.ClientSession) -> None:
        """Drive until everything that phones and apps tell is acknowledged."""
        assert self._clock is not None
        clock = self._clock

        async def go(number: int, van: SimulatedVan) -> None:
            assert van.app is not None
            chance = random.Random(van.name)
            doors = self.world.networks["ingest" if number % 2 else UP].url
            kind = SocketPhone if number % 3 == 0 else Phone
            phone = kind(session, doors, self._tokens[van.name], self.tally, chance)
            told, leaves_ms, keep = van.told, van.leaves_ms, van.acknowledged.append
            await together(
                [
                    send_report(phone, told, leaves_ms, clock, batch=self.options.batch, chance=chance, keep=keep),
                    work(van.app, van.deeds, told, leaves_ms, clock),
                ]
            )
            if isinstance(phone, SocketPhone):
                await phone.hang_up()

        assert self.options.batch <= MAX_BATCH
        await together([go(number, van) for number, van in enumerate(self.vans)])


async def book(
    world: World, client: Client, number: int, *, routes: int, stops: int, every_s: float, chance: random.Random
) -> list[str]:
    """Put routes of strangers, each until it is acknowledged; give their external ids.

    Args:
        number: of the first; nobody else's are those that follow.
    """
    shop = Phone(client.session, world.networks["api"].url, client.key, Tally(), chance)
    names = [f"booked-{one}" for one in range(number, number + routes)]
    for one, name in enumerate(names, number):
        body = msgspec.json.encode(route_of_strangers(one, stops))
        await shop.ask("PUT", f"/v1/routes/{name}", body=body, headers={"Content-Type": "application/json"})
        await asyncio.sleep(chance.uniform(0, 2 * every_s))
    return names


@dataclass(slots=True)
class Reader:
    """A program that follows the feed, and remembers what it was told."""

    told: list[tuple[int, str, int]] = field(default_factory=list)
    _cursor: str = ""

    async def read(self, client: Client) -> None:
        """Read what is new; what cannot be read now is read later."""
        with suppress(CannotRun):
            while events := (page := await client.ask("GET", "/v1/events", query={"cursor": self._cursor}))["events"]:
                self.told += [(event["seq"], event["fact_id"], event["revision"]) for event in events]
                self._cursor = page["next"]

    async def follow(self, client: Client) -> None:
        """Read again and again, until cancelled."""
        while True:
            await self.read(client)
            await asyncio.sleep(_READS_EVERY_S)


@dataclass(slots=True)
class Told:
    """What a webhook was told: how often each entry of the feed, by its seq."""

    chance: random.Random
    url: str = ""
    seqs: dict[int, int] = field(default_factory=dict)

    async def answer(self, request: web.Request) -> web.Response:
        """Take most, refuse some, and hang up on some that were taken."""
        body = await request.json()
        how = self.chance.choices(("good", "503", "lost"), (85, 10, 5))[0]
        if how == "503":
            return web.Response(status=503, headers={"Retry-After": "1"})
        seq = body["data"]["seq"]
        self.seqs[seq] = self.seqs.get(seq, 0) + 1
        if how == "lost" and request.transport is not None:
            request.transport.close()
        return web.Response()


@asynccontextmanager
async def webhook(client: Client, chance: random.Random) -> AsyncIterator[Told]:
    """Be the account's only webhook for the block."""
    told = Told(chance)
    app = web.Application()
    app.router.add_post("/told", told.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    told.url = f"http://127.0.0.1:{runner.addresses[0][1]}/told"
    for old in (await client.ask("GET", "/v1/webhooks"))["webhooks"]:
        await client.ask("DELETE", f"/v1/webhooks/{old['id']}")
    await client.ask("POST", "/v1/webhooks", body={"url": told.url})
    try:
        yield told
    finally:
        await runner.cleanup()
