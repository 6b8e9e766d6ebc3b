"""What the link alone does not change: place, person, time and contact need the code that went to the contact."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from api.http.config import ApiConfig
from api.portal.limits import CODES_OF_A_CONTACT, CODES_OF_A_LINK, CODES_OF_AN_ADDRESS
from api.portal.rules import BY_CODE
from api.portal.step_up import MOST_WRONG
from tests.api.driver.driver_day import event, number
from tests.api.portal.conftest import Recipient

NEIGHBOUR = {"name": "Rosa Vélez", "address": "Apto 302"}


@pytest.fixture
def api_config(api_config: ApiConfig) -> ApiConfig:
    """Whoever asks here is a proxy, and says whose request it is."""
    return replace(api_config, trusted_proxies="127.0.0.1/32")


async def guess(recipient: Recipient, code: str) -> Any:
    return await recipient.post(recipient.ana, "neighbour", NEIGHBOUR, **{"Reparto-Code": code})


def others(right: dict[str, str]) -> list[str]:
    """Codes that are not the one."""
    return [f"{(int(right['Reparto-Code']) + step) % 1_000_000:06d}" for step in range(1, 60)]


async def test_a_link_in_a_strangers_hands_changes_nothing_that_matters(recipient: Recipient, refused: Any) -> None:
    options = await recipient.options(recipient.ana)
    assert {name for name, one in options.items() if one["needs_code"]} == BY_CODE
    for change in sorted(name for name in BY_CODE if options[name]["allowed"]):
        for code in ({}, {"Reparto-Code": ""}, {"Reparto-Code": "000000"}):
            problem = await refused(await recipient.post(recipient.ana, change, {}, **code), 403)
            assert problem["type"] == "step-up-needed"
    assert await recipient.changes(recipient.phone.stops[0]) == []


async def test_a_code_opens_all_changes_until_it_is_old(recipient: Recipient, refused: Any) -> None:
    before = await recipient.manifest()
    response = await recipient.client.post(f"/v1/track/{recipient.ana}/code")
    assert await response.json() == {"channel": "sms", "to": "…33", "valid_s": 600}
    code = await recipient.sent(recipient.ana)
    accepted = await recipient.say(recipient.ana, "neighbour", NEIGHBOUR, **code)
    assert (accepted["state"], accepted["driver_told"]) == ("applied", True)
    (changed,) = (await recipient.manifest(before["version"]))["changed"]
    assert changed["recipient"]["neighbour"] == NEIGHBOUR
    assert changed["recipient"]["last_change"] == "neighbour"
    assert changed["instructions"] == "Rosa Vélez, Apto 302"
    (change,) = await recipient.changes(recipient.phone.stops[0])
    assert change["is_now"] == {"neighbour_name": "Rosa Vélez", "neighbour_address": "Apto 302"}
    assert "Rosa" not in str(await recipient.facts("stop.instructed"))
    spaced = f"{code['Reparto-Code'][:3]} {code['Reparto-Code'][3:]}"
    assert (await guess(recipient, spaced)).status == 200
    await recipient.pool.execute("UPDATE step_up SET sent_at = sent_at - interval '11 minutes'")
    problem = await refused(await guess(recipient, code["Reparto-Code"]), 403)
    assert problem["type"] == "step-up-needed"


async def test_a_new_code_ends_the_one_before_and_opens_one_link_only(recipient: Recipient, refused: Any) -> None:
    first = await recipient.code(recipient.ana)
    second = await recipient.code(recipient.ana)
    assert first != second
    await refused(await guess(recipient, first["Reparto-Code"]), 403)
    await refused(await recipient.post(recipient.tokens[3], "neighbour", NEIGHBOUR, **second), 403)
    assert (await guess(recipient, second["Reparto-Code"])).status == 200


async def test_five_wrong_codes_lock_it_and_both_are_told(recipient: Recipient, refused: Any) -> None:
    right = await recipient.code(recipient.ana)
    for left, wrong in zip(range(MOST_WRONG - 1, 0, -1), others(right), strict=False):
        problem = await refused(await guess(recipient, wrong), 403)
        assert problem["type"] == "wrong-code"
        assert f"{left} tries" in problem["detail"]
    problem = await refused(await guess(recipient, "no code"), 403)
    assert problem["type"] == "code-locked"
    for late in (right["Reparto-Code"], ""):
        assert (await refused(await guess(recipient, late), 403))["type"] == "code-locked"
    response = await recipient.client.post(f"/v1/track/{recipient.ana}/code")
    assert (await refused(response, 403))["type"] == "code-locked", "another code gives no more tries"
    (fact,) = await recipient.facts("stop.code_locked")
    assert fact == {"stop_id": number(recipient.phone.stops[0]), "data": {"wrong": MOST_WRONG}}
    assert await recipient.pool.fetchval("SELECT count(*) FROM notice WHERE kind = 'locked'") == 1
    await recipient.say(recipient.ana, "instructions", {"text": "Timbre 3"})
    await recipient.pool.execute("UPDATE step_up SET locked_at = locked_at - interval '25 hours'")
    again = await recipient.code(recipient.ana)
    assert (await guess(recipient, again["Reparto-Code"])).status == 200


async def test_a_crowd_of_guesses_gets_five_and_no_new_code_gives_them_back(recipient: Recipient) -> None:
    right = await recipient.code(recipient.ana)
    wrong = others(right)
    assert (await guess(recipient, wrong[0])).status == 403
    right = await recipient.code(recipient.ana)
    answers = await asyncio.gather(*(guess(recipient, code) for code in others(right)[:30]))
    types = [(await one.json(content_type=None))["type"] for one in answers]
    assert sorted(types) == ["code-locked"] * 27 + ["wrong-code"] * 3
    assert await recipient.pool.fetchval("SELECT wrong FROM step_up") == MOST_WRONG
    assert (await guess(recipient, right["Reparto-Code"])).status == 403


async def test_a_guess_counts_whatever_becomes_of_its_request(recipient: Recipient, refused: Any) -> None:
    right = await recipient.code(recipient.ana)
    for code in others(right)[: MOST_WRONG - 1]:
        response = await recipient.post(recipient.ana, "neighbour", {"name": ""}, **{"Reparto-Code": code})
        assert response.status == 403, "a stranger does not learn which bodies are read"
    assert await recipient.pool.fetchval("SELECT wrong FROM step_up") == MOST_WRONG - 1
    await refused(await recipient.post(recipient.ana, "neighbour", {"name": " "}, **right), 422, "/name", "/address")
    assert await recipient.pool.fetchval("SELECT wrong FROM step_up") == 0, "the right one begins anew"


async def test_another_link_knows_nothing_of_what_was_guessed_by_the_old_one(recipient: Recipient) -> None:
    right = await recipient.code(recipient.ana)
    for code in others(right)[:MOST_WRONG]:
        await guess(recipient, code)
    path = f"/v1/stops/{recipient.phone.stops[0]}/tracking-link/rotate"
    rotated = await (await recipient.client.post(path, headers=recipient.account.headers)).json()
    recipient.tokens[0] = rotated["tracking_url"].rpartition("/")[2]
    assert (await guess(recipient, right["Reparto-Code"])).status == 403, "nor does it know its code"
    code = await recipient.code(recipient.ana)
    assert (await guess(recipient, code["Reparto-Code"])).status == 200


async def test_without_a_contact_it_says_what_is_possible(recipient: Recipient, refused: Any, pool: Any) -> None:
    response = await recipient.client.post(f"/v1/track/{recipient.tokens[3]}/code")
    problem = await refused(response, 409)
    assert problem["type"] == "no-contact"
    assert "instructions, safe-place" in problem["detail"]
    await pool.execute("INSERT INTO consent VALUES ($1, 'sms', '+573001112233', 'opted_out', 'x', now())",
                       recipient.account.id)  # fmt: skip
    await refused(await recipient.client.post(f"/v1/track/{recipient.ana}/code"), 409)
    await pool.execute("DELETE FROM message_channel")
    await refused(await recipient.client.post(f"/v1/track/{recipient.ana}/code"), 409)
    assert await pool.fetchval("SELECT count(*) FROM notice WHERE kind = 'code'") == 0


async def test_where_nothing_is_open_no_code_is_sent(recipient: Recipient, refused: Any) -> None:
    assert (await recipient.options(recipient.shop))["neighbour"]["why"] == "cash"
    await recipient.phone.say(event("arrived", 20, recipient.phone.stops[0]))
    problem = await refused(await recipient.client.post(f"/v1/track/{recipient.ana}/code"), 409)
    assert problem["type"] == "too-late"
    problem = await refused(await guess(recipient, "000000"), 409)
    assert problem["type"] == "too-late"


async def test_codes_of_a_link_an_address_and_a_contact_have_an_end(recipient: Recipient, refused: Any) -> None:
    async def ask(token: str, **headers: str) -> Any:
        return await recipient.client.post(f"/v1/track/{token}/code", headers=headers)

    assert CODES_OF_A_LINK < CODES_OF_AN_ADDRESS < 15
    for turn in range(CODES_OF_A_LINK):
        assert (await ask(recipient.ana, **{"X-Forwarded-For": f"198.51.100.{turn}"})).status == 200
    limited = await ask(recipient.ana, **{"X-Forwarded-For": "198.51.100.99"})
    await refused(limited, 429)
    assert int(limited.headers["Retry-After"]) > 0
    for turn in range(CODES_OF_AN_ADDRESS):
        await refused(await ask(f"{turn:024d}"), 404)
    await refused(await ask(f"{99:024d}"), 429)
    await recipient.pool.execute(
        "UPDATE recipient_limit SET times = $1 WHERE times = $2", CODES_OF_A_CONTACT, CODES_OF_A_LINK
    )
    await recipient.pool.execute("UPDATE recipient_limit SET since = since - interval '2 hours'")
    await refused(await ask(recipient.ana), 429)


async def test_a_contact_is_changed_and_stands_when_the_planner_puts_the_route_again(
    recipient: Recipient, account: Any, client: Any, put_route: Any, pool: Any, refused: Any
) -> None:
    stop = recipient.phone.stops[0]
    code = await recipient.code(recipient.ana)
    for body, at in (
        ({}, ""),
        ({"phone": "12"}, "/phone"),
        ({"email": "a@b"}, "/email"),
        ({"channel": "push"}, "/channel"),
    ):
        await refused(await recipient.post(recipient.ana, "contact", body, **code), 422, at)
    version = (await recipient.manifest())["version"]
    body = {"phone": "300 999 8877", "email": "Ana@Example.com", "channel": "email"}
    await recipient.say(recipient.ana, "contact", body, **code)
    for _ in range(2):
        shown = (await recipient.route())["stops"][0]
        assert (shown["phone"], shown["email"]) == ("+573009998877", "ana@example.com")
        put = await put_route(client, account.key)
    assert put["version"] == (await recipient.route())["version"] == 1, "the planner's old contact is no other plan"
    (changed,) = (await recipient.manifest(version))["changed"]
    assert changed["recipient"]["last_change"] == "contact"
    (notice,) = await pool.fetch("SELECT data FROM notice WHERE kind = 'changed'")
    assert notice["data"] == {"guarded": True, "old_contact": {"phone": "+573001112233", "email": None}}
    (change,) = await recipient.changes(stop)
    assert change["was"] == {"phone": "…33", "email": None, "channel": None}
    assert change["is_now"] == {"phone": "…77", "email": "a…@example.com", "channel": "email"}
    (fact,) = await recipient.facts("stop.instructed")
    assert fact["data"]["parts"] == ["channel", "email", "phone"]


async def test_who_wants_no_messages_gets_none(recipient: Recipient, pool: Any, refused: Any) -> None:
    code = await recipient.code(recipient.ana)
    await recipient.say(recipient.ana, "contact", {"opt_out": True}, **code)
    rows = await pool.fetch("SELECT channel, address, state FROM consent ORDER BY channel")
    assert [tuple(row) for row in rows] == [
        ("sms", "+573001112233", "opted_out"),
        ("whatsapp", "+573001112233", "opted_out"),
    ]
    await refused(await recipient.client.post(f"/v1/track/{recipient.ana}/code"), 409)


GOOD: dict[str, Any] = {
    "neighbour": NEIGHBOUR,
    "contact": {"phone": "+573009998877"},
    "address": {"address": "Cra. 46 # 52-80", "lat": 6.2492, "lon": -75.5675},
    "pickup-point": {"pickup_point_id": "pp_1"},
    "slot": {"slot_id": "sl_1"},
}


async def test_no_code_opens_what_the_sender_forbids_or_what_is_too_late(
    recipient: Recipient, account: Any, client: Any, tour: dict[str, Any], put_route: Any, refused: Any
) -> None:
    assert GOOD.keys() == BY_CODE
    code = await recipient.code(recipient.ana)
    tour["stops"][0]["recipient_may_not"] = sorted(BY_CODE)
    await put_route(client, account.key)
    for change, body in GOOD.items():
        problem = await refused(await recipient.post(recipient.ana, change, body, **code), 403)
        assert problem["type"] == "not-offered"
    tour["stops"][0]["recipient_may_not"] = []
    await put_route(client, account.key)
    await recipient.phone.say(event("arrived", 20, recipient.phone.stops[0]))
    for change, body in GOOD.items():
        problem = await refused(await recipient.post(recipient.ana, change, body, **code), 409)
        assert problem["type"] == "too-late"
    assert await recipient.changes(recipient.phone.stops[0]) == []
    assert [
        fact for kind in ("instructed", "redirected", "rescheduled") for fact in await recipient.facts(f"stop.{kind}")
    ] == []
