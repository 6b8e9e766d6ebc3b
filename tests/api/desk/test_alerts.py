"""What somebody has to look at: opened and ended by the feed, taken by one person, put aside, closed."""

from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import uuid4

import pytest

from sql.account.settings import AlertType
from sql.desk.alerts import follow_feed, tidy_alerts
from tests.api.desk.desk import ask, make_user, signed_in
from work.desk.alerts import ENDS, OPENS, opens_for
from work.feed.types import NAMES

AT = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)


@pytest.fixture
def happens(pool, account):
    """`await happens("driver.silent", driver=1)`: the feed says so, and is followed; gives the fact's id."""

    async def say(kind, *, minute=0, fact=None, revision=1, state="asserted", late=False, data=None, **about):
        fact = fact or uuid4()
        async with pool.acquire() as db, db.transaction():
            seq = await db.fetchval(
                "UPDATE account SET events_numbered = events_numbered + 1 WHERE id = $1 RETURNING events_numbered",
                account.id,
            )
            await db.execute(
                "INSERT INTO event (account_id, seq, fact_id, revision, state, type, occurred_at, known_at, late,"
                " driver_id, route_id, stop_id, data)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, now(), $8, $9, $10, $11, $12)",
                *(account.id, seq, fact, revision, state, kind, AT + timedelta(minutes=minute), late),
                *(about.get(name) for name in ("driver", "route", "stop")),
                data or {},
            )
        async with pool.acquire() as db, db.transaction():
            await follow_feed(db, opens_for, ENDS, accounts_at_once=9, entries_at_once=9)
        return fact

    return say


async def listed(client, account, **only):
    _, said = await ask(client, "GET", "/v1/alerts", headers=account.headers, params=only)
    return [(one["type"], one["state"], one["closed_why"]) for one in said["alerts"]]


def test_every_type_that_opens_or_ends_is_one_of_the_feed():
    assert {one.type for one in OPENS} | {one.by for one in ENDS} <= set(NAMES)
    assert {one.type for one in ENDS} <= {one.type for one in OPENS}


def test_every_type_that_opens_has_a_rule():
    assert [one.type for one in OPENS] == list(get_args(AlertType))


async def test_an_account_says_what_opens_an_alert_and_how_long_it_waits(client, account, pool, happens):
    rules = {
        "driver.alarm": {"severity": "critical"},
        "stop.failed": {"severity": "off"},
        "driver.silent": {"wait_minutes": 10},
        "eta.late": {"wait_minutes": 1_440},
    }
    change = {"alert_rules": rules}
    assert (await ask(client, "PATCH", "/v1/account", change, headers=account.headers))[0] == 200
    for wrong in ({"driver.gone": {}}, {"eta.late": {"wait_minutes": -1}}, {"eta.late": {"severity": "worst"}}):
        assert (await ask(client, "PATCH", "/v1/account", {"alert_rules": wrong}, headers=account.headers))[0] == 422
    now = (await pool.fetchval("SELECT now()") - AT).total_seconds() / 60
    await happens("driver.alarm", driver=1)
    await happens("stop.failed", stop=1)
    await happens("driver.silent", driver=2, minute=now - 11)
    await happens("eta.late", stop=2, minute=now)
    await happens("driver.sos", driver=3)
    opened = [("driver.sos", "open", None), ("driver.silent", "open", None), ("driver.alarm", "open", None)]
    assert await listed(client, account, state="open") == opened
    assert await listed(client, account, severity="critical") == [opened[0], opened[2]]
    assert await listed(client, account, state="snoozed") == [("eta.late", "snoozed", None)]
    await happens("stop.completed", stop=2, minute=now + 1)
    assert await listed(client, account, state="closed") == [("eta.late", "closed", "over")]  # nobody ever saw it


async def test_the_feed_opens_an_alert_and_its_cause_ends_it(client, account, happens):
    await happens("driver.silent", driver=1)
    await happens("driver.silent", driver=2)
    await happens("driver.seen", driver=1, minute=5)
    assert await listed(client, account) == [("driver.silent", "open", None)]
    assert await listed(client, account, state="closed") == [("driver.silent", "closed", "over")]
    await happens("driver.seen", driver=2, minute=-5)  # of before it fell silent
    assert await listed(client, account) == [("driver.silent", "open", None)]


async def test_what_never_was_is_taken_back_and_old_news_alert_nobody(client, account, happens):
    fact = await happens("route.off_route", route=1)
    await happens("route.off_route", route=1, fact=fact, revision=2, state="corrected", minute=1)
    await happens("route.off_route", route=1, fact=fact, revision=3, state="retracted")
    await happens("eta.late", stop=1, late=True)
    await happens("stop.completed", stop=1)
    assert await listed(client, account) == []
    assert await listed(client, account, state="closed") == [("route.off_route", "closed", "retracted")]


async def test_a_ticket_is_followed_by_its_own_answer(client, account, happens):
    for ticket in ("tk_1", "tk_2"):
        await happens("ticket.due_soon", data={"ticket_id": ticket})
    await happens("ticket.overdue", data={"ticket_id": "tk_1"}, minute=1)
    await happens("ticket.answered", data={"ticket_id": "tk_2"}, minute=1)
    _, said = await ask(client, "GET", "/v1/alerts", headers=account.headers)
    assert [(one["type"], one["severity"], one["data"]) for one in said["alerts"]] == [
        ("ticket.overdue", "high", {"ticket_id": "tk_1"})
    ]


async def test_the_worst_alone(client, account, happens):
    await happens("driver.sos", driver=1)
    await happens("message.failed", stop=1)
    assert await listed(client, account, severity="critical") == [("driver.sos", "open", None)]


async def test_of_two_who_take_it_one_gets_it(client, account, pool, happens):
    await happens("driver.sos", driver=1)
    ana, beto = [
        await signed_in(pool, account.id, await make_user(pool, account.id, f"{name}@tienda.example", "dispatcher"))
        for name in ("ana", "beto")
    ]
    status, taken = await ask(client, "POST", "/v1/alerts/al_1/take", headers=ana)
    assert (status, taken["taken_by"]["email"]) == (200, "ana@tienda.example")
    assert (await ask(client, "POST", "/v1/alerts/al_1/take", headers=ana))[0] == 200
    assert (await ask(client, "POST", "/v1/alerts/al_1/take", headers=beto))[0] == 409
    status, taken = await ask(client, "POST", "/v1/alerts/al_1/take?over=true", headers=beto)
    assert (status, taken["taken_by"]["email"]) == (200, "beto@tienda.example")
    entry = await pool.fetchrow("SELECT * FROM audit_entry ORDER BY id DESC LIMIT 1")
    assert (entry["before"]["taken_by"], entry["after"]["taken_by"]) == ("us_1", "us_2")


async def test_put_aside_and_closed(client, account, other_account, happens, refused):
    await happens("driver.sos", driver=1)
    now = datetime.now(UTC)
    for until in (now - timedelta(minutes=1), now + timedelta(days=8)):
        body = {"until": until.isoformat()}
        await refused(await client.post("/v1/alerts/al_1/snooze", json=body, headers=account.headers), 422, "/until")
    body = {"until": (now + timedelta(hours=1)).isoformat()}
    assert (await ask(client, "POST", "/v1/alerts/al_1/snooze", body, headers=account.headers))[0] == 200
    assert await listed(client, account) == [("driver.sos", "snoozed", None)]
    assert await listed(client, account, state="open") == []
    assert (await ask(client, "POST", "/v1/alerts/al_1/close", headers=other_account.headers))[0] == 404
    assert (await ask(client, "POST", "/v1/alerts/al_1/close", headers=account.headers))[0] == 200
    assert await listed(client, account, state="closed") == [("driver.sos", "closed", "closed")]
    assert (await ask(client, "POST", "/v1/alerts/al_1/take", headers=account.headers))[0] == 409


async def test_every_open_alert_has_an_end(client, account, pool, happens):
    await happens("driver.sos", driver=1)
    await pool.execute("UPDATE desk_alert SET occurred_at = now() - interval '7 days'")
    await tidy_alerts(pool)
    assert await listed(client, account, state="closed") == [("driver.sos", "closed", "expired")]
    await pool.execute("UPDATE desk_alert SET closed_at = closed_at - interval '31 days'")
    await tidy_alerts(pool)
    assert await listed(client, account, state="closed") == []
