"""Upload clients that others wrote, through a network that cuts every connection and a server that dies."""

import asyncio
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from api.http.auth import KEY_PREFIX, hash_of, new_secret
from reparto.child import Child, free_port
from reparto.client.client import Client
from sql.account.accounts import ensure_account
from sql.account.keys import create_key
from sql.config import DatabaseConfig
from sql.pool import Pool
from tests.acceptance.network import bad_network
from tests.api.proofs.pictures import large_photo
from work.proofs.store import ORIGINAL, blob_name

Start = Callable[..., Child]

CUT_AFTER_BYTES = 1_300_000
CHUNK_BYTES = 4 * 1024 * 1024
PATIENCE_S = 180

STOP = {"external_id": "1", "kind": "delivery", "name": "Ana", "lat": 20.67, "lon": -103.35}
ROUTE: dict[str, Any] = {
    "driver": "ana",
    "date": "2026-03-02",
    "timezone": "America/Mexico_City",
    "start_at": "2026-03-02T08:00:00-06:00",
    "depot": {"name": "d", "lat": 20.67, "lon": -103.35},
    "stops": [STOP],
}

TUSPY = """
import json, sys
from tusclient.client import TusClient
told = json.loads(sys.argv[1])
client = TusClient(told["endpoint"], headers=told["headers"])
uploader = client.uploader(
    told["file"], chunk_size=told["chunk"], metadata=told["metadata"], retries=200, retry_delay=0.2
)
uploader.upload()
"""

TUS_JS = """
import fs from "node:fs";
import * as tus from "tus-js-client";
const told = JSON.parse(process.argv[2]);
new tus.Upload(fs.readFileSync(told.file), {
  endpoint: told.endpoint, headers: told.headers, metadata: told.metadata, chunkSize: told.chunk,
  retryDelays: Array(200).fill(200),
  onError: (error) => { console.error(String(error)); process.exit(1); },
  onSuccess: () => process.exit(0),
}).start();
"""


@pytest.fixture(scope="session")
def tus_js(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that uploads with tus-js-client."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("node and npm are not installed, so tus-js-client cannot run")
    folder = tmp_path_factory.mktemp("tus-js")
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    (folder / "upload.js").write_text(TUS_JS)
    made = subprocess.run(
        [npm, "install", "--silent", "--no-audit", "--no-fund", "tus-js-client@4"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    if made.returncode != 0:
        pytest.skip(f"npm cannot install tus-js-client here: {made.stderr[-200:]}")
    return [node, str(folder / "upload.js")]


@pytest.fixture(params=["tuspy", "tus-js-client"])
def uploader(request: pytest.FixtureRequest) -> list[str]:
    """The command that uploads one file, told as JSON in its last argument."""
    if request.param == "tuspy":
        pytest.importorskip("tusclient", reason="tuspy is not installed")
        return [sys.executable, "-c", TUSPY]
    command: list[str] = request.getfixturevalue("tus_js")
    return command


async def test_a_large_photo_arrives_through_cuts_and_kills(
    start: Start, database: DatabaseConfig, pool: Pool, tmp_path: Path, uploader: list[str]
) -> None:
    port, key = free_port(), new_secret(KEY_PREFIX)
    url = f"http://127.0.0.1:{port}"
    account_id = await ensure_account(pool, "uploads")
    await create_key(pool, account_id=account_id, role="admin", label="test", secret_hash=hash_of(key))
    settings = {"REPARTO_DATABASE_URL": database.database_url, "REPARTO_DATA_DIR": str(tmp_path / "data")}
    start("work", **settings)
    api = start("api", **settings, REPARTO_LISTEN=f"127.0.0.1:{port}")
    await api.ready(url)
    async with Client(url, key) as client:
        driver_id = await client.driver("ana", "Ana")
        route = await client.ask("PUT", "/v1/routes/r1", body=ROUTE)
        _, token = await client.device(driver_id, "phone")
        stop_id, upload_id = route["stops"][0]["id"], str(uuid4())
    content = await asyncio.to_thread(large_photo)
    (tmp_path / "photo.jpg").write_bytes(content)

    event = {
        "id": str(uuid4()),
        "type": "completed",
        "stop_id": stop_id,
        "occurred_at": datetime.now(UTC).isoformat(),
        "data": {
            "recipient": {"name": "Ana", "relation": "self"},
            "proofs": [{"upload_id": upload_id, "kind": "photo", "sha256": hashlib.sha256(content).hexdigest()}],
        },
    }
    async with Client(url, token) as phone:  # the event is there long before its photo
        answer = await phone.ask("POST", "/v1/driver/events", body={"events": [event]})
    assert [one["result"] for one in answer["results"]] == ["applied"]

    async with bad_network(port, after_bytes=CUT_AFTER_BYTES) as network:
        told = {
            "endpoint": f"{network.url}/v1/driver/uploads",
            "file": str(tmp_path / "photo.jpg"),
            "headers": {"Authorization": f"Bearer {token}"},
            "metadata": {
                "stop_id": stop_id,
                "kind": "photo",
                "filename": "puerta.jpg",
                "filetype": "image/jpeg",
                "upload_id": upload_id,
            },
            "chunk": CHUNK_BYTES,
        }
        with (tmp_path / "client.log").open("wb") as log:
            client_process = await asyncio.create_subprocess_exec(*uploader, json.dumps(told), stdout=log, stderr=log)
        for under_way in (
            f"SELECT received > {len(content) // 3} FROM upload",  # during PATCH
            "SELECT attempts > 0 AND finished_at IS NULL FROM upload",  # while the proof is made
        ):
            await until(pool, under_way)
            api.kill()
            api = start("api", **settings, REPARTO_LISTEN=f"127.0.0.1:{port}")
            await api.ready(url)
        async with asyncio.timeout(PATIENCE_S):
            assert await client_process.wait() == 0, (tmp_path / "client.log").read_text()
    assert network.cuts > len(content) // CHUNK_BYTES
    await until(pool, "SELECT state = 'stored' FROM proof")

    async with Client(url, token) as phone, Client(url, key) as client:
        answer = await phone.ask("POST", "/v1/driver/events", body={"events": [event]})
        assert [one["result"] for one in answer["results"]] == ["duplicate"]
        whole = await client.ask("GET", f"/v1/stops/{stop_id}/proof")
    assert (whole["stop"]["status"], whole["outcome"]["id"]) == ("completed", event["id"])
    assert [(one["state"], one["event_id"]) for one in whole["photos"]] == [("stored", event["id"])]
    (proof,) = await pool.fetch("SELECT id, sha256, size_bytes FROM proof")
    assert (proof["sha256"], proof["size_bytes"]) == (hashlib.sha256(content).digest(), len(content))
    kept = tmp_path / "data" / "blobs" / blob_name(account_id, proof["id"], ORIGINAL)
    assert kept.read_bytes() == content
    assert await pool.fetchval("SELECT count(*) FROM upload") == 1
    assert await pool.fetchval("SELECT count(*) FROM upload_part") == 0


async def until(pool: Pool, question: str) -> None:
    """Ask the database until it says yes."""
    async with asyncio.timeout(PATIENCE_S):
        while not await pool.fetchval(question):
            await asyncio.sleep(0.01)
