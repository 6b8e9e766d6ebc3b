"""A recipient with the link of a delivered stop, the company's keys, and an application with tickets and returns."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData, web

from api.driver.manifest import endpoints as manifest
from api.http.app_keys import PROOFS
from api.portal import by_link as portal
from api.proofs.uploads import endpoints as uploads
from api.proofs.uploads import form as proofs_post
from api.tickets import by_link, company, photos
from sql.pool import Pool
from tests.api.conftest import say_events
from tests.api.driver.driver_day import Phone, bearer, event
from work.proofs.config import ProofConfig
from work.proofs.store import ProofStore, open_proof_store


@pytest.fixture
async def proof_store(tmp_path: Path) -> Any:
    async with open_proof_store(ProofConfig(), folder=tmp_path / "blobs") as store:
        yield store


@pytest.fixture
def app_parts(app_parts: list[Any], proof_store: ProofStore) -> list[Any]:
    return parts(app_parts, proof_store)


def parts(app_parts: list[Any], proof_store: ProofStore) -> list[Any]:
    """Add to an application what both sides of a ticket ask."""

    def put(app: web.Application) -> None:
        app[PROOFS] = proof_store

    modules = (manifest, portal, uploads, proofs_post, by_link, company, photos)
    return [put, *app_parts, say_events, *(one.operations.add_to for one in modules)]


@dataclass(kw_only=True)
class Case:
    """Both sides of a delivery: `post` and `get` by the link of its first stop, `ask` as the company."""

    client: Any
    account: Any
    pool: Pool
    phone: Phone
    tokens: list[str]

    @property
    def stop(self) -> str:
        return self.phone.stops[0]

    async def post(self, path: str, body: Any, *, token: str | None = None, status: int = 200) -> Any:
        response = await self.client.post(f"/v1/track/{token or self.tokens[0]}/{path}", json=body)
        assert response.status == status, (response.status, await response.text())
        return await response.json(content_type=None)

    async def get(self, path: str, *, token: str | None = None, status: int = 200) -> Any:
        response = await self.client.get(f"/v1/track/{token or self.tokens[0]}/{path}")
        assert response.status == status, (response.status, await response.text())
        return await response.json(content_type=None)

    async def ask(self, method: str, path: str, body: Any = None, *, status: int | None = None, **headers: str) -> Any:
        response = await self.client.request(method, path, json=body, headers={**self.account.headers, **headers})
        text = await response.text()
        assert response.status == status if status else response.status < 300, (response.status, text)
        return await response.json(content_type=None)

    async def send_photo(self, content: bytes, *, token: str | None = None, status: int = 201) -> Any:
        form = FormData()
        form.add_field("file", content, filename="foto.jpg", content_type="image/jpeg")
        response = await self.client.post(f"/v1/track/{token or self.tokens[0]}/photos", data=form)
        assert response.status == status, (response.status, await response.text())
        return await response.json(content_type=None)

    async def deliver(self, place: int = 0, **more: Any) -> None:
        stop = self.phone.stops[place]
        done = event("completed", 30, stop, recipient={"name": "Ana"}, more={"lat": 6.24815, "lon": -75.56785})
        (result,) = await self.phone.say(done | more)
        assert result["result"] == "applied", result

    async def facts(self, kind: str) -> list[Any]:
        rows = await self.pool.fetch("SELECT data FROM event WHERE type = $1 ORDER BY id", kind)
        return [row["data"] for row in rows]

    async def notices(self) -> list[Any]:
        rows = await self.pool.fetch("SELECT data FROM notice WHERE kind = 'ticket' ORDER BY id")
        return [row["data"] for row in rows]

    async def driver_sees(self) -> str:
        response = await self.client.get("/v1/driver/manifest", headers=bearer(self.phone.token))
        return str(await response.text())


@pytest.fixture
async def case(client: Any, account: Any, pool: Pool, phone: Phone) -> Case:
    response = await client.get("/v1/routes/tour-1", headers=account.headers)
    stops = (await response.json())["stops"]
    tokens = [stop["tracking_url"].rpartition("/")[2] for stop in stops]
    return Case(client=client, account=account, pool=pool, phone=phone, tokens=tokens)
