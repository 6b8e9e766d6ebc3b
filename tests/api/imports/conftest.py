"""An application that takes sheets, a depot of the account, and a way to send one."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from api.fleet import erasures
from api.http.app_keys import PROOFS
from api.http.config import ApiConfig
from api.imports import endpoints as imports
from api.imports import errors_file
from api.planning import orders, resources
from api.proofs.uploads import form
from work.proofs.config import ProofConfig
from work.proofs.store import ProofStore, open_proof_store

CENTRO = {"name": "Bodega Centro", "lat": 6.2442, "lon": -75.5690, "timezone": "America/Bogota"}

Call = Callable[..., Awaitable[Any]]


@pytest.fixture
def api_config() -> ApiConfig:
    return ApiConfig(public_url="https://reparto.example", max_import_bytes=300_000, max_import_rows=2_000)


@pytest.fixture
async def proof_store(tmp_path: Path) -> Any:
    async with open_proof_store(ProofConfig(), folder=tmp_path / "blobs") as store:
        yield store


@pytest.fixture
def app_parts(app_parts: list[Any], proof_store: ProofStore) -> list[Any]:
    def put(app: web.Application) -> None:
        app[PROOFS] = proof_store

    modules = (orders, resources, form, imports, errors_file, erasures)
    return [put, *app_parts, *(one.operations.add_to for one in modules)]


@pytest.fixture
async def ask(client: Any, account: Any) -> Call:
    """`await ask("GET", "/v1/…", body)`: the answer's JSON, of an account with a depot."""

    async def asked(method: str, path: str, body: Any = None, *, status: int | None = None, **query: str) -> Any:
        response = await client.request(method, path, json=body, params=query, headers=account.headers)
        text = await response.text()
        assert response.status == status if status else response.status < 300, (response.status, text)
        return await response.json(content_type=None) if text else None

    await asked("PUT", "/v1/depots/centro", CENTRO)
    return asked


@pytest.fixture
def send(client: Any, account: Any, ask: Call) -> Call:
    """`await send(content, kind="orders", …)`: send a sheet, give the answer's JSON."""

    async def sent(content: bytes | str, *, status: int = 202, name: str = "mañana.csv", **query: str) -> Any:
        data = aiohttp.FormData(quote_fields=False)
        data.add_field("file", content.encode() if isinstance(content, str) else content, filename=name)
        query = {"kind": "orders", **query}
        response = await client.post("/v1/imports", data=data, params=query, headers=account.headers)
        assert response.status == status, (response.status, await response.text())
        return await response.json(content_type=None)

    return sent


def verdicts(answer: Any) -> list[tuple[int, str | None, str]]:
    """The rows of an answer in short."""
    return [(one["row"], one["external_id"], one["verdict"]) for one in answer["verdicts"]]


def counts(answer: Any) -> tuple[int, int, int, int]:
    """How many rows were created, updated, unchanged, rejected."""
    return tuple(answer[name] for name in ("created", "updated", "unchanged", "rejected"))  # type: ignore[return-value]
