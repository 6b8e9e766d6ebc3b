"""What is in quarantine is seen, mended and applied, through the whole product."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from geo.pings import Pings
from ingest import blocks
from reparto.run.app import create_app
from reparto.settings.config import ServerConfig
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig
from sql.inbox.quarantine import Quarantined, put_quarantined
from sql.pool import Pool

Client = TestClient[web.Request, web.Application]


class Company:
    """An account's key and a phone of its driver."""

    def __init__(self, client: Client, key: str) -> None:
        self._client = client
        self.headers = {"Authorization": f"Bearer {key}"}
        self.phone: dict[str, str] = {}

    async def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **sent: Any) -> Any:
        async with self._client.request(method, path, headers=headers or self.headers, **sent) as response:
            return response.status, await response.json()

    async def entry(self) -> Any:
        (entry,) = (await self.ask("GET", "/v1/quarantine"))[1]["quarantined"]
        return entry

    async def apply(self, entry_id: str, **sent: Any) -> Any:
        return await self.ask("POST", f"/v1/quarantine/{entry_id}/apply", **sent)

    async def is_empty(self) -> bool:
        return bool((await self.ask("GET", "/v1/quarantine"))[1]["quarantined"] == [])


@pytest.fixture
async def company(database: DatabaseConfig, pool: Pool, key: str, tmp_path: Path) -> AsyncIterator[Company]:
    settings = Settings(database=database, server=ServerConfig(data_dir=str(tmp_path)))
    async with TestClient(TestServer(create_app(settings, database))) as client:
        made = Company(client, key)
        _, driver = await made.ask("POST", "/v1/drivers", json={"external_id": "ana", "name": "Ana"})
        _, device = await made.ask("POST", f"/v1/drivers/{driver['id']}/devices", json={})
        made.phone = {"Authorization": f"Bearer {device['token']}"}
        yield made


def ping(**changes: Any) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(minutes=5)
    return {"time": at.isoformat(timespec="milliseconds"), "lat": -34.9, "lon": -56.2, **changes}


async def test_a_ping_is_mended_and_applied(company: Company, pool: Pool) -> None:
    said = await company.ask("POST", "/v1/pings", json={"pings": [ping(lat=-349)]}, headers=company.phone)
    assert said == (200, {"accepted": 0, "rejected": [{"index": 0, "why": "lat-out-of-range"}]})
    entry = await company.entry()
    still = {"id": entry["id"], "applied": 0, "rejected": [{"index": 0, "why": "lat-out-of-range"}]}
    assert await company.apply(entry["id"]) == (200, still)
    assert not await company.is_empty()
    for mended in (ping(), [ping()], {"pings": [ping()]}):
        status, done = await company.apply(entry["id"], json=mended)
        if status == 404:
            break
        assert (status, done["applied"], done["rejected"]) == (200, 1, [])
    assert await company.is_empty()
    assert await pool.fetchval("SELECT sum(pings) FROM inbox") == 1


async def test_what_a_tracker_set_aside_goes_back_as_it_was(company: Company, pool: Pool) -> None:
    device = await pool.fetchrow("SELECT id, driver_id FROM device")
    pings = Pings.empty(3)
    pings.rows["device_id"], pings.rows["driver_id"] = device["id"], device["driver_id"]
    pings.rows["recorded_ms"] = np.arange(3) + 1_700_000_000_000
    body = blocks.encode(pings)
    entry = Quarantined(
        account_id=None, driver_id=device["driver_id"], device_id=device["id"], received_at=datetime.now(UTC),
        source="tracker", reason="ended-the-tracker", detail=None, body=body,
    )  # fmt: skip
    async with pool.acquire() as db:
        await put_quarantined(db, [entry])
    status, done = await company.apply((await company.entry())["id"])
    assert (status, done["applied"]) == (200, 3)
    assert await pool.fetchval("SELECT body FROM inbox") == body
    assert await company.is_empty()


async def test_an_event_about_a_stop_that_is_there_now_is_applied(company: Company, pool: Pool) -> None:
    now = datetime.now(UTC)
    event = {"id": str(uuid4()), "type": "arrived", "stop_id": "st_1", "occurred_at": now.isoformat()}
    _, said = await company.ask("POST", "/v1/driver/events", json={"events": [event]}, headers=company.phone)
    assert said["results"][0]["why"] == "unknown-stop"
    entry = await company.entry()
    status, done = await company.apply(entry["id"])
    assert (status, done["rejected"]) == (200, [{"index": 0, "why": "unknown-stop"}])
    stop = {"external_id": "a", "kind": "delivery", "name": "Bo", "address": "1", "lat": -34.9, "lon": -56.2}
    route = {
        "driver": "ana", "date": str(now.date()), "timezone": "UTC", "start_at": (now - timedelta(hours=1)).isoformat(),
        "depot": {"name": "d", "lat": -34.91, "lon": -56.21}, "stops": [stop],
    }  # fmt: skip
    status, put = await company.ask("PUT", "/v1/routes/r", json=route)
    assert (status, put["stops"][0]["id"]) == (201, "st_1")
    status, done = await company.apply(entry["id"])
    assert (status, done["applied"], done["rejected"]) == (200, 1, [])
    assert await company.is_empty()
    assert await pool.fetchval("SELECT type FROM driver_event") == "arrived"


async def test_what_cannot_be_read_needs_a_body_and_another_account_s_is_not_there(
    company: Company, pool: Pool
) -> None:
    device = await pool.fetchrow("SELECT id, driver_id, account_id FROM device")
    entry = Quarantined(
        account_id=device["account_id"], driver_id=device["driver_id"], device_id=device["id"],
        received_at=datetime.now(UTC), source="osmand", reason="body-unreadable", detail=None, body=b"id=1&lat=",
    )  # fmt: skip
    lost = Quarantined(
        account_id=device["account_id"], driver_id=None, device_id=None,
        received_at=datetime.now(UTC), source="osmand", reason="body-unreadable", detail=None, body=b"[]",
    )  # fmt: skip
    async with pool.acquire() as db:
        await put_quarantined(db, [entry, lost])
    assert (await company.apply("qu_1"))[0] == 422
    assert (await company.apply("qu_1", data=b"{broken", headers=None))[0] in (400, 415)
    assert (await company.apply("qu_2"))[0] == 409
    assert (await company.apply("qu_99"))[0] == 404
    assert (await company.apply("qu_1", json=ping()))[0] == 200
    assert await pool.fetchval("SELECT count(*) FROM quarantine") == 1


async def test_every_answer_about_uploads_says_which_tus_is_spoken(company: Company) -> None:
    for headers in ({}, {"Authorization": "Bearer rpd_unknown"}, company.phone):
        async with company._client.post("/v1/driver/uploads", headers=headers) as response:
            assert response.status in (401, 412)
            assert response.headers["Tus-Resumable"] == "1.0.0"
