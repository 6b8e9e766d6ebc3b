"""An application that takes uploads, a store of its own, and a phone at the first stop of the tour."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web

from api.certificate import endpoints as certificate
from api.http.app_keys import PROOFS
from api.proofs import endpoints as proofs
from api.proofs.uploads import endpoints as uploads
from api.proofs.uploads import form as proofs_post
from tests.stores.server import Bucket
from work.proofs.config import ProofConfig
from work.proofs.store import ProofStore, open_proof_store
from work.retention.guard import RetentionGuard
from work.upkeep.config import RetentionConfig
from work.upkeep.retention import retention_guard

Call = Callable[..., Awaitable[Any]]

KINDS = ["s3", "azure", "gcs"]

Enter = Callable[[dict[str, str]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A driver's phone, and the stops of the driver's tour."""

    token: str
    driver_id: str
    device_id: str
    stops: list[str]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Tus-Resumable": "1.0.0"}

    def metadata(self, **more: str) -> str:
        """`Upload-Metadata` of a photo of the first stop, with changes; None leaves one out."""
        told = {"stop_id": self.stops[0], "kind": "photo", "upload_id": str(uuid4())} | more
        return ",".join(
            f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in told.items() if value is not None
        )


@pytest.fixture
def proof_config() -> ProofConfig:
    """Settings of uploads; a test module may override this fixture."""
    return ProofConfig()


@pytest.fixture
async def proof_store(proof_config: ProofConfig, tmp_path: Path) -> AsyncIterator[ProofStore]:
    """Where the application under test keeps bytes."""
    async with open_proof_store(proof_config, folder=tmp_path / "blobs") as store:
        yield store


@pytest.fixture
def guard(proof_store: ProofStore) -> RetentionGuard:
    """What says which proofs are too old."""
    return retention_guard(RetentionConfig(), proof_retention_days=proof_store.config.proof_retention_days)


@pytest.fixture
def app_parts(app_parts: list[Any], proof_store: ProofStore) -> list[Any]:
    def put(app: web.Application) -> None:
        app[PROOFS] = proof_store

    modules = (uploads, proofs_post, proofs, certificate)
    return [put, *(module.operations.add_to for module in modules), *app_parts]


@pytest.fixture
def make_phone(make_driver: Call, make_device: Call, put_route: Call) -> Call:
    """`await make_phone(client, key, "ana")`: a driver with a tour of their own and a phone."""

    async def make(client: Any, key: str, name: str = "ana") -> Phone:
        driver = await make_driver(client, key, name)
        device = await make_device(client, key, driver["id"], app="native")
        route = await put_route(client, key, route=f"tour-{name}", driver=name)
        return Phone(
            token=device["token"],
            driver_id=driver["id"],
            device_id=device["id"],
            stops=[stop["id"] for stop in route["stops"]],
        )

    return make


@pytest.fixture
async def phone(client: Any, account: Any, make_phone: Call) -> Phone:
    """The phone of the driver ana."""
    made: Phone = await make_phone(client, account.key)
    return made


@pytest.fixture
def begin(client: Any) -> Call:
    """`await begin(phone, length, kind="photo")`: begin an upload, give its path."""

    async def make(phone: Phone, length: int, **metadata: str) -> str:
        headers = {**phone.headers, "Upload-Length": str(length), "Upload-Metadata": phone.metadata(**metadata)}
        response = await client.post("/v1/driver/uploads", headers=headers)
        assert response.status == 201, await response.text()
        return "/v1/driver/" + response.headers["Location"].partition("/v1/driver/")[2]

    return make


@pytest.fixture
def append(client: Any) -> Call:
    """`await append(phone, path, 0, content)`: one PATCH; its answer."""

    async def send(phone: Phone, path: str, offset: int, content: Any, **headers: str) -> Any:
        told = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        return await client.patch(path, data=content, headers={**phone.headers, **told, **headers})

    return send


@pytest.fixture
def upload(begin: Call, append: Call) -> Call:
    """`await upload(phone, content, kind="photo")`: a whole upload; the answer to its last bytes."""

    async def whole(phone: Phone, content: bytes, **metadata: str) -> Any:
        return await append(phone, await begin(phone, len(content), **metadata), 0, content)

    return whole


@pytest.fixture
def proofs_of(client: Any) -> Call:
    """`await proofs_of(account, stop)`: the proofs of a stop."""

    async def read(account: Any, stop: str) -> Any:
        response = await client.get(f"/v1/stops/{stop}/proofs", headers=account.headers)
        assert response.status == 200, await response.text()
        return (await response.json())["proofs"]

    return read


@pytest.fixture(params=KINDS)
def bucket(request: pytest.FixtureRequest) -> Bucket:
    """A bucket of each kind; this test's own part of it."""
    shared: Bucket = request.getfixturevalue(request.param)
    return replace(shared, url=f"{shared.url}/{uuid4()}")


@pytest.fixture
def enter(monkeypatch: pytest.MonkeyPatch) -> Enter:
    """`enter(bucket.credentials)`: what an operator sets."""

    def set_all(credentials: dict[str, str]) -> None:
        for name, value in credentials.items():
            monkeypatch.setenv(name, value)

    return set_all
