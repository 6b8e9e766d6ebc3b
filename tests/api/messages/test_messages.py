"""Messages as things: who hears what, by which channel, once; and what the API says of them."""

from datetime import timedelta

import pytest

from tests.api.driver.driver_day import event
from tests.api.messages.conftest import ANA, fresh
from work.messages.deciding.take_up import expand


async def test_a_booking_is_told_once_however_often_the_route_is_put(desk, put_route, account, client, sms):
    await desk.by_sms(sms)
    await desk.only("booked", channels=["sms"])
    await put_route(client, account.key)
    await desk.go()
    await put_route(client, account.key)
    await put_route(client, account.key, depot=None)
    await desk.go(after=timedelta(minutes=30))
    told = [one for one in await desk.messages() if one["to"] == ANA]
    assert [(one["kind"], one["state"], one["provider_id"]) for one in told] == [("booked", "sent", "p1")]
    (text,) = sms.heard(ANA)
    assert text == told[0]["body"]
    assert text.startswith("mensajeria: tu entrega es ")
    assert "https://reparto.example/t/" in text


async def test_whoever_cannot_be_reached_has_a_row_that_says_why(desk, put_route, account, client, sms, tour):
    tour["stops"][1]["phone"] = "123"
    tour["stops"][3]["phone"] = "+34600111222"
    await desk.by_sms(sms, countries=["CO"])
    await desk.only("booked", channels=["sms"])
    await put_route(client, account.key)
    await desk.go()
    assert await desk.table() == [
        ("booked", "sms", ANA, "sent", None),
        ("booked", "sms", "123", "suppressed", "no-address"),
        ("booked", "sms", "", "suppressed", "no-address"),
        ("booked", "sms", "+34600111222", "suppressed", "country-not-allowed"),
    ]
    assert [to for to, _ in sms.taken] == [ANA]


async def test_a_national_number_is_of_the_country_of_its_stop(desk, put_route, account, client, sms, tour):
    tour["stops"][1]["phone"] = "300 444 5566"
    await desk.by_sms(sms)
    await desk.only("booked", channels=["sms"])
    await put_route(client, account.key)
    await desk.go()
    assert [to for to, _ in sms.taken] == [ANA, "+573004445566"]


async def test_an_account_without_channels_makes_no_messages(desk, put_route, account, client, pool):
    await put_route(client, account.key)
    await desk.go()
    assert await desk.messages() == []
    assert await pool.fetchval("SELECT count(*) FROM notice") == 0


async def test_a_day_is_told_in_its_order(desk, phone, sms, tour, start_route):
    await desk.by_sms(sms)
    await desk.only("booked", "departed_depot", "delivered", "failed", channels=["sms"])
    await desk.go()
    await start_route()
    await desk.go(after=timedelta(minutes=11))
    await phone.say(fresh("completed", phone.stops[0]), fresh("failed", phone.stops[3], reason="nobody_home"))
    await desk.go(after=timedelta(minutes=22))
    mine = [(kind, state) for kind, _, to, state, _ in await desk.table() if to == ANA]
    assert mine == [("booked", "sent"), ("departed_depot", "sent"), ("delivered", "sent")]
    assert len(sms.heard(ANA)) == 3
    assert "ya salió" in sms.heard(ANA)[1] or "ya salio" in sms.heard(ANA)[1]


async def test_two_within_ten_minutes_wait_for_each_other(desk, phone, sms, start_route):
    await desk.by_sms(sms)
    await desk.only("booked", "departed_depot", channels=["sms"])
    await desk.go()
    await start_route()
    await desk.go()
    mine = [one for one in await desk.table() if one[2] == ANA]
    assert mine == [("booked", "sms", ANA, "sent", None), ("departed_depot", "sms", ANA, "held", "too-soon")]
    await desk.go(after=timedelta(minutes=11))
    assert [one[3] for one in await desk.table() if one[2] == ANA] == ["sent", "sent"]
    assert len(sms.heard(ANA)) == 2


async def test_what_is_overtaken_while_it_waits_is_never_sent(desk, phone, sms, start_route):
    await desk.by_sms(sms)
    await desk.only("booked", "departed_depot", channels=["sms"])
    await desk.go()
    await start_route()
    await desk.go()
    await phone.say(fresh("completed", phone.stops[0]))
    await desk.go(after=timedelta(minutes=11))
    assert [one for one in await desk.table() if one[2] == ANA][1][3:] == ("suppressed", "overtaken")
    assert len(sms.heard(ANA)) == 1


async def test_a_process_whose_clock_is_wrong_tells_what_is_true_now(desk, phone, sms, misdated):
    await desk.by_sms(sms)
    await desk.only("delivered", channels=["sms"])
    said = fresh("completed", phone.stops[0])
    with misdated():
        await phone.say(said)
        await desk.go()
    assert await desk.table() == [("delivered", "sms", ANA, "sent", None)]


async def test_old_news_makes_no_message(desk, phone, sms):
    await desk.by_sms(sms)
    await desk.only("delivered", "failed", channels=["sms"])
    await phone.say(event("completed", 350, phone.stops[0]))
    await desk.go()
    assert await desk.messages() == []


async def test_a_word_taken_back_before_the_message_leaves_makes_none(desk, phone, sms, client, account):
    await desk.by_sms(sms)
    await desk.only("booked", "failed", channels=["sms"])
    await desk.go()
    await phone.say(fresh("failed", phone.stops[0], reason="nobody_home"))
    await desk.go()
    assert [one[3:] for one in await desk.table() if one[2] == ANA] == [("sent", None), ("held", "too-soon")]
    assert (await phone.reopen(phone.stops[0])).status == 200
    await desk.go(after=timedelta(minutes=11))
    assert [one[3:] for one in await desk.table() if one[2] == ANA][1] == ("suppressed", "overtaken")


async def test_a_new_attempt_is_told_anew(desk, phone, sms):
    await desk.by_sms(sms)
    await desk.only("failed", channels=["sms"])
    await phone.say(fresh("failed", phone.stops[0], ago_s=150, reason="nobody_home"))
    await desk.go()
    assert (await phone.reopen(phone.stops[0])).status == 200
    await phone.say(fresh("failed", phone.stops[0], ago_s=0, reason="no_access"))
    await desk.go(after=timedelta(minutes=11))
    assert [one[0] for one in await desk.table() if one[2] == ANA] == ["failed", "failed"]
    first, second = sms.heard(ANA)
    assert "no había nadie" in first or "no habia nadie" in first
    assert "no pudimos entrar" in second


async def test_the_old_contact_hears_of_a_change_too(desk, put_route, account, client, sms, tour):
    await desk.by_sms(sms)
    await desk.only("changed", channels=["sms"])
    await put_route(client, account.key)
    tour["stops"][0]["phone"] = "+573009998877"
    await put_route(client, account.key)
    await desk.go()
    assert sorted(to for to, _ in sms.taken) == [ANA, "+573009998877"]
    assert "https://" in sms.heard("+573009998877")[0]
    assert "https://" not in sms.heard(ANA)[0]


async def test_a_message_to_a_contact_that_was_changed_meanwhile_is_not_sent(
    desk, put_route, account, client, sms, tour
):
    await desk.only("booked", channels=["sms"])
    await desk.by_sms(sms)
    await put_route(client, account.key)
    await expand(desk.pool, now=desk.now())
    tour["stops"][0]["phone"] = "+573009998877"
    await put_route(client, account.key)
    await desk.go()
    assert (await desk.table())[0][2:] == (ANA, "suppressed", "contact-changed")


async def test_stops_at_one_place_with_one_contact_are_told_once(desk, put_route, account, client, sms, tour):
    tour["stops"][1] |= {"phone": ANA, "lat": tour["stops"][0]["lat"], "lon": tour["stops"][0]["lon"]}
    await desk.by_sms(sms)
    await desk.only("booked", channels=["sms"])
    await put_route(client, account.key)
    await desk.go()
    assert [one[3:] for one in (await desk.table())[:2]] == [("sent", None), ("suppressed", "duplicate-contact")]


async def test_messages_are_listed_by_stop_route_and_state(
    desk, put_route, account, client, sms, other_account, bearer
):
    await desk.by_sms(sms)
    await desk.only("booked", channels=["sms"])
    stops = (await put_route(client, account.key))["stops"]
    await desk.go()
    assert len(await desk.messages("?route=tour-1")) == 4
    (one,) = await desk.messages(f"?stop={stops[0]['id']}&state=sent")
    assert one.keys() >= {"id", "stop_id", "kind", "channel", "to", "locale", "state", "why", "parts", "price",
                          "provider_id", "attempts", "created_at", "sent_at", "delivered_at"}  # fmt: skip
    assert (one["parts"], one["attempts"], one["locale"]) == (1, 1, "es")
    page = await desk.get("/v1/messages?limit=3")
    rest = await desk.get(f"/v1/messages?limit=3&cursor={page['next']}")
    assert (len(page["messages"]), len(rest["messages"]), rest["next"]) == (3, 1, None)
    for query, status in (("?state=gone", 422), ("?stop=7", 422), ("?route=nope", 404), ("?cursor=x", 422)):
        assert (await client.get(f"/v1/messages{query}", headers=account.headers)).status == status
    assert (await client.get("/v1/messages", headers=bearer(account.viewer_key))).status == 403
    theirs = await client.get(f"/v1/messages?stop={stops[0]['id']}", headers=other_account.headers)
    assert (await theirs.json())["messages"] == []


async def test_a_stop_is_read_with_what_its_recipient_was_told(
    desk, put_route, account, client, sms, other_account, bearer
):
    await desk.by_sms(sms)
    await desk.only("booked", channels=["sms"])
    planned = (await put_route(client, account.key))["stops"][0]
    await desk.go()
    of_the_route = (await desk.get("/v1/routes/tour-1"))["stops"][0]
    shown = await desk.get(f"/v1/stops/{planned['id']}")
    assert {name: shown[name] for name in of_the_route} == of_the_route
    assert shown["route"] == "tour-1"
    assert shown["messages"] == (await desk.messages(f"?stop={planned['id']}"))
    assert [(one["kind"], one["state"]) for one in shown["messages"]] == [("booked", "sent")]

    seen = await client.get(f"/v1/stops/{planned['id']}", headers=bearer(account.viewer_key))
    assert (await seen.json())["messages"] is None  # they may hold a PIN
    for stop_id, headers in ((planned["id"], other_account.headers), ("st_9999", account.headers)):
        assert (await client.get(f"/v1/stops/{stop_id}", headers=headers)).status == 404


async def test_the_feed_tells_what_became_of_messages(desk, put_route, account, client, sms, pool):
    await desk.by_sms(sms)
    await desk.only("booked", channels=["sms"])
    await put_route(client, account.key)
    await desk.go()
    facts = await pool.fetch("SELECT type, stop_id, driver_id, data FROM event WHERE type LIKE 'message.%'")
    assert [(one["type"], one["driver_id"], one["data"]["kind"], one["data"]["channel"]) for one in facts] == [
        ("message.sent", None, "booked", "sms")
    ]


@pytest.fixture
def with_pin(tour):
    tour["stops"][0]["proof"] = ["pin"]


async def test_a_pin_is_told_when_the_van_leaves_and_again_when_it_changes(
    with_pin, desk, phone, sms, start_route, client, account
):
    await desk.by_sms(sms)
    await desk.only("pin", channels=["sms"])
    tour = await phone.read_stops()
    url = f"/v1/stops/{phone.stops[0]}/pin/rotate"
    assert (await client.post(url, headers=account.headers)).status == 200  # before the van leaves nobody hears of it
    await desk.go()
    assert await desk.messages() == []
    await start_route()
    await start_route()
    await desk.go()
    rotated = await (await client.post(url, headers=account.headers)).json()
    await desk.go(after=timedelta(minutes=11))
    first, second = sms.heard(ANA)
    assert rotated["pin"] in second
    assert rotated["pin"] not in first
    assert tour[0]["pin"] not in first


async def test_where_the_van_is_waits_until_it_is_found_out(desk, phone, sms, pool, account):
    await desk.by_sms(sms)
    await desk.only("approaching", channels=["sms"])
    await pool.execute("UPDATE track SET rerun_from = now() - interval '1 hour'")  # as the assignment made it
    await pool.execute(
        "INSERT INTO notice (account_id, stop_id, kind, happened_at) VALUES ($1, $2, 'approaching', now())",
        account.id, int(phone.stops[0][3:]),
    )  # fmt: skip
    await desk.go()
    assert (await desk.table())[0][3:] == ("held", "unsettled")
    await pool.execute("UPDATE track SET rerun_from = NULL")
    await desk.go(after=timedelta(seconds=3))
    assert len(sms.heard(ANA)) == 1
