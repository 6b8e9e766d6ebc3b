"""A phone that sends again."""

import itertools
import random
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from reparto.client import client
from reparto.client.client import Client, Phone, RequestRefused
from reparto.client.recordings import SentPing
from reparto.client.tally import Tally


async def test_each_try_says_when_it_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A phone whose first try left an hour ago has no clock that is an hour behind."""
    heard: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append(await request.json())
        if len(heard) < 3:
            return web.Response(status=503, headers={"Retry-After": "0"})
        return web.json_response({"accepted": 1, "rejected": []})

    monkeypatch.setattr(client.time, "time_ns", itertools.count(0, 3_600_000_000_000).__next__)
    app = web.Application()
    app.router.add_post("/v1/pings", answer)
    async with TestServer(app) as server, Client(str(server.make_url("")), "key") as dispatcher:
        phone = Phone(dispatcher.session, dispatcher.url, "token", Tally(), random.Random(1))
        assert await phone.send([SentPing(time=1, lat=2.0, lon=3.0)]) == []
    assert [one["sent_at"] for one in heard] == [0, 3_600_000, 7_200_000]
    assert [one["pings"] for one in heard] == [[{"time": 1, "lat": 2.0, "lon": 3.0}]] * 3


@pytest.mark.parametrize(("status", "refusals", "for_s", "asked"), [(503, 2, 60, 3), (503, 1, -1, 1), (409, 1, 60, 1)])
async def test_a_program_waits_for_a_database_that_is_away_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, status: int, refusals: int, for_s: float, asked: int
) -> None:
    heard = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal heard
        heard += 1
        if heard <= refusals:
            return web.json_response({"detail": "Not now."}, status=status, headers={"Retry-After": "0"})
        return web.json_response({"position": None})

    monkeypatch.setattr(client, "_UNAVAILABLE_FOR_S", for_s)
    app = web.Application()
    app.router.add_get("/v1/track/x", answer)
    async with TestServer(app) as server, Client(str(server.make_url("")), "key") as program:
        if refusals < asked:
            assert await program.ask("GET", "/v1/track/x") == {"position": None}
        else:
            with pytest.raises(RequestRefused, match=rf"refused \({status}\): Not now\."):
                await program.ask("GET", "/v1/track/x")
    assert heard == asked
