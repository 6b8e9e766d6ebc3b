"""Channels and kinds as an account sets them: secrets that are never shown, texts that are looked at first."""

from datetime import timedelta

import pytest

from tests.api.driver.driver_day import at
from tests.api.messages.conftest import ANA

SMS = {"gateway": "twilio", "key": "AC1", "secret": "s3cr3t-value", "from": "+12025550123"}


async def test_secrets_are_sealed_and_never_shown(desk, client, account, pool):
    shown = await desk.put("/v1/account/channels/sms", SMS)
    again = await desk.get("/v1/account/channels/sms")
    assert shown == again
    assert shown["secrets"] == ["key", "secret"]
    assert shown["hook_url"].startswith("https://reparto.example/hooks/sms/")
    assert "s3cr3t-value" not in str(again)
    assert b"s3cr3t-value" not in await pool.fetchval("SELECT secrets FROM message_channel")
    assert "s3cr3t-value" not in str(await pool.fetchval("SELECT settings FROM message_channel"))
    whole = await desk.get("/v1/account/channels")
    assert [one["channel"] for one in whole["channels"]] == ["sms"]


async def test_a_secret_that_is_left_out_stays_and_null_takes_it_away(desk, client, account, refused):
    await desk.put("/v1/account/channels/sms", SMS)
    kept = {name: value for name, value in SMS.items() if name != "secret"} | {"from": "+12025550199"}
    assert (await desk.put("/v1/account/channels/sms", kept))["secrets"] == ["key", "secret"]
    gone = await client.put("/v1/account/channels/sms", json=kept | {"secret": None}, headers=account.headers)
    await refused(gone, 422, "/secret")


NO_CHANNELS = [
    ("sms", {"gateway": "carrier-pigeon"}, "/gateway"),
    ("sms", {"gateway": "twilio"}, "/key"),
    ("sms", {"gateway": "custom"}, "/url"),
    ("sms", {"gateway": "custom", "url": "https://10.0.0.1/", "body": "x"}, "/url"),
    ("sms", {"gateway": "custom", "url": "https://169.254.169.254/", "body": "x"}, "/url"),
    ("sms", {"gateway": "custom", "url": "https://0x7f.1/", "body": "{{ nobody }}"}, "/body"),
    ("sms", {"gateway": "custom", "url": "http://sms.example/", "body": "x"}, "/url"),
    ("sms", {"gateway": "custom", "url": "https://u:p@sms.example/", "body": "x"}, "/url"),
    ("sms", {"gateway": "custom", "url": "https://sms.example/", "body": "{{ to"}, "/body"),
    ("sms", {"gateway": "custom", "url": "https://a.example/", "body": "x", "headers": {"a b": "c"}},
     "/headers/a b"),
    ("email", {"host": "mx.example", "port": 0, "from": "a@b.example"}, "/port"),
    ("email", {"host": "192.168.1.1", "port": 25, "from": "a@b.example"}, "/host"),
    ("email", {"host": "mx.example", "port": 25, "from": "nobody"}, "/from"),
    ("whatsapp", {"phone_number_id": "1"}, "/app_secret"),
    ("whatsapp", {"phone_number_id": "1", "token": "t", "app_secret": "s", "templates": {"booked": {"name": "n",
                  "language": "es", "parameters": ["colour"]}}}, "/templates/booked/parameters"),
    ("log", {"colour": "red"}, "/colour"),
]  # fmt: skip


async def test_what_cannot_be_meant_is_refused_and_changes_nothing(client, account, refused, pool):
    for channel, body, wrong in NO_CHANNELS:
        response = await client.put(f"/v1/account/channels/{channel}", json=body, headers=account.headers)
        await refused(response, 422, wrong)
    assert await pool.fetchval("SELECT count(*) FROM message_channel") == 0


async def test_channels_are_for_admins_and_of_one_account(desk, client, account, other_account, bearer):
    await desk.put("/v1/account/channels/sms", SMS)
    assert (await client.get("/v1/account/channels/sms", headers=bearer(account.dispatcher_key))).status == 403
    assert (await client.get("/v1/account/channels/sms", headers=other_account.headers)).status == 404
    assert (await client.get("/v1/account/channels/fax", headers=account.headers)).status == 404


async def test_a_test_message_says_what_came_of_it(desk, client, account, sms, mail, refused):
    await desk.by_sms(sms)
    await desk.by_mail(mail)

    async def test(channel, to):
        url = f"/v1/account/channels/{channel}/test"
        response = await client.post(url, json={"to": to}, headers=account.headers)
        return await response.json() if response.status == 200 else response

    assert await test("sms", ANA) == {"state": "sent", "why": None, "provider_id": "p1"}
    assert (await test("email", "you@tienda.example"))["state"] == "sent"
    assert mail.heard("you@tienda.example")[0]["Subject"] == "Prueba de Reparto"
    await refused(await test("sms", "12"), 422, "/to")
    sms.behave = lambda n, to: "lost"
    assert (await test("sms", ANA))["state"] == "unknown"
    sms.behave = lambda n, to: "400"
    assert (await test("sms", ANA))["state"] == "failed"


async def test_a_kind_has_defaults_and_keeps_what_was_said(desk):
    assert (await desk.get("/v1/account/messages/arrived"))["enabled"] is False
    assert (await desk.get("/v1/account/messages/delayed"))["after_s"] == 900
    put = {"channels": ["sms", "email"], "texts": {"sms": {"es": {"body": "{{ brand }}: {{ link }}"}}}}
    shown = await desk.put("/v1/account/messages/delivered", put)
    assert (shown["enabled"], shown["channels"]) == (True, ["sms", "email"])
    assert await desk.get("/v1/account/messages/delivered") == shown
    assert len((await desk.get("/v1/account/messages"))["kinds"]) == 13


NO_KINDS = [
    ({"channels": []}, "/channels"),
    ({"channels": ["sms", "sms"]}, "/channels"),
    ({"texts": {"sms": {"es": {"body": "{{ secret }}"}}}}, "/texts/sms/es/body"),
    ({"texts": {"sms": {"es": {"body": "{% for x in"}}}}, "/texts/sms/es/body"),
    ({"texts": {"sms": {"es": {"body": "x" * 4001}}}}, "/texts/sms/es/body"),
    ({"quiet_hours": {"start": "25:00", "end": "08:00"}}, "/quiet_hours/start"),
    ({"colour": "red"}, "/colour"),
]


async def test_a_kind_that_cannot_be_meant_is_refused(client, account, refused, pool):
    for body, wrong in NO_KINDS:
        response = await client.put("/v1/account/messages/booked", json=body, headers=account.headers)
        await refused(response, 422, wrong)
    assert await pool.fetchval("SELECT count(*) FROM message_kind") == 0


@pytest.fixture
async def stop(put_route, client, account, tour):
    tour["stops"][0]["window"] = {"start": at(360), "end": at(420)}
    return (await put_route(client, account.key))["stops"][0]["id"]


async def look(desk, client, account, stop, **more):
    body = {"kind": "departed_depot", "channel": "sms", "locale": "es", "stop_id": stop} | more
    response = await client.post("/v1/messages/preview", json=body, headers=account.headers)
    assert response.status == 200, await response.text()
    return await response.json()


async def test_a_preview_is_of_a_real_stop(desk, client, account, stop, sms):
    await desk.by_sms(sms, price_per_part=0.05)
    seen = await look(desk, client, account, stop)
    assert seen["body"].startswith("mensajeria: tu pedido ya sali")
    assert (seen["parts"], seen["encoding"], seen["price"], seen["problems"]) == (1, "GSM-7", 0.05, [])
    letter = await look(desk, client, account, stop, channel="email", locale="pt")
    assert letter["subject"] == "mensajeria: seu pedido saiu para entrega"
    assert "Olá, Ana." in letter["body"]


DOUBTFUL_TEXTS = [
    ("{{ brand }}: {{ colour }} {{ link }}", "unknown-variable: colour"),
    ("{{ brand }}: ya viene", "missing-link"),
    ("{{ brand }}: {{ link }} https://bit.ly/x", "shortener: bit.ly"),
    ("{{ brand }}: " + "mañana viene tu pedido " * 9 + "{{ link }}", "segments: 2 parts"),
    ("{{ brand }}: ya llega tu pedido {{ link }} ☺", "segments: 2 parts in UCS-2"),
    ("{{ brand", "broken"),
    ("{% for i in range(99999) %}{{ link }}{% endfor %}", "broken"),
    ("{{ link * 1000 }}", "broken"),
    ("{{ brand.__class__ }} {{ link }}", None),
]


async def test_a_preview_names_what_is_wrong(desk, client, account, stop):
    for body, problem in DOUBTFUL_TEXTS:
        problems = (await look(desk, client, account, stop, body=body))["problems"]
        assert any(one.startswith(problem) for one in problems) if problem else problems == [], body


async def test_a_preview_of_somebody_elses_stop_is_refused(client, other_account, stop, refused):
    body = {"kind": "booked", "channel": "sms", "locale": "es", "stop_id": stop}
    await refused(await client.post("/v1/messages/preview", json=body, headers=other_account.headers), 422, "/stop_id")


async def test_the_accounts_own_words_leave_and_broken_ones_do_not(desk, put_route, client, account, sms, pool):
    await desk.by_sms(sms)
    text = {"sms": {"es": {"body": "{{ brand }}, {{ first_name }}: {{ link }}"}}}
    await desk.only("booked", channels=["sms"], texts=text)
    await put_route(client, account.key)
    await desk.go()
    assert sms.heard(ANA)[0].startswith("mensajeria, Ana: https://")
    broken = {"texts": {"sms": {"es": {"body": "{{ link"}}}}
    await pool.execute("UPDATE message_kind SET settings = settings || $1 WHERE kind = 'booked'", broken)
    await put_route(client, account.key, "tour-2")
    await desk.go(after=timedelta(minutes=11))
    assert sms.heard(ANA)[1].startswith("mensajeria: tu entrega es ")
