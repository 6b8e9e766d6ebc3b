"""An account that writes to recipients, with real providers on this machine, and a clock that can be moved."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from api.messages import channels, consent, hooks, kinds, listing, stop
from api.portal import push
from geo.times import ms_of
from sql.account.accounts import read_instance
from sql.feed.facts import LATE_AFTER_S, Revision, put_revisions
from sql.messages.messages import due_providers
from sql.pool import Pool
from tests.api.conftest import say_events, send_out
from tests.api.driver.driver_day import event, hours
from tests.providers.gateway import HttpProvider, MailServer, http_provider, mail_server
from tests.providers.watched import LOCAL
from work.feed.settle import settle_routes
from work.messages.channels.settings import SETTINGS
from work.messages.deciding.take_up import expand
from work.messages.notices import note_facts
from work.messages.rules.kinds import KINDS
from work.messages.sending.send import MessageSender
from work.messages.sending.service import open_channel
from work.messages.words.letter import Logo
from work.messages.words.render import Source
from work.outgoing.sealed import Sealer

ANA, BRUNO = "+573001112233", "+5491155551234"


@pytest.fixture
def app_parts(app_parts, sealer):
    def add(app):
        for module in (channels, kinds, listing, consent, hooks, stop, push):
            module.operations.add_to(app)

    return [*app_parts, say_events, send_out(sealer), add]


@pytest.fixture
def tour(tour):
    """Today's, in the middle of its hours; it is noon somewhere, but not always in Bogotá: quiet hours are off."""
    return tour | hours()


@pytest.fixture
async def sms() -> AsyncIterator[HttpProvider]:
    async with http_provider() as made:
        yield made


@pytest.fixture
async def meta() -> AsyncIterator[HttpProvider]:
    async with http_provider() as made:
        yield made


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    async with mail_server() as made:
        yield made


def fresh(kind: str, stop: str, /, *, ago_s: float = 30.0, **data: Any) -> dict[str, Any]:
    """An event of a moment ago, whenever the suite began."""
    when = (datetime.now(UTC) - timedelta(seconds=ago_s)).isoformat()
    return event(kind, 0, stop, more={"occurred_at": when}, **data)


@dataclass(slots=True)
class Desk:
    """A company's way to its messages."""

    client: Any
    account: Any
    pool: Pool
    sealer: Sealer
    now: Callable[[], datetime] = field(init=False)
    logo: Logo | None = None

    def __post_init__(self) -> None:
        self.now = self.pool.clock.now

    async def find_logo(self, account_id: int, name: str) -> Logo | None:
        """Give the one logo there is, by any name."""
        return self.logo

    async def put(self, path: str, body: dict[str, Any], *, status: int = 200) -> Any:
        response = await self.client.put(path, json=body, headers=self.account.headers)
        assert response.status == status, await response.text()
        return await response.json()

    async def get(self, path: str) -> Any:
        response = await self.client.get(path, headers=self.account.headers)
        assert response.status == 200, await response.text()
        return await response.json()

    async def by_sms(self, provider: HttpProvider, **more: Any) -> Any:
        body = {
            "gateway": "custom",
            "from": "Reparto",
            "url": f"{provider.url}/send",
            "body": '{"to": {{ to|tojson }}, "text": {{ text|tojson }}, "ref": {{ id|tojson }}}',
            "id_path": "data.id",
        }
        return await self.put("/v1/account/channels/sms", body | more)

    async def by_mail(self, server: MailServer, **more: Any) -> Any:
        body = {"host": "127.0.0.1", "port": server.port, "tls": "none", "from": "Envíos <envios@tienda.example>"}
        return await self.put("/v1/account/channels/email", body | more)

    async def by_whatsapp(self, provider: HttpProvider, **more: Any) -> Any:
        templates = {
            kind: {"name": f"reparto_{kind}", "language": "es", "parameters": ["brand", "window", "link"]}
            for kind in ("booked", "departed_depot", "approaching", "delivered", "failed")
        }
        body = {
            "phone_number_id": "1234",
            "token": "meta-token",
            "app_secret": "meta-secret",
            "url": provider.url,
            "templates": templates,
        }
        return await self.put("/v1/account/channels/whatsapp", body | more)

    async def only(self, *on: str, channels: list[str] | None = None, **more: Any) -> None:
        """Switch these kinds on, at any hour, and all others off."""
        for kind in KINDS:
            body: dict[str, Any] = {"enabled": kind in on, "quiet_hours": None, "wait_for_workday": False}
            await self.put(f"/v1/account/messages/{kind}", body | ({"channels": channels} if channels else {}) | more)

    async def go(self, *, after: timedelta = timedelta(0)) -> None:
        """Make and send all that is due, the clock moved on by `after`. Cancelled it is a process that dies."""

        def clock() -> datetime:
            return self.now() + after

        while await expand(self.pool, now=clock()):
            pass
        source = Source(secret=(await read_instance(self.pool)).secret, public_url="https://reparto.example")

        async def found(_pool: Pool) -> Source:
            return source

        sender = MessageSender(
            open_channel=lambda row, settings, where: open_channel(row, settings, where, LOCAL, self.sealer),
            find_logo=self.find_logo,
            find_source=found,
            sealer=self.sealer,
            clock=clock,
        )
        stop = asyncio.Event()
        running = asyncio.create_task(sender.run(self.pool, stop))
        quiet = 0
        try:
            while quiet < 2:  # twice: what came of one message may make another one between two questions
                quiet = 0 if await self._is_at_it(sender, clock()) else quiet + 1
                assert not running.done(), running.exception()
                await asyncio.sleep(0.02)
        except asyncio.CancelledError:  # it dies, and leaves behind what it had begun
            running.cancel()
            await asyncio.wait({running})
            raise
        stop.set()
        await running

    async def _is_at_it(self, sender: MessageSender, now: datetime) -> bool:
        accounts = [row["account_id"] for row in await self.pool.fetch("SELECT DISTINCT account_id FROM message")]
        on = {
            (r[0], r[1]) for r in await self.pool.fetch("SELECT account_id, channel FROM message_channel WHERE enabled")
        }
        asked = [pair for pair in ((a, c) for a in accounts for c in SETTINGS) if pair in on]
        due = await due_providers(self.pool, asked, now) if asked else []
        return bool(due) or any(one.is_busy for one in sender.outlets)

    async def messages(self, query: str = "") -> list[dict[str, Any]]:
        """What the API lists, oldest first."""
        return list(reversed((await self.get(f"/v1/messages{query}"))["messages"]))

    async def table(self) -> list[tuple[Any, ...]]:
        """Kind, channel, address, state and why of every message, oldest first."""
        return [(one["kind"], one["channel"], one["to"], one["state"], one["why"]) for one in await self.messages()]


@pytest.fixture
def desk(client, account, pool, sealer) -> Desk:
    return Desk(client=client, account=account, pool=pool, sealer=sealer)


Moment = Callable[[float], Awaitable[None]]


@pytest.fixture
def start_route(pool):
    """`await start_route()`: the van leaves the depot now, as the tracker writes it."""

    async def start() -> None:

        async with pool.acquire() as db, db.transaction():
            row = await db.fetchrow("SELECT id, version, account_id, driver_id FROM route")
            fact = Revision(
                fact_id=uuid4(),
                revision=1,
                state="asserted",
                type="route.started",
                occurred_ms=ms_of(datetime.now(UTC)),
                folded_ms=None,
                lane=1,
                account_id=row["account_id"],
                driver_id=row["driver_id"] or 1,
                route_id=row["id"],
                route_version=row["version"],
                stop_id=None,
                geofence_id=None,
                visit_id=None,
                data={},
            )
            await put_revisions(db, [fact], late_after_s=LATE_AFTER_S)
            await note_facts(db, [fact], now=datetime.now(UTC))
            await settle_routes(db, [row["id"]])

    return start
