"""What whoever holds a tracking link may do by it alone, and what they may not."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.portal.by_link import DOOR_FARTHEST_M
from api.portal.limits import POSTS_OF_A_LINK, POSTS_OF_AN_ADDRESS
from api.portal.rules import CHANGES
from sql.operate.people import blank_recipients
from tests.api.driver.driver_day import event, number
from tests.api.portal.conftest import Recipient

BY_LINK = [
    ("instructions", {"text": "Timbre 3, segundo piso"}),
    ("safe-place", {"text": "Con el portero"}),
    ("pin-drop", {"lat": 6.2482, "lon": -75.5677}),
]


async def test_options_name_all_changes_and_until_when(recipient: Recipient) -> None:
    options = await recipient.options(recipient.ana)
    assert list(options) == list(CHANGES)
    assert len(options) == 12
    assert options["instructions"] == options["safe-place"] == options["pin-drop"]
    assert options["instructions"]["allowed"]
    rating = options["rating"]
    assert (rating["allowed"], rating["until"], rating["why"]) == (False, None, "too-early")
    assert all(one["allowed"] == (one["why"] is None) for one in options.values())


async def test_words_reach_the_van_at_its_next_look(recipient: Recipient) -> None:
    before = await recipient.manifest()
    stop = recipient.phone.stops[0]
    for change, body in BY_LINK:
        accepted = await recipient.say(recipient.ana, change, body)
        assert accepted["driver_told"]
        assert accepted["state"] == ("proposed" if change == "pin-drop" else "applied")
    after = await recipient.manifest(before["version"])
    (changed,) = after["changed"]
    assert changed["id"] == stop
    assert changed["instructions"] == "Timbre 3, segundo piso\nCon el portero"
    assert changed["recipient"]["safe_place"] == "Con el portero"
    assert changed["recipient"]["door"]["distance_m"] == pytest.approx(23, abs=3)
    assert (changed["lat"], changed["lon"]) == (6.24805, -75.56785), "a proposal moves nothing"
    assert (await recipient.route())["stops"][0]["recipient"]["instructions"] == "Timbre 3, segundo piso"


async def test_what_was_said_outlives_a_planner_who_puts_the_route_again(
    recipient: Recipient, account: Any, client: Any, put_route: Any
) -> None:
    version = (await recipient.route())["version"]
    await recipient.say(recipient.ana, "instructions", {"text": "Timbre 3"})
    assert (await recipient.route())["version"] == version, "a planner's If-Match still holds"
    await put_route(client, account.key, return_to_depot=True)
    assert (await recipient.route())["stops"][0]["recipient"]["instructions"] == "Timbre 3"


async def test_every_change_is_a_fact_with_before_and_after_and_no_words_in_the_feed(recipient: Recipient) -> None:
    stop = recipient.phone.stops[0]
    await recipient.say(recipient.ana, "instructions", {"text": "Timbre 3"})
    second = await recipient.say(recipient.ana, "instructions", {"text": "Timbre 4"})
    changes = await recipient.changes(stop)
    assert changes[1]["id"] == second["id"]
    assert changes[1]["was"] == {"instructions": "Timbre 3"}
    assert changes[1]["is_now"] == {"instructions": "Timbre 4"}
    facts = await recipient.facts("stop.instructed")
    assert [fact["stop_id"] for fact in facts] == [number(stop)] * 2
    assert "Timbre" not in str(facts)
    assert facts[1]["data"] == {"change": "instructions", "change_id": second["id"], "state": "applied"}


@pytest.mark.parametrize(
    ("change", "body", "at"),
    [
        ("instructions", {"text": ""}, "/text"),
        ("instructions", {"text": "   "}, "/text"),
        ("instructions", {"text": "a" * 501}, "/text"),
        ("instructions", {"text": "a\u0000b"}, "/text"),
        ("instructions", {}, "/text"),
        ("safe-place", {"text": 3}, "/text"),
        ("pin-drop", {"lat": 91, "lon": 0}, "/lat"),
        ("pin-drop", {"lat": 6.2442 + 1.1 * DOOR_FARTHEST_M / 111_000 + 0.01, "lon": -75.569}, "/lat"),
        ("pin-drop", {"lat": 6.24805}, "/lon"),
    ],
)
async def test_what_cannot_be_used_changes_nothing(
    recipient: Recipient, refused: Any, change: str, body: Any, at: str
) -> None:
    await refused(await recipient.post(recipient.ana, change, body), 422, at)
    assert await recipient.changes(recipient.phone.stops[0]) == []
    assert await recipient.facts("stop.instructed") == []


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff"])
async def test_bodies_that_are_none_are_refused(recipient: Recipient, body: bytes) -> None:
    response = await recipient.client.post(
        f"/v1/track/{recipient.ana}/instructions", data=body, headers={"Content-Type": "application/json"}
    )
    assert response.status in (400, 422)
    assert await recipient.changes(recipient.phone.stops[0]) == []


@pytest.mark.parametrize("what", ["arrived", "completed"])
async def test_once_the_van_is_there_it_is_too_late_and_says_what_is_possible(
    recipient: Recipient, refused: Any, what: str
) -> None:
    stop = recipient.phone.stops[0]
    await recipient.phone.say(event("arrived", 20, stop))
    if what == "completed":
        await recipient.phone.say(event("completed", 21, stop))
    for change, body in BY_LINK:
        problem = await refused(await recipient.post(recipient.ana, change, body), 409)
        assert problem["type"] == "too-late"
        assert ("rating" in problem["detail"]) == (what == "completed")
    assert not (await recipient.options(recipient.ana))["instructions"]["allowed"]
    assert await recipient.changes(stop) == []


async def test_what_is_paid_at_the_door_is_left_with_nobody(recipient: Recipient, refused: Any) -> None:
    options = await recipient.options(recipient.shop)
    assert options["safe-place"]["why"] == "cash"
    assert options["instructions"]["allowed"]
    problem = await refused(await recipient.post(recipient.shop, "safe-place", {"text": "Portería"}), 403)
    assert problem["type"] == "not-offered"


async def test_an_account_says_what_it_does_not_offer(recipient: Recipient, refused: Any) -> None:
    settings = {"recipient_may_not": ["safe-place"]}
    response = await recipient.client.patch("/v1/account", json=settings, headers=recipient.account.headers)
    assert response.status == 200
    assert (await recipient.options(recipient.ana))["safe-place"]["why"] == "not-offered"
    await refused(await recipient.post(recipient.ana, "safe-place", {"text": "Portería"}), 403)


async def test_the_sender_of_one_stop_says_what_its_recipient_may_not(
    recipient: Recipient, account: Any, client: Any, tour: dict[str, Any], put_route: Any, refused: Any
) -> None:
    tour["stops"][0]["recipient_may_not"] = ["safe-place", "rating"]
    put = await put_route(client, account.key)
    assert (await recipient.route())["stops"][0]["recipient_may_not"] == ["rating", "safe-place"]
    assert (await put_route(client, account.key))["version"] == put["version"], "the same plan is the same version"
    await refused(await recipient.post(recipient.ana, "safe-place", {"text": "Portería"}), 403)
    await recipient.say(recipient.ana, "instructions", {"text": "Timbre 3"})
    await recipient.say(recipient.tokens[3], "safe-place", {"text": "Portería"})
    tour["stops"][0]["recipient_may_not"] = ["everything"]
    response = await client.put("/v1/routes/tour-1", json=tour, headers=account.headers)
    await refused(response, 422, "/stops/0/recipient_may_not/0")


async def test_a_rating_is_given_once_after_the_delivery(recipient: Recipient, refused: Any) -> None:
    stop, rating = recipient.phone.stops[0], {"stars": 5, "reasons": ["on_time", "on_time"], "text": "Muy amable"}
    await refused(await recipient.post(recipient.ana, "rating", rating), 409)
    await recipient.phone.say(event("completed", 21, stop))
    assert (await recipient.options(recipient.ana))["rating"]["allowed"]
    await recipient.say(recipient.ana, "rating", rating)
    for again in (rating, rating | {"stars": 1}):
        problem = await refused(await recipient.post(recipient.ana, "rating", again), 409)
        assert problem["type"] == "already-rated"
    listed = await recipient.client.get("/v1/ratings?driver=ana", headers=recipient.account.headers)
    (shown,) = (await listed.json())["ratings"]
    assert (shown["stop_id"], shown["stars"], shown["reasons"], shown["text"]) == (stop, 5, ["on_time"], "Muy amable")
    (fact,) = await recipient.facts("stop.rated")
    assert fact["data"]["stars"] == 5
    assert "amable" not in str(fact)


@pytest.mark.parametrize("rating", [{"stars": 0}, {"stars": 6}, {"stars": 4.5}, {}, {"stars": 5, "reasons": ["<b>"]}])
async def test_a_rating_that_is_none_is_refused(recipient: Recipient, refused: Any, rating: Any) -> None:
    await recipient.phone.say(event("completed", 21, recipient.phone.stops[0]))
    await refused(await recipient.post(recipient.ana, "rating", rating), 422)
    assert await recipient.pool.fetchval("SELECT count(*) FROM rating") == 0


async def test_a_failed_delivery_is_not_rated(recipient: Recipient, refused: Any) -> None:
    await recipient.phone.say(event("failed", 21, recipient.phone.stops[0], reason="nobody_home"))
    await refused(await recipient.post(recipient.ana, "rating", {"stars": 1}), 409)


async def test_links_that_are_none_or_were_ended_change_nothing(recipient: Recipient, refused: Any) -> None:
    stop = recipient.phone.stops[0]
    for token in ("A" * 24, "x", "..%2F..%2Fv1"):
        await refused(await recipient.post(token, "instructions", {"text": "a"}), 404)
    revoked = await recipient.client.post(f"/v1/stops/{stop}/tracking-link/revoke", headers=recipient.account.headers)
    assert revoked.status == 200
    await refused(await recipient.post(recipient.ana, "instructions", {"text": "a"}), 410)
    await refused(await recipient.client.get(f"/v1/track/{recipient.ana}/options"), 410)
    assert await recipient.changes(stop) == []


async def test_other_accounts_read_neither_changes_nor_ratings(
    recipient: Recipient, other_account: Any, refused: Any
) -> None:
    await recipient.say(recipient.ana, "instructions", {"text": "Timbre 3"})
    path = f"/v1/stops/{recipient.phone.stops[0]}/changes"
    await refused(await recipient.client.get(path, headers=other_account.headers), 404)
    await refused(await recipient.client.get(path), 401)
    listed = await recipient.client.get("/v1/ratings", headers=other_account.headers)
    assert await listed.json() == {"ratings": [], "next": None}


async def test_a_link_that_posts_and_posts_has_to_wait(recipient: Recipient, refused: Any) -> None:
    for turn in range(POSTS_OF_A_LINK):
        response = await recipient.post(recipient.ana, "instructions", {"text": f"Timbre {turn}"} if turn % 2 else {})
        assert response.status in (200, 422)
    waits = await recipient.post(recipient.ana, "instructions", {"text": "Timbre"})
    await refused(waits, 429)
    assert 0 < int(waits.headers["Retry-After"]) <= 3_600
    await recipient.say(recipient.tokens[3], "instructions", {"text": "Timbre"})
    await recipient.pool.execute("UPDATE recipient_limit SET since = since - interval '61 minutes'")
    await recipient.say(recipient.ana, "instructions", {"text": "Timbre"})


async def test_an_address_that_tries_many_links_has_to_wait(recipient: Recipient, refused: Any) -> None:
    for turn in range(POSTS_OF_AN_ADDRESS):
        await refused(await recipient.post(f"{turn:024d}", "instructions", {"text": "a"}), 404)
    await refused(await recipient.post(recipient.ana, "instructions", {"text": "a"}), 429)
    assert await recipient.pool.fetchval("SELECT count(*) FROM recipient_limit") == POSTS_OF_AN_ADDRESS + 1
    made_up = {"X-Forwarded-For": "203.0.113.7, 198.51.100.9"}
    await refused(await recipient.post(recipient.ana, "instructions", {"text": "a"}, **made_up), 429)


async def test_of_many_ratings_at_once_one_counts(recipient: Recipient) -> None:
    await recipient.phone.say(event("completed", 21, recipient.phone.stops[0]))
    answers = await asyncio.gather(
        *(recipient.post(recipient.ana, "rating", {"stars": 1 + turn % 5}) for turn in range(10))
    )
    assert sorted(one.status for one in answers) == [200] + [409] * 9
    assert await recipient.pool.fetchval("SELECT count(*) FROM rating") == 1
    assert len(await recipient.facts("stop.rated")) == 1


async def test_what_was_said_goes_with_the_people_of_its_route(recipient: Recipient, pool: Any) -> None:
    for change, body in BY_LINK:
        await recipient.say(recipient.ana, change, body)
    await recipient.phone.say(event("completed", 21, recipient.phone.stops[0]))
    await recipient.say(recipient.ana, "rating", {"stars": 2, "text": "Tarde"})
    async with pool.acquire() as db, db.transaction():
        assert await blank_recipients(db, datetime.now(UTC) + timedelta(days=2), at_most=10) == 1
    assert await pool.fetchval("SELECT count(*) FROM recipient_wish") == 0
    assert await pool.fetchval("SELECT count(*) FROM recipient_change") == 0
    rating = await pool.fetchrow("SELECT stars, words FROM rating")
    assert (rating["stars"], rating["words"]) == (2, None)
