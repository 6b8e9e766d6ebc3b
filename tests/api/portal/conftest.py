"""A recipient with the link of a stop of today's tour, and the phone of its driver."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from api.driver.manifest import endpoints as manifest
from api.history import events
from api.offers import points, slots
from api.portal import by_code, by_link, company, proposals, redirect, reschedule, step_up
from api.recipient import stream as tracking
from api.tracking_page import changing as tracking_forms
from api.tracking_page import endpoints as tracking_page
from api.tracking_page.elsewhere import widget
from sql.account.accounts import read_instance
from sql.messages.setup import put_channel
from sql.pool import Pool
from tests.api.conftest import say_events
from tests.api.driver.driver_day import Phone, bearer, number
from work.links import code_of


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    modules = (
        tracking,
        tracking_page,
        widget,  # before the forms, whose path it is one of
        tracking_forms,
        manifest,
        by_link,
        by_code,
        step_up,
        reschedule,
        redirect,
        slots,
        points,
        company,
        proposals,
        events,
    )
    return [*app_parts, say_events, *(module.operations.add_to for module in modules)]


@dataclass(kw_only=True)
class Recipient:
    """Whoever holds the links of a tour; `ana` is its first stop, `shop` the second, which is paid at the door."""

    client: Any
    account: Any
    pool: Pool
    phone: Phone
    tokens: list[str]

    @property
    def ana(self) -> str:
        return self.tokens[0]

    @property
    def shop(self) -> str:
        return self.tokens[1]

    async def options(self, token: str) -> Any:
        response = await self.client.get(f"/v1/track/{token}/options")
        assert response.status == 200, await response.text()
        return await response.json()

    async def post(self, token: str, change: str, body: Any, **headers: str) -> Any:
        return await self.client.post(f"/v1/track/{token}/{change}", json=body, headers=headers)

    async def say(self, token: str, change: str, body: Any, **headers: str) -> Any:
        """Post what must be taken."""
        response = await self.post(token, change, body, **headers)
        assert response.status == 200, (response.status, await response.text())
        return await response.json()

    async def code(self, token: str) -> dict[str, str]:
        """Ask for a code, and give the header with what the contact is sent."""
        response = await self.client.post(f"/v1/track/{token}/code")
        assert response.status == 200, (response.status, await response.text())
        return await self.sent(token)

    async def sent(self, token: str) -> dict[str, str]:
        """Give the header with the code that was sent last."""
        stop = number(self.phone.stops[self.tokens.index(token)])
        generation = await self.pool.fetchval("SELECT generation FROM step_up WHERE stop_id = $1", stop)
        return {"Reparto-Code": code_of((await read_instance(self.pool)).secret, stop, generation)}

    async def slot(self, start: datetime, stops: int = 5, **more: Any) -> str:
        """Offer a slot of two hours; give its id."""
        body = {"zone": "centro", "start": start.isoformat(), "end": (start + timedelta(hours=2)).isoformat()}
        body |= {"capacity": {"stops": stops}, **more}
        response = await self.client.post("/v1/slots", json=body, headers=self.account.headers)
        assert response.status == 201, await response.text()
        return str((await response.json())["id"])

    async def slots(self) -> dict[str, Any]:
        """What the company sees of its slots, by id."""
        response = await self.client.get("/v1/slots", headers=self.account.headers)
        assert response.status == 200, await response.text()
        return {one["id"]: one for one in (await response.json())["slots"]}

    async def manifest(self, since: int | None = None) -> Any:
        query = "" if since is None else f"?since={since}"
        response = await self.client.get(f"/v1/driver/manifest{query}", headers=bearer(self.phone.token))
        assert response.status == 200, await response.text()
        return await response.json()

    async def route(self) -> Any:
        response = await self.client.get("/v1/routes/tour-1", headers=self.account.headers)
        return await response.json()

    async def changes(self, stop: str) -> Any:
        response = await self.client.get(f"/v1/stops/{stop}/changes", headers=self.account.headers)
        assert response.status == 200, await response.text()
        return (await response.json())["changes"]

    async def facts(self, kind: str) -> list[Any]:
        rows = await self.pool.fetch("SELECT stop_id, data FROM event WHERE type = $1 ORDER BY id", kind)
        return [dict(row) for row in rows]


@pytest.fixture
async def recipient(client: Any, account: Any, pool: Pool, phone: Phone) -> Recipient:
    response = await client.get("/v1/routes/tour-1", headers=account.headers)
    stops = (await response.json())["stops"]
    tokens = [stop["tracking_url"].rpartition("/")[2] for stop in stops]
    settings = {"gateway": "custom"}
    await put_channel(pool, account_id=account.id, channel="sms", enabled=True, settings=settings, secrets=None)
    return Recipient(client=client, account=account, pool=pool, phone=phone, tokens=tokens)
