"""Browsers that are told by their push service: a real one here, which decrypts what it got and checks who signed."""

import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator

import pytest
from py_vapid import Vapid02

from reparto.operate.secrets import seal_anew
from tests.api.messages.conftest import ANA
from tests.providers.push import Browser, PushService, push_service
from work.outgoing.sealed import Sealer, keys_in, new_key

CONTACT = {"contact": "mailto:soporte@tienda.example"}


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with push_service() as made:
        yield made


@pytest.fixture
async def link(put_route, client, account) -> str:
    """Where Ana's link asks."""
    made = await put_route(client, account.key)
    token = made["stops"][0]["tracking_url"].rpartition("/")[2]
    return f"/v1/track/{token}/push"


async def approach(pool) -> None:
    """The van nears Ana, as the tracker notes it."""
    await pool.execute(
        "INSERT INTO notice (account_id, route_id, stop_id, kind, happened_at)"
        " SELECT account_id, route_id, id, 'approaching', now() FROM stop WHERE seq = 0"
    )


async def test_a_browser_is_told_what_only_it_can_read_signed_by_the_account(desk, client, pool, link, service, sms):
    shown = await desk.put("/v1/account/channels/push", CONTACT)
    assert "key" in shown["secrets"]
    assert shown["public_key"] not in json.dumps(await desk.get("/v1/account/channels/push") | {"public_key": ""})
    await desk.by_sms(sms)
    await desk.only("approaching")
    assert await (await client.get(link)).json() == {"key": shown["public_key"]}
    browser = Browser(service.url)
    for _ in range(2):
        assert (await client.post(link, json=browser.subscription)).status == 204
    await approach(pool)
    await desk.go()
    [(_, headers, content)] = service.taken
    assert sms.taken == []
    read = browser.read(content)
    assert read["title"] == "mensajeria"
    assert read["body"].startswith("Ya estamos cerca. Llegamos ")
    assert read["url"] == f"https://reparto.example/t/{link.split('/')[3]}"
    assert (headers["Content-Encoding"], headers["Urgency"]) == ("aes128gcm", "high")
    assert 0 < int(headers["TTL"]) <= 900
    assert Vapid02.verify(headers["Authorization"])
    token, _, public = headers["Authorization"].removeprefix("vapid t=").partition(",k=")
    assert public == shown["public_key"]
    claims = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    assert (claims["aud"], claims["sub"]) == (service.url, CONTACT["contact"])
    told = [one for one in await desk.messages() if one["channel"] == "push"]
    assert [(one["to"][:3], one["state"], one["provider_id"]) for one in told] == [("st_", "sent", "m-b1")]
    assert browser.subscription["keys"]["auth"] not in str(await pool.fetch("SELECT * FROM push_subscription"))


async def test_a_browser_that_is_gone_is_forgotten_and_another_channel_tells(desk, client, pool, link, sms):
    async with push_service(behave=lambda name: 410 if name == "b1" else 201) as service:
        await desk.put("/v1/account/channels/push", CONTACT)
        await desk.by_sms(sms)
        await desk.only("approaching")
        await client.post(link, json=Browser(service.url).subscription)
        await approach(pool)
        await desk.go()
        assert await pool.fetchval("SELECT count(*) FROM push_subscription") == 0
        assert sms.heard(ANA)
        assert [(channel, state) for _, channel, _, state, _ in await desk.table()] == [
            ("push", "failed"),
            ("sms", "sent"),
        ]
        await pool.execute("DELETE FROM message")
        for name in ("b1", "b2"):
            await client.post(link, json=Browser(service.url, name=name).subscription)
        await approach(pool)
        await desk.go()
        assert [one[0] for one in service.taken] == ["b1", "b1", "b2"]
        assert await pool.fetchval("SELECT count(*) FROM push_subscription") == 1
        assert len(sms.heard(ANA)) == 1


async def test_whoever_wants_no_more_is_told_no_more(desk, client, pool, link, service):
    await desk.put("/v1/account/channels/push", CONTACT)
    await desk.only("approaching")
    kept = Browser(service.url, name="kept")
    for name in ("a", "b", "c", "d", "e"):
        await client.post(link, json=Browser(service.url, name=name).subscription)
    await client.post(link, json=kept.subscription)
    assert await pool.fetchval("SELECT count(*) FROM push_subscription") == 5
    gone = await client.delete(link, params={"endpoint": kept.subscription["endpoint"]})
    assert gone.status == 204
    assert await pool.fetchval("SELECT count(*) FROM push_subscription") == 4
    assert (await client.delete(link)).status == 204
    await approach(pool)
    await desk.go()
    assert service.taken == []
    assert await desk.messages() == []  # nobody asked, and nobody misses it


async def test_what_no_browser_says_is_refused(desk, client, link, service, refused):
    assert await (await client.get(link)).json() == {"key": None}  # not offered
    assert (await client.post(link, json=Browser(service.url).subscription)).status == 403
    await refused(await client.put("/v1/account/channels/push", json={}, headers=desk.account.headers), 422, "/contact")
    wrong = CONTACT | {"key": "abc"}
    await refused(await client.put("/v1/account/channels/push", json=wrong, headers=desk.account.headers), 422, "/key")
    await desk.put("/v1/account/channels/push", CONTACT)
    good = Browser(service.url).subscription
    for wrong, at in (
        ({"endpoint": "http://10.0.0.1/send/x"}, "/endpoint"),
        ({"endpoint": "https://169.254.169.254/latest"}, "/endpoint"),
        ({"endpoint": "nowhere"}, "/endpoint"),
        ({"keys": {"p256dh": "AAAA", "auth": good["keys"]["auth"]}}, "/keys"),
        ({"keys": {"p256dh": good["keys"]["p256dh"], "auth": "ñ"}}, "/keys"),
        ({"keys": {}}, "/keys/p256dh"),
    ):
        await refused(await client.post(link, json=good | wrong), 422, at)
    assert (await client.get("/v1/track/aaaaaaaaaaaaaaaaaaaaaaaa/push")).status == 404
    test = {"to": "x"}
    url = "/v1/account/channels/push/test"
    await refused(await client.post(url, json=test, headers=desk.account.headers), 422, "/to")


async def test_the_key_stays_and_its_seal_can_be_changed(desk, client, pool, link, service, sealer):
    first = await desk.put("/v1/account/channels/push", CONTACT)
    await client.post(link, json=Browser(service.url).subscription)
    again = await desk.put("/v1/account/channels/push", CONTACT | {"at_once": 4})
    assert again["public_key"] == first["public_key"]
    other = new_key()
    async with pool.acquire() as db, db.transaction():
        both = Sealer([*keys_in(other), *(box._key for box in sealer._boxes.values())])
        assert await seal_anew(db, both) >= 2
    (sealed,) = await pool.fetchrow("SELECT sealed FROM push_subscription")
    assert Sealer(keys_in(other)).open(sealed)["endpoint"].endswith("/send/b1")


@pytest.mark.parametrize(
    ("kind", "data"),
    [("code", {"round": 1, "generation": 1}), ("locked", {"round": 1}), ("changed", {"guarded": True})],
)
async def test_what_only_the_contact_may_hear_goes_to_no_browser(desk, client, pool, link, service, sms, kind, data):
    """Whoever has the link can have a browser of their own told."""
    await desk.put("/v1/account/channels/push", CONTACT)
    await desk.by_sms(sms)
    await desk.put(f"/v1/account/messages/{kind}", {"channels": ["push", "sms"]})
    assert (await client.post(link, json=Browser(service.url).subscription)).status == 204
    await pool.execute("DELETE FROM notice")
    stop = await pool.fetchrow("SELECT id, account_id FROM stop WHERE seq = 0")
    await pool.execute("INSERT INTO step_up SELECT id, account_id, 0, 1, now() FROM stop WHERE seq = 0")
    await pool.execute(
        "INSERT INTO notice (account_id, route_id, stop_id, kind, happened_at, data)"
        " SELECT account_id, route_id, id, $2, now(), $3 FROM stop WHERE id = $1",
        *(stop["id"], kind, data),
    )
    await desk.go()
    assert service.taken == []
    assert len(sms.heard(ANA)) == 1
