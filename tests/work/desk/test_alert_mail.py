"""Alerts are mailed to whom the account names: once each, never in floods, by its own mail server."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest

from sql.account.accounts import ensure_account
from sql.desk import people
from sql.desk.alert_mails import ToldAlert, WaitingMails
from sql.desk.alerts import follow_feed
from sql.messages.setup import put_channel
from tests.providers.gateway import hanging_server, mail_server
from work.desk.alert_mail import AlertMails, in_mails
from work.desk.alerts import ENDS, opens_for
from work.outgoing.guard import Guard, networks_of

EVA, BETO, OUTSIDE = "eva@tienda.example", "beto@tienda.example", "guardia@seguridad.example"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
async def account_id(pool):
    return await ensure_account(pool, "mensajeria", {"languages": ["pt"]})


@pytest.fixture
async def server(pool, account_id):
    """The account's mail server; what it took is in `taken`."""
    async with mail_server() as running:
        await by(pool, account_id, running.port)
        yield running


async def by(pool, account_id, port):
    settings = {"host": "127.0.0.1", "port": port, "tls": "none", "from": "Envíos <envios@tienda.example>"}
    await put_channel(pool, account_id=account_id, channel="email", enabled=True, settings=settings, secrets=None)


async def member(pool, account_id, email, role="dispatcher"):
    person = await people.ensure_person(pool, email)
    await people.add_member(pool, account_id, person.id, role)
    return f"us_{person.id}"


async def rule(pool, account_id, *rules, **more):
    settings = {"alert_mails": list(rules), **more}
    await pool.execute("UPDATE account SET settings = settings || $2 WHERE id = $1", account_id, settings)


@pytest.fixture
def mails(sealer):
    return AlertMails(sealer=sealer, guard=Guard(networks_of("127.0.0.0/8")), public_url="https://reparto.example")


@pytest.fixture
def happens(pool, account_id, mails):
    """`await happens("stop.failed", stop_id=7)`: the feed says so, and who wants to know is told."""

    async def said(*kinds, **about):
        for kind in kinds:
            await pool.execute(
                "WITH next AS (UPDATE account SET events_numbered = events_numbered + 1 WHERE id = $1"
                "              RETURNING events_numbered AS seq)"
                " INSERT INTO event (account_id, seq, fact_id, revision, state, type, occurred_at, known_at, late,"
                " driver_id, route_id, stop_id, data)"
                " SELECT $1, seq, gen_random_uuid(), 1, 'asserted', $2, now(), now(), false, $3, $4, $5, '{}'"
                "   FROM next",
                *(account_id, kind, about.get("driver_id"), about.get("route_id"), about.get("stop_id")),
            )
        async with pool.acquire() as db, db.transaction():
            await follow_feed(db, opens_for, ENDS, accounts_at_once=9, entries_at_once=999)
        assert await mails.decide(pool) is False
        assert await mails.send_due(pool) is False

    return said


def told(server):
    """Who was told what, in the order of mails."""
    return [(to, mail["Subject"].removeprefix("mensajeria: ")) for _, to, mail in server.taken]


async def test_each_rule_tells_its_people_of_what_hurries_enough_in_the_accounts_language(
    pool, account_id, server, happens
):
    eva, beto = await member(pool, account_id, EVA), await member(pool, account_id, BETO, "viewer")
    await rule(
        pool,
        account_id,
        {"severity": "critical", "users": [eva], "emails": [OUTSIDE.title()]},
        {"severity": "low", "types": ["message.failed", "driver.sos"], "users": [beto, eva]},
    )
    await happens("driver.sos", driver_id=5)
    await happens("message.failed", stop_id=3)
    await happens("stop.failed", stop_id=3)
    calls, lost = "O motorista pede ajuda", "Uma mensagem não chegou"
    assert sorted(told(server)) == [(BETO, calls), (BETO, lost), (EVA, calls), (EVA, lost), (OUTSIDE, calls)]
    text = next(mail for _, to, mail in server.taken if to == BETO and lost in mail["Subject"])
    body = text.get_body(("plain",)).get_content()
    assert "https://reparto.example/desk/stops/st_3?lang=pt" in body
    assert "UTC" in body


async def test_one_mail_an_alert_and_no_other_of_the_same_thing_while_it_is_open(pool, account_id, server, happens):
    await rule(pool, account_id, {"severity": "low", "emails": [EVA]}, {"severity": "low", "emails": [EVA]})
    await happens("driver.sos", driver_id=5)
    await happens()
    await happens("driver.sos", driver_id=5)
    assert len(server.taken) == 1
    await happens("driver.sos", driver_id=6)
    assert len(server.taken) == 2
    await pool.execute("UPDATE desk_alert SET closed_at = now(), closed_why = 'closed'")
    await happens("driver.sos", driver_id=5)
    assert len(server.taken) == 3


async def test_nobody_is_told_of_what_somebody_has_taken_or_is_over_or_waits(pool, account_id, server, happens):
    await rule(pool, account_id, {"severity": "low", "emails": [EVA]}, alert_rules={"stop.failed": {"wait_minutes": 5}})
    await happens("stop.failed", stop_id=3)
    assert server.taken == []  # not in sight yet
    await pool.execute("UPDATE desk_alert SET mail_at = now(), taken_at = now(), taken_by = 1")
    await happens()
    await happens("driver.silent", "driver.seen", driver_id=5)
    assert server.taken == []


async def test_who_is_taken_out_or_drives_is_told_no_more(pool, account_id, server, happens):
    eva, beto = await member(pool, account_id, EVA), await member(pool, account_id, BETO)
    await rule(pool, account_id, {"users": [eva, beto]})
    await pool.execute("DELETE FROM member USING person WHERE person.id = person_id AND email = $1", EVA)
    await pool.execute(
        "WITH driver AS (INSERT INTO driver (account_id, lane, external_id, name) VALUES ($1, 0, 'b', 'B')"
        "                RETURNING id),"
        " browser AS (INSERT INTO device (account_id, driver_id, app, ingest_token_hash)"
        "             SELECT $1, id, 'browser', 'x' FROM driver RETURNING id)"
        " UPDATE member SET role = 'driver', device_id = browser.id FROM browser",
        account_id,
    )
    await happens("driver.sos", driver_id=5)
    assert server.taken == []


async def test_a_flood_comes_together_and_the_hour_has_no_more_than_the_account_allows(
    pool, account_id, server, happens
):
    await rule(pool, account_id, {"severity": "low", "emails": [EVA]}, alert_mails_an_hour=3)
    await happens("stop.failed", stop_id=1)
    for stop_id in range(2, 82):
        await pool.execute(
            "INSERT INTO desk_alert (account_id, fact_id, type, severity, occurred_at, stop_id, mail_at)"
            " VALUES ($1, gen_random_uuid(), 'stop.failed', 2, now(), $2, now())",
            *(account_id, stop_id),
        )
    await happens()
    assert told(server)[1:] == [(EVA, "80 alertas: Não foi possível entregar")]
    body = server.taken[1][2].get_body(("plain",)).get_content()
    assert len(re.findall(r"/desk/stops/st_\d+", body)) == 50
    assert "e mais 30" in body
    await happens("stop.failed", stop_id=100)
    assert len(server.taken) == 3
    await happens("stop.failed", "message.failed", stop_id=101)  # the hour is full
    assert len(server.taken) == 3
    await happens("driver.sos", driver_id=5)  # a minute after the last, whatever the hour says
    assert len(server.taken) == 3
    await pool.execute(
        "UPDATE desk_alert_mail SET mailed_at = mailed_at - interval '61 s', due_at = due_at - interval '61 s'"
    )
    await happens()
    assert told(server)[3:] == [(EVA, "O motorista pede ajuda")]
    await pool.execute("UPDATE desk_alert_mail SET mailed_at = mailed_at - interval '1 h'")
    await pool.execute("UPDATE desk_alert_mail SET due_at = now() WHERE due_at IS NOT NULL")
    await happens()
    assert sorted(told(server)[4:]) == [(EVA, "Não foi possível entregar"), (EVA, "Uma mensagem não chegou")]


async def test_a_server_that_is_away_is_asked_again_and_nothing_is_told_twice(
    pool, account_id, happens, mails, unused_tcp_port
):
    await rule(pool, account_id, {"severity": "low", "emails": [EVA]})
    await by(pool, account_id, unused_tcp_port)
    await happens("driver.sos", driver_id=5)
    assert await pool.fetchval("SELECT due_at > now() AND mailed_at IS NULL FROM desk_alert_mail")
    async with mail_server() as server:
        await by(pool, account_id, server.port)
        await happens()
        assert server.taken == []  # not yet
        await pool.execute("UPDATE desk_alert_mail SET due_at = now()")
        for _ in range(2):
            await happens()
        assert len(server.taken) == 1
    await pool.execute("UPDATE desk_alert SET mail_at = now()")
    await happens()
    assert len(server.taken) == 1


async def test_without_rules_or_a_mail_server_nothing_waits(pool, account_id, happens):
    await happens("driver.sos", driver_id=5)
    assert await pool.fetchval("SELECT count(*) FROM desk_alert_mail") == 0
    await rule(pool, account_id, {"emails": [EVA]})
    await happens("driver.sos", driver_id=6)
    assert await pool.fetchval("SELECT count(*) FROM desk_alert_mail WHERE due_at IS NOT NULL") == 0


def waiting(*severities, mails=0, first_s_ago=0, last_s_ago=0):
    alerts = [
        ToldAlert(id=n, type="driver.sos", severity=severity, occurred_at=NOW, driver_id=n, route_id=None, stop_id=None)
        for n, severity in enumerate(severities)
    ]
    first, last = (NOW - timedelta(seconds=ago) if mails else None for ago in (first_s_ago, last_s_ago))
    return WaitingMails(
        account_id=1, account="a", settings={}, email=EVA, attempts=1, alerts=alerts, mails=mails, first_at=first,
        last_at=last,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "sizes", "again_s"),
    [
        (waiting(1, 2), [1, 1], None),
        (waiting(1, 2, 3), [3], None),
        (waiting(1, mails=1), [1], None),
        (waiting(1, 1, mails=1), [2], None),
        (waiting(1, mails=2, first_s_ago=600, last_s_ago=300), [], 3_000),
        (waiting(1, 3, mails=2, first_s_ago=600, last_s_ago=20), [], 40),
        (waiting(1, 3, mails=2, first_s_ago=600, last_s_ago=60), [2], None),
    ],
)
def test_how_many_mails_leave_and_when_the_rest_does(before, sizes, again_s):
    leave, again = in_mails(before, 2, NOW)
    assert [len(alerts) for alerts in leave] == sizes
    assert again_s is None or (again - NOW).total_seconds() == again_s


async def test_a_mail_server_that_hangs_holds_up_its_own_account_only(pool, mails):
    async with hanging_server() as hangs, mail_server() as server:
        for name, port in (("cuelga", hangs), ("tienda", server.port)):
            account_id = await ensure_account(pool, name)
            await by(pool, account_id, port)
            await rule(pool, account_id, {"severity": "low", "emails": [f"{name}@tienda.example"]})
            await pool.execute(
                "INSERT INTO desk_alert (account_id, fact_id, type, severity, occurred_at, mail_at)"
                " VALUES ($1, gen_random_uuid(), 'driver.sos', 3, now(), now())",
                account_id,
            )
        await mails.decide(pool)
        sending = asyncio.create_task(mails.send_due(pool))
        async with asyncio.timeout(10):
            while not server.taken:
                await asyncio.sleep(0.05)
        assert not sending.done()
        sending.cancel()
    assert server.taken[0][1] == "tienda@tienda.example"
