"""The driver app of docs/howto/driver-app.md works: its code is taken from the page and runs against real servers."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from api.driver.manifest import endpoints as manifest
from api.http.app_keys import PROOFS
from api.http.config import ApiConfig
from api.proofs import endpoints as proofs
from api.proofs.uploads import endpoints as uploads
from ingest.blocks import decode
from ingest.config import InboxConfig
from ingest.doors import doors
from ingest.doors.config import DoorsConfig
from ingest.inbox import Inbox
from tests.api.conftest import say_events
from tests.api.driver.manifest.manifests import around_now
from tests.api.proofs.pictures import photo
from work.proofs.config import ProofConfig
from work.proofs.store import ProofStore, open_proof_store

PAGE = Path(__file__).resolve().parents[3] / "docs" / "howto" / "driver-app.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture
def api_config() -> ApiConfig:
    return ApiConfig()  # uploads are where they were begun


@pytest.fixture
async def proof_store(tmp_path: Path) -> AsyncIterator[ProofStore]:
    async with open_proof_store(ProofConfig(), folder=tmp_path / "blobs") as store:
        yield store


@pytest.fixture
def app_parts(app_parts: list[Any], database: Any, proof_store: ProofStore) -> list[Any]:
    def add(app: web.Application) -> None:
        app[PROOFS] = proof_store
        doors.add_to(app, Inbox(database, InboxConfig()), DoorsConfig(), oldest_ping_days=30)

    asked = (module.operations.add_to for module in (manifest, uploads, proofs))
    return [*app_parts, *asked, say_events, add]


@pytest.fixture
def driver_app(tmp_path: Path) -> Any:
    """`await driver_app(url, token, lambda app: …)`: start the app on its file, let it do something."""
    code: dict[str, Any] = {}
    exec(compile(blocks("python")[0], str(PAGE), "exec"), code)

    async def use(url: Any, token: str, do: Callable[[Any], Any]) -> Any:
        def run() -> Any:
            app = code["DriverApp"](str(url), token, tmp_path / "driver.db")
            try:
                return do(app)
            finally:
                app.db.close()

        return await asyncio.to_thread(run)

    return use


def names(app: Any) -> list[str]:
    return [stop["external_id"] for stop in app.stops()]


def synced(app: Any) -> Any:
    assert app.sync()
    return names(app)


@pytest.fixture
async def token(client, account, make_driver, make_device) -> str:
    driver = await make_driver(client, account.key, "ana")
    return (await make_device(client, account.key, driver["id"]))["token"]


async def test_the_app_follows_what_the_dispatcher_changes(client, account, token, put_route, tour, driver_app):
    url, times = client.make_url("/"), around_now()
    assert await driver_app(url, token, synced) == []
    await put_route(client, account.key, driver="ana", **times)
    await put_route(client, account.key, "tomorrow", driver="ana", **around_now(20))
    assert await driver_app(url, token, synced) == ["ped-1", "ped-2", "rec-3", "ped-4"]
    first, second, third, last = tour["stops"]
    new = {**second, "external_id": "nuevo"}
    await put_route(client, account.key, driver="ana", **times, stops=[last, first, new, third])
    assert await driver_app("http://127.0.0.1:9", token, lambda app: (app.sync(), names(app))) == (
        False,
        ["ped-1", "ped-2", "rec-3", "ped-4"],
    )
    assert await driver_app(url, token, synced) == ["ped-4", "ped-1", "nuevo", "rec-3"]
    await client.post("/v1/routes/tour-1/assign", json={"driver": None}, headers=account.headers)
    assert await driver_app(url, token, synced) == []


async def test_the_app_keeps_its_pings_until_they_are_on_disk(client, token, pool, driver_app):
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    nowhere, here = "http://127.0.0.1:9", client.make_url("/")

    def drive(app: Any) -> Any:
        for second in range(1_200):
            app.ping(time=now_ms - 1000 * second, lat=6.2442, lon=-75.5690)
        return app.sync()

    def waiting(app: Any) -> Any:
        return app.db.execute("SELECT count(*) FROM waiting").fetchone()[0]

    assert not await driver_app(nowhere, token, drive)
    assert await driver_app(nowhere, token, waiting) == 1_200
    assert await driver_app(here, token, lambda app: app.sync())
    assert await driver_app(nowhere, token, waiting) == 0
    stored = [decode(row["body"]) for row in await pool.fetch("SELECT body FROM inbox")]
    assert sum(len(pings) for pings in stored) == 1_200


async def test_the_app_says_what_was_done_once_the_door_takes_it(driver_app):
    heard: list[Any] = []

    async def events(request: web.Request) -> web.Response:
        heard.append(await request.json())
        if len(heard) == 1:
            return web.json_response({"type": "unavailable"}, status=503)
        results = [{"id": event["id"], "result": "applied"} for event in heard[-1]["events"]]
        results[-1] = {**results[-1], "result": "conflict", "why": "the stop was taken off the route"}
        return web.json_response({"results": results})

    async def nothing(_request: web.Request) -> web.Response:
        return web.json_response({"version": 0, "full": True, "routes": []})

    app = web.Application()
    app.add_routes([web.post("/v1/driver/events", events), web.get("/v1/driver/manifest", nothing)])

    def work(app: Any) -> Any:
        app.did("arrived", "st_1")
        app.did("failed", "st_1", reason="nobody_home")
        return app.sync()

    async with TestServer(app) as server:
        assert not await driver_app(server.make_url("/"), "rpd_x", work)
        conflicts = await driver_app(server.make_url("/"), "rpd_x", lambda app: (app.sync(), app.conflicts))
    assert heard[0]["events"] == heard[1]["events"]
    assert heard[0]["sent_at"] < heard[1]["sent_at"]
    assert [(event["type"], event["stop_id"], event["data"]) for event in heard[1]["events"]] == [
        ("arrived", "st_1", {}),
        ("failed", "st_1", {"reason": "nobody_home"}),
    ]
    assert [one["id"] for one in conflicts[1]] == [heard[1]["events"][1]["id"]]


async def test_a_photo_goes_on_where_the_network_was_cut(client, account, token, put_route, driver_app, tmp_path):
    await put_route(client, account.key, driver="ana", **around_now())
    content = photo() + bytes(1_000_000)  # what comes behind the picture is the phone's, too
    (tmp_path / "puerta.jpg").write_bytes(content)
    heard: list[tuple[str, int]] = []

    def listen(app: Any, *, cut_after: int) -> Any:
        whole = app._tus

        def tus(method: str, url: str, headers: Any, data: bytes = b"") -> Any:
            if len(heard) == cut_after:
                raise ConnectionResetError("a tunnel")
            heard.append((method, len(data)))
            return whole(method, url, headers, data)

        app._tus = tus
        return app.sync()

    def deliver(app: Any) -> Any:
        assert app.sync()
        stop = app.stops()[0]["id"]
        app.did("completed", stop, proofs=[app.photo(stop, tmp_path / "puerta.jpg")])
        assert not listen(app, cut_after=3)
        return stop, app.PIECE

    stop_id, piece = await driver_app(client.make_url("/"), token, deliver)
    assert heard == [("POST", 0), ("PATCH", piece), ("PATCH", piece)]
    heard.clear()
    assert await driver_app(client.make_url("/"), token, lambda app: listen(app, cut_after=100))
    assert heard == [("POST", 0), ("PATCH", piece), ("PATCH", len(content) - 3 * piece)]
    shown = await (await client.get(f"/v1/stops/{stop_id}/proof", headers=account.headers)).json()
    assert shown["stop"]["status"] == "completed"
    assert [one["sha256"] for one in shown["photos"]] == [hashlib.sha256(content).hexdigest()]


async def test_a_photo_that_is_none_does_not_hold_up_the_next(client, account, token, put_route, driver_app, tmp_path):
    await put_route(client, account.key, driver="ana", **around_now())
    (tmp_path / "nothing.jpg").write_bytes(b"not a photo")
    (tmp_path / "puerta.jpg").write_bytes(photo())

    def take(app: Any) -> Any:
        assert app.sync()
        stop = app.stops()[0]["id"]
        taken = [app.photo(stop, tmp_path / name)["upload_id"] for name in ("nothing.jpg", "puerta.jpg")]
        assert app.sync()
        return stop, taken, app.conflicts

    stop_id, (nothing, door), conflicts = await driver_app(client.make_url("/"), token, take)
    assert [(one["id"], one["status"]) for one in conflicts] == [(nothing, 422)]
    response = await client.get(f"/v1/stops/{stop_id}/proofs", headers=account.headers)
    states = {one["upload_id"]: one["state"] for one in (await response.json())["proofs"]}
    assert states == {nothing: "refused", door: "stored"}


async def test_the_app_says_that_its_token_is_of_no_use(client, driver_app):
    with pytest.raises(OSError, match="401"):
        await driver_app(client.make_url("/"), "rpd_nobody", lambda app: app.sync())


async def test_the_answers_on_the_page_have_the_fields_that_there_are(client, account, token, put_route, bearer):
    await put_route(client, account.key, driver="ana", **around_now())
    full = await (await client.get("/v1/driver/manifest", headers=bearer(token))).json()
    since = f"/v1/driver/manifest?since={full['version']}"
    delta = await (await client.get(since, headers=bearer(token))).json()
    shown_full, shown_delta = (json.loads(text) for text in blocks("json"))
    assert shown_delta.keys() == delta.keys()
    assert shown_full.keys() == full.keys()
    assert shown_full["routes"][0].keys() <= full["routes"][0].keys()
    assert shown_full["routes"][0]["stops"][0].keys() <= full["routes"][0]["stops"][0].keys()
