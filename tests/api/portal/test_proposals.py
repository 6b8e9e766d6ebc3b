"""What recipients propose and the company decides; and that nobody is at home."""

from typing import Any

from api.portal.limits import AWAYS_OF_A_LINK
from sql.pool import Pool
from tests.api.driver.driver_day import event
from tests.api.portal.conftest import Recipient

FAR = {"address": "Cra. 46 # 52-80", "lat": 6.30, "lon": -75.5675}


async def decide(recipient: Recipient, stop: str, change: str, how: str, body: Any = None, *, key: Any = None) -> Any:
    headers = (key or recipient.account).headers
    path = f"/v1/stops/{stop}/changes/{change}/{how}"
    return await recipient.client.post(path, json=body or {}, headers=headers)


async def page(recipient: Recipient) -> str:
    response = await recipient.client.get(f"/t/{recipient.ana}", headers={"Accept-Language": "es"})
    return await response.text()  # type: ignore[no-any-return]


async def test_a_proposed_address_is_granted_once_and_everybody_is_told(
    recipient: Recipient, other_account: Any, refused: Any, pool: Any
) -> None:
    version, stop = (await recipient.manifest())["version"], (await recipient.route())["stops"][0]["id"]
    code = await recipient.code(recipient.ana)
    asked = await recipient.say(recipient.ana, "address", FAR, **code)
    assert "La empresa revisa la nueva dirección" in await page(recipient)
    listed = await recipient.client.get("/v1/changes?state=proposed", headers=recipient.account.headers)
    assert [(one["id"], one["stop_id"]) for one in (await listed.json())["changes"]] == [(asked["id"], stop)]
    await refused(await decide(recipient, stop, asked["id"], "approve", key=other_account), 404)
    await refused(await decide(recipient, stop, "rc_999", "approve"), 404)
    for _ in range(2):
        granted = await decide(recipient, stop, asked["id"], "approve")
        assert granted.status == 200, await granted.text()
        assert (await granted.json())["state"] == "applied"
    route = await recipient.route()
    first = next(one for one in route["stops"] if one["id"] == stop)
    assert (route["version"], first["lat"], first["address"]) == (2, FAR["lat"], FAR["address"])
    assert stop in {one["id"] for one in (await recipient.manifest(version))["changed"]}
    assert [fact["data"]["state"] for fact in await recipient.facts("stop.redirected")] == ["proposed", "applied"]
    assert "Nueva dirección recibida" in await page(recipient)
    assert await pool.fetchval("SELECT count(*) FROM notice WHERE kind = 'changed'") == 2
    await refused(await decide(recipient, stop, asked["id"], "reject"), 409)


async def test_an_address_without_a_place_needs_one_and_may_be_rejected(
    recipient: Recipient, refused: Any, pool: Any
) -> None:
    stop, code = (await recipient.route())["stops"][0]["id"], await recipient.code(recipient.ana)
    first = await recipient.say(recipient.ana, "address", {"address": "Donde mi tía"}, **code)
    await refused(await decide(recipient, stop, first["id"], "approve"), 422, "/lat", "/lon")
    second = await recipient.say(recipient.ana, "address", {"address": "Donde mi abuela"}, **code)
    await refused(await decide(recipient, stop, first["id"], "approve", {"lat": 6.25, "lon": -75.56}), 409)
    for _ in range(2):
        answered = await decide(recipient, stop, second["id"], "reject", {"text": "No pasamos por allá"})
        assert (await answered.json())["state"] == "rejected"
    (notice,) = await pool.fetch("SELECT data FROM notice WHERE kind = 'ticket'")
    assert (notice["data"]["ticket"], notice["data"]["answer"]) == (second["id"], "No pasamos por allá")
    assert "La empresa no puede llevarlo a la otra dirección" in await page(recipient)
    assert (await recipient.route())["version"] == 1
    after_all = await decide(recipient, stop, second["id"], "approve", {"lat": 6.25, "lon": -75.56})
    assert (await after_all.json())["state"] == "applied"


async def test_a_door_is_moved_to_where_the_recipient_says(recipient: Recipient, refused: Any) -> None:
    before = (await recipient.route())["stops"][0]
    door = {"lat": round(before["lat"] + 0.0004, 6), "lon": before["lon"]}
    asked = await recipient.say(recipient.ana, "pin-drop", door)
    granted = await decide(recipient, before["id"], asked["id"], "approve")
    assert granted.status == 200, await granted.text()
    after = (await recipient.route())["stops"][0]
    assert (after["lat"], after["address"]) == (door["lat"], before["address"])
    assert "El repartidor va a la puerta que señalaste" in await page(recipient)
    shop = (await recipient.route())["stops"][1]["id"]
    late = await recipient.say(recipient.shop, "pin-drop", door)
    await recipient.phone.say(event("arrived", 20, shop))
    await refused(await decide(recipient, shop, late["id"], "approve"), 409)


async def test_nobody_at_home_is_told_to_driver_and_dispatcher_and_leads_to_what_is_possible(
    recipient: Recipient, pool: Any
) -> None:
    version = (await recipient.manifest())["version"]
    accepted = await recipient.say(recipient.ana, "away", {})
    assert (accepted["state"], accepted["driver_told"]) == ("applied", True)
    assert await pool.fetchval("SELECT count(*) FROM notice WHERE kind = 'changed'") == 1  # the contact hears of it
    (changed,) = (await recipient.manifest(version))["changed"]
    assert changed["recipient"]["away"] is True
    assert changed["recipient"]["last_change"] == "away"
    assert changed["instructions"].startswith("Avisó: no hay nadie en casa.")
    html = await page(recipient)
    assert "No estarás en casa. Elige abajo qué hacemos." in html
    assert html.index("/safe-place") < html.index("/instructions")
    form = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "es"}
    empty = await recipient.client.post(f"/t/{recipient.ana}/away", data={}, headers=form)
    assert empty.status == 422
    back = await recipient.client.post(
        f"/t/{recipient.ana}/away", data={"away": "no"}, headers=form, allow_redirects=False
    )
    assert back.status == 303
    assert "No estarás en casa" not in await page(recipient)
    assert [fact["data"]["away"] for fact in await recipient.facts("stop.away")] == [True, False]
    await recipient.say(recipient.ana, "away", {"away": True})
    near = {"address": "Cra. 46 # 52-80", "lat": 6.2492, "lon": -75.5675}
    await recipient.say(recipient.ana, "address", near, **await recipient.code(recipient.ana))
    assert "No estarás en casa" not in await page(recipient)  # it goes somewhere else


async def test_a_stranger_who_says_again_and_again_that_nobody_is_at_home_floods_nobody(
    recipient: Recipient, refused: Any, pool: Pool
) -> None:
    said = [await recipient.say(recipient.ana, "away", {"away": True}) for _ in range(3)]
    assert len({one["id"] for one in said}) == 1, "the same once more is the same change"
    assert len(await recipient.facts("stop.away")) == 1
    for turn in range(AWAYS_OF_A_LINK - 3):
        await recipient.say(recipient.ana, "away", {"away": bool(turn % 2)})
    await refused(await recipient.post(recipient.ana, "away", {"away": True}), 429)
    told = await pool.fetchval("SELECT count(*) FROM notice WHERE kind = 'changed'")
    assert told == len(await recipient.facts("stop.away")) == AWAYS_OF_A_LINK - 2
    await recipient.say(recipient.shop, "away", {"away": True})
    await recipient.say(recipient.ana, "instructions", {"text": "Timbre 3"})


async def test_the_same_words_once_more_change_nothing(recipient: Recipient) -> None:
    for change, body in (("instructions", {"text": "Timbre 3"}), ("safe-place", {"text": "Con el portero"})):
        first, again = [await recipient.say(recipient.ana, change, body) for _ in range(2)]
        assert first == again
        other = await recipient.say(recipient.ana, change, {"text": "No"})
        assert other["id"] != first["id"]
    assert len(await recipient.facts("stop.instructed")) == 4
