"""Who wants no messages gets none; what everything may cost is limited; forgetting leaves nothing."""

from datetime import timedelta

import pytest

from tests.api.messages.conftest import ANA
from work.messages.deciding.take_up import expand
from work.messages.forget import forget_contact


@pytest.fixture
def tour(tour):
    tour["stops"][0]["email"] = "ana@correo.example"
    return tour


@pytest.mark.parametrize("text", ["BAJA", "stop", "Salir.", " cancelar gracias", "PÁRAR"])
async def test_a_word_ends_a_channel_and_only_that(desk, put_route, client, account, sms, mail, text):
    hook = (await desk.by_sms(sms))["hook_url"].removeprefix("https://reparto.example")
    await desk.by_mail(mail)
    assert (await client.post(hook, json={"from": ANA, "to": "Reparto", "text": text})).status == 200
    consents = (await desk.get(f"/v1/contacts/{ANA}/consent"))["consents"]
    assert [(one["channel"], one["state"], one["source"]) for one in consents] == [("sms", "opted_out", "reply by sms")]
    await desk.only("booked", channels=["sms", "email"])
    await put_route(client, account.key)
    await desk.go()
    assert sms.heard(ANA) == []
    assert [one[1] for one in (await desk.table()) if one[3] == "sent"] == ["email"]


async def test_a_sentence_is_no_stop_word_and_start_begins_again(desk, client, sms):
    hook = (await desk.by_sms(sms))["hook_url"].removeprefix("https://reparto.example")

    async def state(text):
        assert (await client.post(hook, json={"from": ANA.lstrip("+"), "text": text})).status == 200
        return [one["state"] for one in (await desk.get(f"/v1/contacts/{ANA}/consent"))["consents"]]

    assert await state("por favor no cancelar, ya bajo en cinco minutos") == []
    assert await state("BAJA") == ["opted_out"]
    assert await state("gracias") == ["opted_out"]
    assert await state("ALTA") == ["opted_in"]


async def test_whoever_opts_out_while_a_message_waits_does_not_get_it(desk, put_route, client, account, sms):
    await desk.by_sms(sms)
    await desk.only("rating", "booked", channels=["sms"])
    await put_route(client, account.key)
    await expand(desk.pool, now=desk.now())
    said = {"channel": "sms", "state": "opted_out", "source": "phone call"}
    await desk.put(f"/v1/contacts/{ANA}/consent", said)
    await desk.go()
    assert (await desk.table())[0][3:] == ("suppressed", "opted-out")
    assert sms.heard(ANA) == []


async def test_a_channel_that_asks_for_consent_waits_for_it(desk, put_route, client, account, sms):
    await desk.by_sms(sms, opt_in="required")
    await desk.only("booked", channels=["sms"])
    await desk.put("/v1/contacts/+573009998877/consent", {"channel": "sms", "state": "opted_in", "source": "checkout"})
    await put_route(client, account.key)
    await desk.go()
    assert (await desk.table())[0][3:] == ("suppressed", "no-consent")


async def test_the_link_unsubscribes_by_post_only(desk, put_route, client, account, mail, sms):
    await desk.by_mail(mail)
    await desk.only("booked", channels=["email"])
    await put_route(client, account.key)
    await desk.go()
    link = mail.taken[0][2]["List-Unsubscribe"].strip("<>").removeprefix("https://reparto.example")
    page = await client.get(link)
    assert (page.status, page.content_type) == (200, "text/html")
    assert "No más mensajes" in await page.text() or "¿No más mensajes" in await page.text()
    assert (await desk.get("/v1/contacts/ana@correo.example/consent"))["consents"] == []
    done = await client.post(link, data={"List-Unsubscribe": "One-Click"})
    assert done.status == 200
    consents = (await desk.get("/v1/contacts/ANA@correo.example/consent"))["consents"]
    assert [(one["channel"], one["state"]) for one in consents] == [("email", "opted_out")]
    for token in ("x", "2.AAAA", "ñ.ñ", "zzzzzzzzzzzz.AAAAAAAAAAAA", link[3:-1] + "A" if link[-1] != "A" else "y"):
        assert (await client.post(f"/u/{token}")).status == 404


@pytest.mark.parametrize(("limit", "value"), [("most_parts_a_day", 2), ("most_money_a_month", 0.25)])
async def test_a_budget_ends_what_would_go_over_it(desk, put_route, client, account, sms, tour, limit, value):
    for place, stop in enumerate(tour["stops"]):
        stop["phone"] = f"+57300111224{place}"
    await desk.by_sms(sms, price_per_part=0.1, **{limit: value})
    await desk.only("booked", channels=["sms"])
    await put_route(client, account.key)
    await desk.go()
    assert sorted(one[3:] for one in await desk.table()) == [
        ("sent", None),
        ("sent", None),
        ("suppressed", "budget"),
        ("suppressed", "budget"),
    ]
    assert len(sms.taken) == 2
    assert [one["price"] for one in await desk.messages("?state=sent")] == [0.1, 0.1]


async def test_one_recipient_gets_so_many_a_day(desk, put_route, client, account, sms):
    await desk.by_sms(sms, most_a_day_each=2)
    await desk.only("booked", channels=["sms"])
    for n in range(3):
        await put_route(client, account.key, f"tour-{n}")
        await desk.go(after=timedelta(seconds=601 * n))
    states = [one[3:] for one in await desk.table() if one[2] == ANA]
    assert states == [("sent", None), ("sent", None), ("suppressed", "recipient-budget")]


async def test_forgetting_somebody_leaves_nothing_of_them(desk, put_route, client, account, other_account, sms, pool):
    await desk.by_sms(sms)
    await desk.only("booked", channels=["sms"])
    await put_route(client, account.key)
    await desk.go()
    await desk.put(f"/v1/contacts/{ANA}/consent", {"channel": "sms", "state": "opted_out", "source": "x"})
    async with pool.acquire() as db, db.transaction():
        assert await forget_contact(db, other_account.id, ANA) == 0
        assert await forget_contact(db, account.id, " +57 300 111 2233") == 1
    rows = [str(tuple(row)) for table in ("message", "consent", "notice", "event") for row in await pool.fetch(
        f"SELECT * FROM {table}")]  # fmt: skip
    assert not [row for row in rows if ANA in row]


async def test_consent_is_refused_politely(desk, client, account, refused, bearer):
    url = "/v1/contacts/nobody/consent"
    bad = await client.put(url, json={"channel": "fax", "state": "maybe"}, headers=account.headers)
    await refused(bad, 422, "/channel", "/state", "/source")
    assert (await client.get(url, headers=bearer(account.viewer_key))).status == 403
    assert (await client.get("/v1/contacts/" + "x" * 300 + "/consent", headers=account.headers)).status == 404
