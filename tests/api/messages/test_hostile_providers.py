"""Providers that are slow, lie, hang up and call back wrongly: what recipients hear, and what the rows say."""

import asyncio
import re
from datetime import timedelta

import pytest

from sql.account.accounts import change_account_settings
from tests.api.messages.conftest import ANA
from tests.providers.gateway import http_provider, mail_server, meta_says
from work.messages.deciding.take_up import expand
from work.messages.words.letter import Logo


@pytest.fixture
def tour(tour):
    tour["stops"][0]["email"] = "Ana.Restrepo@Correo.example"
    return tour


async def booked(desk, put_route, client, account, *channels):
    await desk.only("booked", channels=list(channels))
    await put_route(client, account.key)
    await desk.go()


async def of_ana(desk):
    told = await desk.messages()
    return [
        (one["channel"], one["state"], one["why"]) for one in told if one["to"] in (ANA, "ana.restrepo@correo.example")
    ]


@pytest.mark.parametrize("status", ["429", "503"])
async def test_what_a_gateway_did_not_take_is_sent_again(desk, put_route, client, account, status):
    async with http_provider(behave=lambda n, to: status if n < 2 else "good") as sms:
        await desk.by_sms(sms)
        await booked(desk, put_route, client, account, "sms")
        assert (await of_ana(desk))[0][:2] == ("sms", "queued")
        await desk.go(after=timedelta(minutes=1))
        await desk.go(after=timedelta(minutes=5))
    assert await of_ana(desk) == [("sms", "sent", None)]
    assert len(sms.heard(ANA)) == 1
    assert (await desk.messages())[0]["attempts"] == 3


@pytest.mark.parametrize("how", ["lost", "500", "502"])
async def test_an_sms_of_which_nobody_knows_is_never_sent_again(desk, put_route, client, account, how):
    async with http_provider(behave=lambda n, to: how) as sms:
        await desk.by_sms(sms)
        await booked(desk, put_route, client, account, "sms")
        for minutes in (5, 60, 600):
            await desk.go(after=timedelta(minutes=minutes))
        assert len(sms.asked) == 1
    assert await of_ana(desk) == [("sms", "failed", "unknown")]


async def test_a_gateway_that_is_not_there_is_tried_again(desk, put_route, client, account, sms):
    await desk.by_sms(sms, url="http://127.0.0.1:1/send")
    await booked(desk, put_route, client, account, "sms")
    assert [one[:2] for one in await of_ana(desk)] == [("sms", "queued")]
    await desk.by_sms(sms)
    await desk.go(after=timedelta(minutes=2))
    assert await of_ana(desk) == [("sms", "sent", None)]


async def test_a_refusal_goes_by_the_next_channel(desk, put_route, client, account, mail):
    async with http_provider(behave=lambda n, to: "400") as sms:
        await desk.by_sms(sms)
        await desk.by_mail(mail)
        await booked(desk, put_route, client, account, "sms", "email")
        assert await of_ana(desk) == [("sms", "failed", "HTTP 400"), ("email", "sent", None)]
    assert len(mail.heard("ana.restrepo@correo.example")) == 1


async def test_receipts_come_twice_and_in_any_order(desk, put_route, client, account, sms, pool):
    hook = (await desk.by_sms(sms))["hook_url"].removeprefix("https://reparto.example")
    await booked(desk, put_route, client, account, "sms")

    async def say(*states):
        for state in states:
            assert (await client.post(hook, json={"id": "p1", "state": state})).status == 200

    await say("failed")
    assert await of_ana(desk) == [("sms", "failed", "failed")]
    await say("delivered", "sent", "failed", "delivered")
    assert await of_ana(desk) == [("sms", "delivered", None)]
    await say("read", "delivered")
    assert [one[1] for one in await of_ana(desk)] == ["read"]
    told = await pool.fetch(
        "SELECT type FROM event WHERE type LIKE 'message.%' AND data ->> 'kind' = 'booked' ORDER BY id"
    )
    assert [row["type"] for row in told] == ["message.sent", "message.failed", "message.delivered"]


async def test_one_callback_of_infobip_speaks_of_many(desk, put_route, client, account, sms, pool):
    infobip = {"gateway": "infobip", "key": "k", "from": "Tienda", "url": f"{sms.url}/send"}
    hook = (await desk.put("/v1/account/channels/sms", infobip))["hook_url"].removeprefix("https://reparto.example")
    await booked(desk, put_route, client, account, "sms")
    await pool.execute("UPDATE message SET provider_id = 'p2' WHERE state = 'sent'")
    said = [{"messageId": name, "status": {"groupName": "DELIVERED"}} for name in ("p1", "p2", "p3")]
    assert (await client.post(hook, json={"results": said})).status == 200
    assert await of_ana(desk) == [("sms", "delivered", None)]
    for word, wants in (("BAJA", "opted_out"), ("alta", "opted_in")):
        replies = [{"from": number, "to": "1", "text": word} for number in ("573009998877", ANA.lstrip("+"))]
        assert (await client.post(hook, json={"results": replies, "messageCount": 2})).status == 200
        assert wants in str(await desk.get(f"/v1/contacts/{ANA}/consent"))


async def test_callbacks_are_input_from_outside(desk, put_route, client, account, sms):
    shown = await desk.by_sms(sms)
    hook = shown["hook_url"].removeprefix("https://reparto.example")
    await booked(desk, put_route, client, account, "sms")
    for body in ([], 7, {"id": ["p1"], "state": "delivered"}, {"id": "p1", "state": {"a": 1}}, {"id": "nobody's",
                 "state": "delivered"}, [{"id": "p1"}] * 2000, {"from": "x", "text": "STOP"}):  # fmt: skip
        assert (await client.post(hook, json=body)).status == 200
    headers = {"Content-Type": "application/json"}
    assert (await client.post(hook, data=b"{" + b"[" * 500, headers=headers)).status == 400
    assert (await client.post(hook, data=b"x" * 300_000)).status == 413
    assert (await client.post(hook[:-2] + "xx", json={"id": "p1", "state": "delivered"})).status == 404
    for token in ("", "7", "1-x", "999999999999999999999-x", "ñ-ñ"):
        assert (await client.post(f"/hooks/sms/{token}", json={})).status == 404
    assert [one[1] for one in await of_ana(desk)] == ["sent"]


async def test_whatsapp_fills_a_template_and_falls_back_when_somebody_cannot_be_reached(
    desk, put_route, client, account, sms
):
    async with http_provider(behave=lambda n, to: "131026" if to == ANA else "good") as meta:
        await desk.by_whatsapp(meta)
        await desk.by_sms(sms)
        await booked(desk, put_route, client, account, "whatsapp", "sms")
        asked = meta.asked[0][1]
        assert asked["template"]["name"] == "reparto_booked"
        texts = [one["text"] for one in asked["template"]["components"][0]["parameters"]]
        assert texts[0] == "mensajeria"
        assert texts[2].startswith("https://reparto.example/t/")
        assert meta.headers[0]["Authorization"] == "Bearer meta-token"
    assert [one[:2] for one in await of_ana(desk)] == [("whatsapp", "failed"), ("sms", "sent")]
    assert len(sms.heard(ANA)) == 1


async def test_metas_callbacks_are_signed_and_unordered(desk, put_route, client, account, meta, sms):
    shown = await desk.by_whatsapp(meta)
    await desk.by_sms(sms)
    await booked(desk, put_route, client, account, "whatsapp", "sms")
    hook = str(client.make_url(shown["hook_url"].removeprefix("https://reparto.example")))
    assert await meta_says(client.session, hook, "another secret", "p1", "read") == 401
    assert await of_ana(desk) == [("whatsapp", "sent", None)]
    assert await meta_says(client.session, hook, "meta-secret", "p1", "read") == 200
    assert await meta_says(client.session, hook, "meta-secret", "p1", "delivered") == 200
    assert await of_ana(desk) == [("whatsapp", "read", None)]
    token = hook.rpartition("/")[2]
    asked = {"hub.mode": "subscribe", "hub.challenge": "4711", "hub.verify_token": token}
    path = shown["hook_url"].removeprefix("https://reparto.example")
    assert await (await client.get(path, params=asked)).text() == "4711"
    assert (await client.get(path, params=asked | {"hub.verify_token": "x"})).status == 401


async def test_metas_late_word_that_nobody_is_there_goes_by_sms_once(desk, put_route, client, account, meta, sms):
    shown = await desk.by_whatsapp(meta)
    await desk.by_sms(sms)
    await booked(desk, put_route, client, account, "whatsapp", "sms")
    hook = str(client.make_url(shown["hook_url"].removeprefix("https://reparto.example")))
    errors = [{"code": 131026, "title": "Message undeliverable"}]
    for _ in range(3):
        assert await meta_says(client.session, hook, "meta-secret", "p1", "failed", errors=errors) == 200
    await desk.go(after=timedelta(minutes=11))
    assert await of_ana(desk) == [("whatsapp", "failed", "131026: Message undeliverable"), ("sms", "sent", None)]
    assert len(sms.heard(ANA)) == 1


async def test_a_mail_has_two_parts_one_click_and_a_return_path_of_its_own(desk, put_route, client, account, mail):
    await change_account_settings(desk.pool, account.id, {"logo": f"{account.id}-{'0' * 24}"})
    await desk.by_mail(mail, return_path="rebotes@tienda.example")
    await booked(desk, put_route, client, account, "email")
    ((sender, to, letter),) = mail.taken
    assert to == "ana.restrepo@correo.example"
    assert sender.startswith("rebotes+")
    assert letter["From"] == "Envíos <envios@tienda.example>"
    assert letter["Subject"].startswith("mensajeria: tu entrega, ")
    assert letter["List-Unsubscribe"].startswith("<https://reparto.example/u/")
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, html = (letter.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "Hola, Ana:" in text
    assert "https://reparto.example/t/" in text
    assert 'class="button" href="https://reparto.example/t/' in html
    assert "prefers-color-scheme: dark" in html
    assert '<p class="brand">mensajeria</p>' in html, "the logo is not at hand"


async def test_a_mail_brings_the_logo_with_it(desk, put_route, client, account, mail):
    desk.logo = Logo(content=b"\xff\xd8 a picture", width=160, height=48)
    await change_account_settings(desk.pool, account.id, {"logo": f"{account.id}-{'0' * 24}"})
    await desk.by_mail(mail)
    await booked(desk, put_route, client, account, "email")
    ((_, _, letter),) = mail.taken
    assert [part.get_content_type() for part in letter.walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/jpeg",
    ]
    html = letter.get_body(("html",)).get_content()
    assert '<img src="cid:logo@reparto" width="160" height="48" alt="mensajeria">' in html
    assert "http" not in re.sub(r'href="[^"]*"', "", html), "nothing is fetched"
    picture = list(letter.walk())[-1]
    assert (picture["Content-ID"], picture.get_content_disposition()) == ("<logo@reparto>", "inline")
    assert picture.get_content() == desk.logo.content


async def test_a_mail_of_which_nobody_knows_is_sent_once_more(desk, put_route, client, account):
    async with mail_server(behave=lambda n, to: "lost") as mail:
        await desk.by_mail(mail)
        await booked(desk, put_route, client, account, "email")
        assert await of_ana(desk) == [("email", "queued", "unknown")]
        for minutes in (5, 60, 600):
            await desk.go(after=timedelta(minutes=minutes))
        assert await of_ana(desk) == [("email", "failed", "unknown")]
        first, second = mail.heard("ana.restrepo@correo.example")
    assert first["Message-ID"] == second["Message-ID"]


@pytest.mark.parametrize(
    ("said", "state"), [("451 later", "queued"), ("550 no such user", "failed"), ("421 bye", "queued")]
)
async def test_what_a_mail_server_says_counts(desk, put_route, client, account, said, state):
    async with mail_server(behave=lambda n, to: said) as mail:
        await desk.by_mail(mail)
        await booked(desk, put_route, client, account, "email")
        assert [one[1] for one in await of_ana(desk)] == [state]


_BOUNCE = """From: MAILER-DAEMON@mx.example
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Mon, 2 Mar 2026 10:00:00 +0000

Final-Recipient: rfc822; ana.restrepo@correo.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {status} said so

--b--
"""


async def test_a_bounce_fails_its_message_and_goes_by_the_next_channel(desk, put_route, client, account, mail, sms):
    shown = await desk.by_mail(mail, return_path="rebotes@tienda.example")
    await desk.by_sms(sms)
    await booked(desk, put_route, client, account, "email", "sms")
    hook = shown["hook_url"].removeprefix("https://reparto.example")
    sender = next(sender for sender, to, _ in mail.taken if to.startswith("ana"))
    forged = sender.replace(sender[sender.index("-") + 1 : sender.index("@")], "0" * 12)
    headers = {"Content-Type": "message/rfc822"}
    for to, action, status, state in (
        (forged, "failed", "5.1.1", "sent"),
        (sender, "delayed", "4.4.1", "sent"),
        (sender, "failed", "5.1.1", "failed"),
        (sender, "failed", "5.1.1", "failed"),
    ):
        body = _BOUNCE.format(to=to, action=action, status=status).encode()
        assert (await client.post(hook, data=body, headers=headers)).status == 200
        assert (await of_ana(desk))[0][1] == state, (to, action)
    await desk.go(after=timedelta(minutes=11))
    assert await of_ana(desk) == [("email", "failed", "bounced"), ("sms", "sent", None)]


async def test_a_provider_that_hangs_holds_no_other(desk, put_route, client, account, mail, pool, tour):
    async with http_provider(behave=lambda n, to: "hangs") as sms:
        any_hour = {"quiet_hours": None, "wait_for_workday": False}
        await desk.by_sms(sms, at_once=2)
        await desk.by_mail(mail)
        await desk.put("/v1/account/messages/booked", {"channels": ["sms"]} | any_hour)
        for place, stop in enumerate(tour["stops"]):
            stop |= {"phone": f"+57300111224{place}", "email": f"r{place}@correo.example"}
        await put_route(client, account.key, "hangs")
        going = asyncio.create_task(desk.go())
        while len(sms.asked) < 2:
            await asyncio.sleep(0.01)
        await desk.put("/v1/account/messages/booked", {"channels": ["email"]} | any_hour)
        await put_route(client, account.key, "goes")
        while await expand(pool, now=desk.now()):
            pass
        async with asyncio.timeout(5):
            while len(mail.taken) < 4:
                await asyncio.sleep(0.01)
        assert len(sms.asked) == 2
        going.cancel()
        await asyncio.wait({going})
