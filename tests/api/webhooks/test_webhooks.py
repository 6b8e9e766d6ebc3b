"""Webhooks: signed as libraries of others check it, tried again on a schedule, one never held up by another."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import standardwebhooks
import svix.webhooks
from cloudevents.core.bindings.http import HTTPMessage, from_http_event

from api.history.events import _view
from sql.feed.events import read_events
from tests.api.webhooks.conftest import receiver
from tests.providers.node import run_node
from work.outgoing.guard import Guard
from work.webhooks.schedule import WAITS_S, verdict
from work.webhooks.send import AT_ONCE, LEASE
from work.webhooks.sign import headers_of, new_secret


async def test_what_is_told_is_the_feed_signed_as_the_libraries_check_it(company, shop):
    made = await company.make(shop)
    await company.happens(3)
    await company.go()
    assert len(shop.taken) == 3
    for headers, body in shop.taken:
        for library in (standardwebhooks.Webhook(made["secret"]), svix.webhooks.Webhook(made["secret"])):
            library.verify(body, {name.lower(): value for name, value in headers.items()})
            with pytest.raises(Exception, match=r"(?i)signature"):
                library.verify(body + b" ", {name.lower(): value for name, value in headers.items()})
    entries = await read_events(company.pool, company.account.id, after=0, until=9, types=None, limit=9)
    feed = {entry.seq: json.loads(msgspec.json.encode(_view(entry))) for entry in entries}
    told = [json.loads(body) for _, body in shop.taken]
    assert {one["data"]["seq"]: one["data"] for one in told} == feed
    assert {one["type"] for one in told} == {"stop.completed"}
    assert all(one["timestamp"] == one["data"]["occurred_at"] for one in told)


async def test_a_process_whose_clock_is_wrong_signs_what_the_libraries_take(company, shop, misdated):
    made = await company.make(shop)
    await company.happens()
    with misdated():
        await company.go()
    [(headers, body)] = shop.taken
    standardwebhooks.Webhook(made["secret"]).verify(body, {name.lower(): value for name, value in headers.items()})


VERIFY = """
const { Webhook } = require('standardwebhooks');
const { secret, headers, body } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const webhook = new Webhook(secret);
let forged = 'taken';
try { webhook.verify(body.replace('stop.completed', 'stop.failed'), headers); } catch (error) { forged = error.name; }
console.log(JSON.stringify({ told: webhook.verify(body, headers), forged }));
"""


async def test_the_library_for_javascript_takes_the_signature(company, shop):
    made = await company.make(shop)
    await company.happens(1)
    await company.go()
    [(headers, body)] = shop.taken
    lower = {name.lower(): value for name, value in headers.items()}
    said = json.dumps({"secret": made["secret"], "headers": lower, "body": body.decode()})
    judged = json.loads(run_node("standardwebhooks", VERIFY, said=said))
    assert judged == {"told": json.loads(body), "forged": "WebhookVerificationError"}


async def test_it_begins_with_what_comes_after_it_and_tells_only_its_types(company, shop):
    await company.happens(2)
    await company.make(shop, types=["stop.failed"])
    await company.happens(2)
    await company.happens(1, type="stop.failed")
    await company.happens(1)
    await company.go()
    assert [json.loads(body)["data"]["seq"] for _, body in shop.taken] == [5]
    await company.go()
    assert len(shop.taken) == 1


async def test_two_secrets_sign_for_a_day(company, shop):
    made = await company.make(shop)
    rotated = await company.ask("POST", f"/v1/webhooks/{made['id']}/rotate")
    assert rotated["secret"] != made["secret"]
    await company.happens()
    await company.go()
    headers, body = shop.taken[0]
    for secret in (made["secret"], rotated["secret"]):
        assert standardwebhooks.Webhook(secret).verify(body, {name.lower(): value for name, value in headers.items()})
    await company.happens()
    await company.go(after=timedelta(hours=25))
    assert len(shop.taken[1][0]["webhook-signature"].split()) == 1


def test_the_signature_is_that_of_the_library_also_in_other_zones():
    secret, at = new_secret(), datetime(2026, 3, 2, 10, tzinfo=UTC)
    ours = headers_of([secret], "msg_1_2", b'{"a": 1}', at)["webhook-signature"]
    assert ours == standardwebhooks.Webhook(secret).sign("msg_1_2", at, '{"a": 1}')


async def test_it_is_tried_again_for_three_days_with_one_id(company):
    async with receiver(behave=lambda n: 500) as shop:
        made = await company.make(shop)
        await company.happens()
        after = timedelta(0)
        waits = []
        await company.go()
        for _ in range(len(WAITS_S)):
            (one,) = await company.deliveries(made)
            due = datetime.fromisoformat(one["next_try_at"]) - datetime.now(UTC)
            waits.append((due - after).total_seconds())
            await company.go(after=due - timedelta(seconds=2) if due.total_seconds() > 4 else timedelta(0))
            assert len(await company.deliveries(made, "?state=pending")) == 1
            after = due + timedelta(seconds=1)
            await company.go(after=after)
        assert len(shop.taken) == len(WAITS_S) + 1
        (one,) = await company.deliveries(made)
        assert (one["state"], one["attempts"], one["next_try_at"]) == ("failed", 11, None)
        assert [each["status"] for each in one["tries"]] == [500] * 11
        for wait_s, planned_s in zip(waits, WAITS_S, strict=True):
            assert 0.89 * planned_s - 3 <= wait_s <= 1.11 * planned_s + 3
        assert 2.5 * 86_400 <= after.total_seconds() <= 3.5 * 86_400
        assert len({headers["webhook-id"] for headers, _ in shop.taken}) == 1
        assert len({headers["webhook-timestamp"] for headers, _ in shop.taken}) > 1
        shown = await company.ask("GET", f"/v1/webhooks/{made['id']}")
        assert shown["enabled"] is True or shown["disabled_why"] == "exhausted"


async def test_an_endpoint_that_took_nothing_for_three_days_is_switched_off(company):
    async with receiver(behave=lambda n: 500) as shop:
        made = await company.make(shop)
        await company.happens()
        await company.go()
        await company.pool.execute("UPDATE webhook_delivery SET attempts = 10, next_try_at = now()")
        await company.go(after=timedelta(days=4))
        shown = await company.ask("GET", f"/v1/webhooks/{made['id']}")
        assert (shown["enabled"], shown["disabled_why"]) == (False, "exhausted")


async def test_410_switches_off_and_the_feed_tells(company, shop):
    async with receiver(behave=lambda n: 410) as gone:
        made = await company.make(gone)
        await company.make(shop)
        await company.happens(3)
        await company.go()
        shown = await company.ask("GET", f"/v1/webhooks/{made['id']}")
        assert (shown["enabled"], shown["disabled_why"]) == (False, "410")
        count = len(gone.taken)
        await company.happens(2)
        await company.go()
        assert len(gone.taken) == count
    told = [json.loads(body) for _, body in shop.taken]
    (off,) = [one for one in told if one["type"] == "webhook.disabled"]
    assert off["data"]["data"] == {"webhook_id": made["id"], "url": gone.url, "why": "410"}
    assert off["data"]["driver_id"] is None


async def test_one_that_is_switched_on_again_begins_from_there_and_replays_what_it_missed(company, shop):
    made = await company.make(shop, enabled=False)
    await company.happens(3)
    await company.go()
    assert shop.taken == []
    url = f"/v1/webhooks/{made['id']}"
    await company.ask("POST", f"{url}/replay", {"since_seq": 1}, status=409)
    assert (await company.ask("PATCH", url, {"enabled": True}))["enabled"] is True
    await company.happens(1)
    await company.go()
    assert [json.loads(body)["data"]["seq"] for _, body in shop.taken] == [4]
    assert await company.ask("POST", f"{url}/replay", {"since_seq": 2, "until_seq": 3}, status=202) == {"deliveries": 2}
    await company.go()
    assert sorted(json.loads(body)["data"]["seq"] for _, body in shop.taken) == [2, 3, 4]
    assert [headers.get("Reparto-Replay") for headers, _ in shop.taken] == [None, "1", "1"]
    await company.ask("POST", f"{url}/replay", {"since_seq": 1}, status=202)
    await company.go()
    assert sorted(json.loads(body)["data"]["seq"] for _, body in shop.taken) == [1, 2, 2, 3, 3, 4, 4]
    assert len({headers["webhook-id"] for headers, _ in shop.taken}) == 4


async def test_only_what_failed_is_replayed_when_that_is_asked(company):
    async with receiver(behave=lambda n: 200 if n in (0, 2) else 400) as shop:
        made = await company.make(shop)
        for _ in range(3):
            await company.happens()
            await company.go()
        await company.pool.execute("UPDATE webhook_delivery SET state = 'failed' WHERE state = 'pending'")
        shop.behave = lambda n: 200
        url = f"/v1/webhooks/{made['id']}/replay"
        assert await company.ask("POST", url, {"failed_only": True}, status=202) == {"deliveries": 1}
        await company.go()
        assert [one["state"] for one in await company.deliveries(made)] == ["delivered"] * 3
        await company.ask("POST", url, {}, status=422)


async def test_redirects_are_failures_and_retry_after_is_obeyed(company):
    async with receiver(behave=lambda n: "http://10.0.0.1/inside") as away:
        made = await company.make(away)
        await company.happens()
        await company.go()
        (one,) = await company.deliveries(made)
        assert (one["state"], one["tries"][0]["status"]) == ("pending", 307)
    async with receiver(behave=lambda n: 429, headers={"Retry-After": "3600"}) as busy:
        made = await company.make(busy)
        await company.happens()
        await company.go()
        (one,) = await company.deliveries(made)
        assert datetime.fromisoformat(one["next_try_at"]) - datetime.now(UTC) > timedelta(minutes=59)


async def test_an_address_inside_is_refused_when_given_and_when_connected_to(company, shop, client, account, refused):
    for url in (
        "http://10.0.0.1/x",
        "https://169.254.169.254/latest",
        "http://example.com/x",
        "https://[::ffff:10.0.0.1]/",
    ):
        await refused(await client.post("/v1/webhooks", json={"url": url}, headers=account.headers), 422, "/url")
    made = await company.make(shop)
    await company.happens()
    await company.go(guard=Guard())
    assert shop.taken == []
    (one,) = await company.deliveries(made)
    assert "may be reached" in one["tries"][0]["answer"]


async def test_a_test_says_what_came_of_it(company, shop):
    made = await company.make(shop, enabled=False)
    shop.answer = "ñ" * 5_000
    said = await company.ask("POST", f"/v1/webhooks/{made['id']}/test")
    assert (said["state"], said["status"]) == ("delivered", 200)
    assert len(said["answer"].encode()) <= 1_010
    headers, body = shop.taken[0]
    assert standardwebhooks.Webhook(made["secret"]).verify(
        body, {name.lower(): value for name, value in headers.items()}
    )
    assert json.loads(body)["type"] == "webhook.test"
    assert [one["type"] for one in await company.deliveries(made)] == ["webhook.test"]


async def test_cloudevents_where_that_is_asked(company, shop):
    await company.make(shop, format="cloudevents")
    await company.happens()
    await company.go()
    headers, body = shop.taken[0]
    assert headers["Content-Type"] == "application/cloudevents+json"
    event = from_http_event(HTTPMessage(headers={**headers}, body=body))
    assert (event.get_type(), event.get_source(), event.get_subject()) == (
        "stop.completed",
        "https://reparto.example/v1/events",
        "st_9",
    )
    assert event.get_data()["seq"] == 1


async def test_a_long_event_comes_without_its_data(company, shop):
    await company.make(shop)
    await company.happens(text="x" * 30_000)
    await company.go()
    body = shop.taken[0][1]
    assert len(body) < 20_000
    assert json.loads(body)["data"]["cut"] is True


async def test_endpoints_that_hang_hold_no_other(company, shop):
    async with receiver(behave=lambda n: "hangs") as hangs:
        slow = await company.make(hangs)
        await company.make(shop)
        await company.happens(200)
        sender = company.sender()
        stop = asyncio.Event()
        running = asyncio.create_task(sender.run(company.pool, stop))
        async with asyncio.timeout(30):
            while len(shop.taken) < 200:
                await asyncio.sleep(0.02)
        assert len(hangs.taken) <= AT_ONCE
        assert await company.deliveries(slow) == []  # the rest waits in the feed
        running.cancel()
        await asyncio.wait({running})


async def test_what_a_process_had_leased_that_ended_is_told_by_another(company):
    async with receiver(behave=lambda n: "hangs" if n < 3 else 200) as shop:
        made = await company.make(shop, types=["stop.completed"])
        await company.happens(2)
        await company.happens(1, type="stop.failed")
        await company.happens(3)
        running = asyncio.create_task(company.sender().run(company.pool, asyncio.Event()))
        async with asyncio.timeout(30):
            while len(await company.deliveries(made)) < 2:
                await asyncio.sleep(0.02)
        running.cancel()  # three are under way, two were taken
        await asyncio.wait({running})
        await company.go()
        assert len(shop.taken) == 5
        await company.go(after=LEASE + timedelta(seconds=1))
        assert len(shop.taken) == 8
        told = await company.deliveries(made)
        assert sorted(one["seq"] for one in told) == [1, 2, 4, 5, 6]
        assert {(one["state"], one["attempts"]) for one in told} == {("delivered", 1)}
        assert await company.pool.fetchval("SELECT count(*) FROM webhook_span") == 0


async def test_webhooks_are_of_one_account_and_for_admins(company, shop, client, account, other_account, bearer):
    made = await company.make(shop)
    url = f"/v1/webhooks/{made['id']}"
    assert "secret" not in await company.ask("GET", url)
    for method, path in (
        ("GET", url),
        ("PATCH", url),
        ("DELETE", url),
        ("POST", f"{url}/test"),
        ("POST", f"{url}/rotate"),
    ):
        theirs = await client.request(method, path, json={}, headers=other_account.headers)
        assert theirs.status == 404, (method, path)
        ours = await client.request(method, path, json={}, headers=bearer(account.dispatcher_key))
        assert ours.status == 403, (method, path)
    assert [one["id"] for one in (await company.ask("GET", "/v1/webhooks"))["webhooks"]] == [made["id"]]
    await company.ask("DELETE", url, status=204)
    await company.ask("GET", url, status=404)
    sealed = await company.make(shop)
    assert sealed["secret"].encode() not in await company.pool.fetchval("SELECT secrets FROM webhook")


async def test_what_cannot_be_meant_is_refused(client, account, refused):
    for body, at in (
        ({}, "/url"),
        ({"url": "https://a.example", "types": ["stop.sneezed"]}, "/types/0"),
        ({"url": "https://a.example", "types": []}, "/types"),
        ({"url": "https://a.example", "format": "xml"}, "/format"),
        ({"url": "https://a.example", "secret": "x"}, "/secret"),
    ):
        await refused(await client.post("/v1/webhooks", json=body, headers=account.headers), 422, at)


def test_an_answer_is_judged():
    now = datetime(2026, 3, 2, tzinfo=UTC)
    assert verdict(204, 1, now).state == "delivered"
    assert verdict(None, 1, now, chance=0.5).next_try_at == now + timedelta(seconds=5)
    assert verdict(500, 11, now).state == "failed"
    assert verdict(410, 1, now).is_gone
    assert verdict(429, 1, now, retry_after_s=1e9).next_try_at == now + timedelta(days=1)
    assert verdict(404, 1, now, retry_after_s=900, chance=0.5).next_try_at == now + timedelta(seconds=5)


async def test_what_two_change_at_once_is_both_changed(company, shop, pool, client, account, sealer):
    made = await company.make(shop)
    path = f"/v1/webhooks/{made['id']}"
    patches = [{"types": ["stop.failed"]}, {"format": "cloudevents"}]
    async with pool.acquire() as db, db.transaction():
        await db.fetch("SELECT FROM webhook FOR UPDATE")
        asked = [asyncio.create_task(client.patch(path, json=one, headers=account.headers)) for one in patches]
        asked += [asyncio.create_task(client.post(f"{path}/rotate", headers=account.headers)) for _ in range(2)]
        await asyncio.sleep(0.5)
    *_, first, second = [await (await one).json() for one in asked]
    now = await company.ask("GET", path)
    assert (now["types"], now["format"]) == (["stop.failed"], "cloudevents")
    kept = sealer.open(await pool.fetchval("SELECT secrets FROM webhook"))
    assert {kept["secret"], kept["old_secret"]} == {first["secret"], second["secret"]}, "whoever has one can verify"


async def test_what_the_feed_has_forgotten_is_tried_no_more(company, shop, pool):
    await company.make(shop)
    await company.happens()
    await company.go()
    await pool.execute("UPDATE webhook_delivery SET state = 'pending', replay = true, next_try_at = now()")
    await pool.execute("DELETE FROM event")
    await company.go()
    assert len(shop.taken) == 1
    assert await pool.fetchval("SELECT state FROM webhook_delivery") == "failed"
