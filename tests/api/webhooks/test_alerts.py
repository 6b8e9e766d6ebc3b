"""People of the company hear when something is wrong: by the account's mail server, and by the operator's services."""

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from sql.feed.events import number_events
from sql.messages.setup import put_channel
from tests.api.webhooks.conftest import receiver
from tests.providers.gateway import mail_server
from tests.providers.watched import LOCAL
from work.alerts.tell import MOST_TRIES, AlertWays
from work.feed.types import ALERTING
from work.outgoing.config import OutgoingConfig


@pytest.fixture
def switch_off(company, account, pool):
    """`await switch_off()`: a webhook of the account answers 410, and the feed tells."""

    async def go() -> str:
        async with receiver(behave=lambda n: 410) as gone:
            made = await company.make(gone)
            await company.happens()
            await company.go()
        async with pool.acquire() as db:
            await number_events(db, alerting=ALERTING)
        return str(made["id"])

    return go


async def by_mail(pool, account_id: int, port: int, *, enabled: bool = True) -> None:
    settings = {"host": "127.0.0.1", "port": port, "tls": "none", "from": "Envíos <envios@tienda.example>"}
    await put_channel(pool, account_id=account_id, channel="email", enabled=enabled, settings=settings, secrets=None)


async def test_the_admin_hears_by_mail_once(switch_off, company, account, pool, sealer):
    alerts = AlertWays(sealer=sealer, guard=LOCAL)
    async with mail_server() as server:
        await by_mail(pool, account.id, server.port)
        await company.ask("PATCH", "/v1/account", {"admin_email": "it@tienda.example"})
        webhook = await switch_off()
        for _ in range(2):
            await alerts.tell_due(pool, now=datetime.now(UTC))
        [(_, to, mail)] = server.taken
    assert to == "it@tienda.example"
    assert mail["Subject"] == f"Reparto: webhook {webhook} was switched off"
    text = mail.get_body(("plain",)).get_content()
    assert "410" in text
    assert f"POST /v1/webhooks/{webhook}/replay" in text
    assert await pool.fetchval("SELECT count(*) FROM alert") == 0


@pytest.mark.parametrize(("admin", "enabled"), [("", True), ("it@tienda.example", False)])
async def test_nobody_is_written_to_who_is_not_named_or_cannot_be(
    switch_off, company, account, pool, sealer, admin, enabled
):
    async with mail_server() as server:
        await by_mail(pool, account.id, server.port, enabled=enabled)
        await company.ask("PATCH", "/v1/account", {"admin_email": admin})
        await switch_off()
        await AlertWays(sealer=sealer, guard=LOCAL).tell_due(pool, now=datetime.now(UTC))
        assert server.asked == []
    assert await pool.fetchval("SELECT count(*) FROM alert") == 0


async def test_a_mail_server_that_is_away_is_asked_again_and_not_for_ever(
    switch_off, company, account, pool, sealer, unused_tcp_port
):
    await by_mail(pool, account.id, unused_tcp_port)
    await company.ask("PATCH", "/v1/account", {"admin_email": "it@tienda.example"})
    await switch_off()
    now, alerts = datetime.now(UTC), AlertWays(sealer=sealer, guard=LOCAL)
    await alerts.tell_due(pool, now=now)
    waits = []
    for _ in range(MOST_TRIES - 1):
        [at] = [row["next_try_at"] for row in await pool.fetch("SELECT next_try_at FROM alert")]
        waits.append((at - now).total_seconds())
        now = at
        await alerts.tell_due(pool, now=now)
    assert waits[:3] == [30, 90, 270]
    assert timedelta(days=1) < timedelta(seconds=sum(waits)) < timedelta(days=2)
    assert await pool.fetchval("SELECT count(*) FROM alert") == 0


async def test_the_operator_hears_by_apprise(switch_off, pool, sealer):
    pytest.importorskip("apprise")
    heard: list[dict[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        heard.append(await request.json())
        return web.Response(status=503 if len(heard) == 1 else 200)

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        alerts = AlertWays(sealer=sealer, guard=LOCAL, urls=(f"json://127.0.0.1:{runner.addresses[0][1]}/",))
        webhook = await switch_off()
        now = datetime.now(UTC)
        await alerts.tell_due(pool, now=now)
        await alerts.tell_due(pool, now=now)
        assert len(heard) == 1  # not before half a minute
        for _ in range(2):
            await alerts.tell_due(pool, now=now + timedelta(minutes=1))
    finally:
        await runner.cleanup()
    assert [one["title"] for one in heard] == [f"Reparto: webhook {webhook} was switched off"] * 2


async def test_a_call_for_help_alerts_and_an_arrival_does_not(company, pool):
    await company.happens(1, type="stop.arrived")
    assert await pool.fetchval("SELECT count(*) FROM alert") == 0
    await pool.execute(
        "INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, lane, driver_id, late)"
        " VALUES ($1, gen_random_uuid(), 1, 'asserted', 'driver.sos', now(), now(), 1, 7, false)", company.account.id,
    )  # fmt: skip
    async with pool.acquire() as db:
        await number_events(db, alerting=ALERTING)
    assert {row["way"] for row in await pool.fetch("SELECT way FROM alert")} == {"email", "service"}


async def test_an_address_that_is_none_is_refused(company, client, account, refused):
    answer = await client.patch("/v1/account", json={"admin_email": "it at tienda"}, headers=account.headers)
    await refused(answer, 422, "/admin_email")
    assert (await company.ask("GET", "/v1/account"))["admin_email"] == ""


def test_a_service_that_apprise_does_not_know_is_named_without_its_secrets():
    pytest.importorskip("apprise")
    [mistake] = OutgoingConfig(alert_urls="json://127.0.0.1/ nonsense://secret").contradictions()
    assert "2." in mistake
    assert "secret" not in mistake
