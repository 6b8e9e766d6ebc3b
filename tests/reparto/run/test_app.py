"""The wiring: every declared operation is served, by the role it belongs to, and ends when the process does."""

import asyncio
import pkgutil
import re
from datetime import UTC, datetime
from importlib import import_module
from typing import get_args

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

import api
import ingest
from api.fleet.enrolment import App, setup_of
from api.http.auth import KEY_PREFIX, hash_of, new_secret
from api.http.operation import DECLARED, Operation, Operations
from api.pages.catalog import LANGUAGES, enrolment_texts
from ingest.doors.apps import DOORS
from reparto.process.serve import bind, serving, url_of
from reparto.run.app import create_app
from reparto.run.system import create_system_app
from reparto.settings.settings import Settings
from sql.account.accounts import ensure_account
from sql.account.keys import create_key
from sql.config import DatabaseConfig
from sql.pool import Pool
from tests.api.tour_rows import Tour

SETTINGS = Settings()


def routes_of(app: web.Application) -> set[tuple[str, str]]:
    return {(operation.method, operation.path) for _, operation in app[DECLARED]}


EVERYTHING = routes_of(create_app(SETTINGS, SETTINGS.database))
SYSTEM = routes_of(create_system_app(SETTINGS, SETTINGS.database))
DESCRIPTION = {("GET", "/openapi.json"), ("GET", "/docs")}


@pytest.mark.parametrize("package", [api, ingest])
def test_no_module_is_forgotten(package: object) -> None:
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        of_module = getattr(import_module(found.name), "operations", None)
        if isinstance(of_module, Operations):
            assert {(one.method, one.path) for one in of_module} <= EVERYTHING, found.name


def test_nothing_is_served_that_is_not_declared() -> None:
    served = {
        (route.method, route.resource.canonical) for route in create_app(SETTINGS, SETTINGS.database).router.routes()
    }
    assets = {route for route in served if route[1].startswith("/static/")}
    head_as_get = {("HEAD", path) for method, path in served if method == "GET"} - EVERYTHING  # goes without saying
    assert len(served - assets - head_as_get) == len(EVERYTHING)


def test_doors_and_questions_are_two_roles_and_together_everything() -> None:
    takes = routes_of(create_app(SETTINGS, SETTINGS.database, is_asked=False))
    asked = routes_of(create_app(SETTINGS, SETTINGS.database, takes_pings=False))
    assert takes & asked == SYSTEM | DESCRIPTION
    assert takes | asked == EVERYTHING
    assert all(path.startswith(("/v1/pings", "/ingest/", "/pub")) for _, path in takes - asked)


@pytest.mark.parametrize("app", get_args(App))
def test_every_app_that_is_let_in_is_sent_to_a_door_of_its_own(app: App) -> None:
    setup = setup_of(app, public_url="", device_id="dv_1", token=None, ingest_token="rpi_x", locale=None)
    door = setup.url.partition("?")[0].replace("rpi_x", "{token}") or "/v1/pings"  # native apps know the API
    assert any(path == door for _, path in EVERYTHING)
    assert app == "native" or door in {one.path for one in DOORS if one.app == app}


def test_drivers_read_how_to_set_up_every_app_and_no_other() -> None:
    for language in LANGUAGES:
        steps = enrolment_texts(language)
        assert steps.keys() == set(get_args(App))
        assert all(all(of_app) and of_app for of_app in steps.values())


def test_a_process_that_only_works_tells_how_it_is() -> None:
    assert {("GET", "/health/live"), ("GET", "/health/ready"), ("GET", "/metrics")} == SYSTEM


async def test_open_streams_and_sockets_end_when_the_process_does(database: DatabaseConfig, pool: Pool) -> None:
    key = new_secret(KEY_PREFIX)
    account_id = await ensure_account(pool, "mensajeria")
    await create_key(pool, account_id=account_id, role="viewer", label=None, secret_hash=hash_of(key))
    headers = {"Authorization": f"Bearer {key}"}
    stop = asyncio.Event()
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def serve() -> None:
        with bind("127.0.0.1:0", "REPARTO_LISTEN") as listener:
            async with serving(create_app(SETTINGS, database), listener) as url:
                ready.set_result(url)
                await stop.wait()

    async with aiohttp.ClientSession() as client, asyncio.TaskGroup() as tasks:
        tasks.create_task(serve())
        url = await ready
        async with client.get(f"{url}/v1/positions/stream", headers=headers) as stream:
            assert await stream.content.readline()
            stop.set()
            async with asyncio.timeout(10):  # less than the time requests under way are given
                async for _ in stream.content:
                    pass


def carries_a_right(operation: Operation) -> bool:
    """Whoever knows the address may do it, or a part of it names what only its owner should."""
    return (
        "{token}" in operation.path
        or "{upload}" in operation.path
        or {"signature", "token"} & {one.name for one in operation.query} != set()
    )


async def test_addresses_that_carry_a_right_are_passed_on_to_nobody(database: DatabaseConfig, pool: Pool) -> None:
    app = create_app(SETTINGS, database)
    asked = [one for _, one in app[DECLARED] if carries_a_right(one)]
    assert {one.path for one in asked} >= {"/t/{token}", "/v1/track/{token}", "/v1/track/{token}/stream"}
    assert {one.path for one in asked} >= {"/v1/blobs/{proof}/{what}", "/ingest/{token}/osmand"}
    async with TestClient(TestServer(app)) as client:
        for one in asked:
            path = re.sub(r"\{\w+\}", "x" * 20, one.path)
            for method, query in ((one.method, ""), (one.method, "?signature=x&expires=1"), ("PUT", "")):
                response = await client.request(method, path + query)
                where = f"{method} {path}: {response.status}"
                assert response.headers["Referrer-Policy"] == "no-referrer", where
                assert response.headers["X-Robots-Tag"] == "noindex", where
                assert "no-store" in response.headers["Cache-Control"], where


async def test_what_a_right_opens_is_kept_by_no_cache(database: DatabaseConfig, pool: Pool) -> None:
    tour = await Tour.put(pool, await ensure_account(pool, "mensajeria"), start_at=datetime.now(UTC))
    async with TestClient(TestServer(create_app(SETTINGS, database))) as client:
        for path in (f"/t/{tour.tokens[0]}", f"/v1/track/{tour.tokens[0]}", f"/v1/track/{tour.tokens[0]}/stream"):
            async with client.get(path) as response:
                assert response.status == 200
                assert response.headers["Referrer-Policy"] == "no-referrer"
                assert response.headers["X-Robots-Tag"] == "noindex"
                assert "no-store" in response.headers["Cache-Control"]


def test_any_address_is_shown_as_one_that_a_browser_reaches() -> None:
    with bind("0.0.0.0:0", "REPARTO_LISTEN") as listener:
        assert url_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
