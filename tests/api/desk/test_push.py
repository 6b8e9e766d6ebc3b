"""Browsers of people are told of alerts, by choice, each by its push service, and no longer than it is news."""

import asyncio
from collections import Counter

import pytest

from api.pages.catalog import day_texts
from sql.desk.alerts import follow_feed
from sql.messages.setup import put_channel
from tests.api.desk.desk import ask, make_user, signed_in
from tests.providers.gateway import hanging_server
from tests.providers.push import Browser, push_service
from tests.providers.watched import LOCAL
from work.desk.alerts import ENDS, OPENS, opens_for
from work.desk.called import words_of_alert
from work.desk.push import AlertPushes
from work.messages.channels.push import new_key, public_key_of

PATH = "/v1/alerts/push"


@pytest.fixture
async def channel(pool, account, sealer):
    """The account's channel is on; gives its public key."""
    key = new_key()
    settings, secrets = {"contact": "mailto:soporte@tienda.example"}, sealer.seal({"key": key})
    await put_channel(pool, account_id=account.id, channel="push", enabled=True, settings=settings, secrets=secrets)
    return public_key_of(key)


@pytest.fixture
def tell(pool, account, sealer):
    """`await tell("driver.sos", minutes_ago=1)`: the feed says so, is followed, and browsers are told."""

    async def said(*kinds, minutes_ago=0):
        for kind in kinds:
            await pool.execute(
                "WITH next AS (UPDATE account SET events_numbered = events_numbered + 1 WHERE id = $1"
                "              RETURNING events_numbered AS seq)"
                " INSERT INTO event (account_id, seq, fact_id, revision, state, type, occurred_at, known_at, late,"
                " data)"
                " SELECT $1, seq, gen_random_uuid(), 1, 'asserted', $2, now() - make_interval(mins => $3), now(),"
                "        false, '{}' FROM next",
                *(account.id, kind, minutes_ago),
            )
        async with pool.acquire() as db, db.transaction():
            await follow_feed(db, opens_for, ENDS, accounts_at_once=9, entries_at_once=9)
        pushes = AlertPushes(sealer=sealer, guard=LOCAL, public_url="https://reparto.example")
        await pool.execute(
            "UPDATE desk_alert SET push_at = now() WHERE push_at BETWEEN now() AND now() + interval '2 min'"
        )
        assert await pushes.tell_due(pool) is False

    return said


async def switch_on(client, mine, browser, severity="high", lang="es"):
    body = {"browser": browser.subscription, "severity": severity}
    return (await ask(client, "POST", f"{PATH}?lang={lang}", body, headers=mine))[0]


async def test_a_browser_is_told_in_its_language_of_what_hurries_enough(client, account, pool, channel, tell):
    ana = await signed_in(pool, account.id, await make_user(pool, account.id, role="viewer"))
    beto = await signed_in(pool, account.id, await make_user(pool, account.id, "beto@tienda.example", "dispatcher"))
    assert (await ask(client, "GET", PATH, headers=ana))[1] == {"key": channel}
    async with push_service() as service:
        hers, his = Browser(service.url, name="a"), Browser(service.url, name="b")
        assert await switch_on(client, ana, hers, "critical") == 204
        assert await switch_on(client, beto, his, "low", lang="en") == 204
        await tell("driver.sos", "message.failed")
        assert Counter(name for name, _, _ in service.taken) == {"a": 1, "b": 2}
        [(_, headers, sealed)] = [one for one in service.taken if one[0] == "a"]
        assert (headers["Content-Encoding"], headers["Authorization"][:6]) == ("aes128gcm", "vapid ")
        assert hers.read(sealed) == {
            "title": "mensajeria", "body": day_texts("es")["alert_type"]["driver_sos"], "tag": "alert-1", "lang": "es",
            "url": "https://reparto.example/desk/alerts?lang=es",
        }  # fmt: skip
        assert {his.read(sealed)["body"] for name, _, sealed in service.taken if name == "b"} == {
            day_texts("en")["alert_type"][one] for one in ("driver_sos", "message_failed")
        }
        await tell()
        assert len(service.taken) == 3  # once


async def test_what_is_no_news_is_told_to_nobody(client, account, pool, channel, tell):
    person_id = await make_user(pool, account.id)
    ana = await signed_in(pool, account.id, person_id)
    async with push_service() as service:
        await switch_on(client, ana, Browser(service.url), "low")
        await tell("driver.sos", minutes_ago=16)
        rules = {"alert_rules": {"stop.failed": {"wait_minutes": 30}, "eta.late": {"wait_minutes": 20}}}
        assert (await ask(client, "PATCH", "/v1/account", rules, headers=account.headers))[0] == 200
        await tell("stop.failed", minutes_ago=21)  # not in sight yet
        assert service.taken == []
        await tell("eta.late", minutes_ago=21)  # since a minute
        assert len(service.taken) == 1
        await pool.execute("DELETE FROM member WHERE person_id = $1", person_id)
        await tell("driver.sos")
        assert len(service.taken) == 1


async def test_a_browser_that_is_gone_is_forgotten_and_one_that_is_busy_is_told_again(
    client, account, pool, channel, tell
):
    ana = await signed_in(pool, account.id, await make_user(pool, account.id))
    statuses = {"gone": 410, "busy": 503, "well": 201}
    async with push_service(behave=statuses.__getitem__) as service:
        for name in statuses:
            assert await switch_on(client, ana, Browser(service.url, name=name)) == 204
        await tell("driver.sos")
        assert await pool.fetchval("SELECT count(*) FROM desk_push") == 2
        assert await pool.fetchval("SELECT push_at > now() FROM desk_alert")
        statuses["busy"] = 201
        await tell()
        assert Counter(name for name, _, _ in service.taken) == {"gone": 1, "busy": 2, "well": 2}
        assert await pool.fetchval("SELECT push_at FROM desk_alert") is None


async def test_it_is_switched_off_again_and_only_offered_where_the_account_does(client, account, pool, channel, tell):
    ana = await signed_in(pool, account.id, await make_user(pool, account.id))
    async with push_service() as service:
        browser = Browser(service.url)
        await switch_on(client, ana, browser)
        wrong = browser.subscription | {"keys": {"p256dh": "x", "auth": "x"}}
        status, said = await ask(client, "POST", PATH, {"browser": wrong}, headers=ana)
        assert (status, said["errors"][0]["at"]) == (422, "/browser/keys")
        inside = browser.subscription | {"endpoint": "https://10.0.0.1/x"}
        assert (await ask(client, "POST", PATH, {"browser": inside}, headers=ana))[0] == 422
        path = f"{PATH}?endpoint={browser.subscription['endpoint']}"
        assert (await ask(client, "DELETE", path, headers=ana))[0] == 204
        await tell("driver.sos")
        assert service.taken == []
    assert (await ask(client, "GET", PATH, headers=account.headers))[0] == 403  # a key has no browser
    await pool.execute("UPDATE message_channel SET enabled = false")
    assert (await ask(client, "GET", PATH, headers=ana))[1] == {"key": None}
    assert await switch_on(client, ana, browser) == 409


@pytest.mark.parametrize("language", ["es", "pt", "en"])
def test_an_alert_is_called_as_at_the_desk(language):
    called = {one.type: words_of_alert(one.type, language) for one in OPENS}
    assert called == {one.type: day_texts(language)["alert_type"][one.type.replace(".", "_")] for one in OPENS}


async def test_a_service_that_hangs_holds_up_no_other_alert(client, account, pool, channel, tell):
    ana = await signed_in(pool, account.id, await make_user(pool, account.id))
    async with push_service() as service, hanging_server() as hangs:
        for browser in (Browser(service.url, name="well"), Browser(f"http://127.0.0.1:{hangs}", name="hangs")):
            assert await switch_on(client, ana, browser) == 204
        telling = asyncio.create_task(tell("driver.sos", "stop.code_locked"))
        async with asyncio.timeout(10):
            while len(service.taken) < 2:
                await asyncio.sleep(0.05)
        assert not telling.done()
        telling.cancel()
