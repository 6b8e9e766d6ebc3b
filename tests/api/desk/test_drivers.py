"""Drivers who sign in: let in as one driver, they see their own tour and say what happened, and nothing else."""

import re
import time
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from api.desk import users
from api.desk_page import driving
from api.desk_page import endpoints as door
from api.driver.manifest import endpoints as manifest
from sql.desk import links, people
from tests.api.conftest import say_events
from tests.api.desk.desk import PASSWORD, ask, make_driver_user, make_user, signed_in
from tests.api.desk.test_users import path_of

LUIS = "luis@tienda.example"
PAGE = "/desk/driving"


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, say_events, *(module.operations.add_to for module in (door, driving, manifest))]


@pytest.fixture
async def admin(account, pool):
    """The headers of an admin."""
    return await signed_in(pool, account.id, await make_user(pool, account.id))


@pytest.fixture
async def two_tours(client, account, tour, make_driver):
    """Tours of today of two drivers, luis and ana; their stops' ids, by driver."""
    made = {}
    for driver in ("luis", "ana"):
        await make_driver(client, account.key, driver)
        today = {"driver": driver, "date": datetime.now(UTC).date().isoformat(), **_hours()}
        stops = [
            {**one, "external_id": f"{driver}-{n}", "name": f"{driver} {n}"} for n, one in enumerate(tour["stops"])
        ]
        put = await client.put(f"/v1/routes/de-{driver}", json=tour | today | {"stops": stops}, headers=account.headers)
        assert put.status == 201, await put.text()
        made[driver] = [one["id"] for one in (await put.json())["stops"]]
    return made


def _hours():
    now = datetime.now(UTC).timestamp()
    return {
        name: datetime.fromtimestamp(now + hours * 3600, UTC).isoformat()
        for name, hours in (("start_at", -1), ("end_at", 6))
    }


async def say(client, headers, kind, stop=None, /, **more):
    event = {"id": str(uuid4()), "type": kind, "occurred_at": int(time.time() * 1000), **more}
    event |= {"stop_id": stop} if stop else {}
    status, body = await ask(client, "POST", "/v1/driver/events", {"events": [event]}, headers=headers)
    return (body["results"][0]["result"], body["results"][0].get("why")) if status == 200 else status


async def sign_in_as_invited(client, made):
    assert (await client.post(path_of(made["link"]), data={"password": PASSWORD})).status == 200
    response = await client.post("/v1/session", json={"email": LUIS, "password": PASSWORD})
    assert response.status == 201
    return {"Cookie": response.headers["Set-Cookie"].split(";")[0], "Reparto-Csrf": "1"}


async def test_an_invitation_makes_somebody_one_driver_who_sees_and_tells_of_their_own_tour(
    client, account, admin, two_tours, pool
):
    invited = {"email": LUIS, "role": "driver", "driver": "luis"}
    status, made = await ask(client, "POST", "/v1/invitations", invited, headers=admin)
    assert (status, made["driver_id"]) == (201, "dr_1")
    _, listed = await ask(client, "GET", "/v1/invitations", headers=admin)
    assert [(one["role"], one["driver_id"]) for one in listed["invitations"]] == [("driver", "dr_1")]
    mine = await sign_in_as_invited(client, made)
    to_page = await client.get("/desk?lang=es", headers=mine, allow_redirects=False)
    assert (to_page.status, to_page.headers["Location"]) == (303, f"{PAGE}?lang=es")
    text = await (await client.get(f"{PAGE}?lang=es", headers=mine)).text()
    assert "luis 0" in text
    assert "ana 0" not in text
    first, second = two_tours["luis"][:2]
    assert await say(client, mine, "arrived", first) == ("applied", None)
    assert await say(client, mine, "failed", first, data={"reason": "nobody_home"}) == ("applied", None)
    assert await say(client, mine, "skipped", second) == ("applied", None)
    text = await (await client.get(f"{PAGE}?lang=es", headers=mine)).text()
    assert "2 de 4 hechas" in text
    assert '<h2 id="stop-name">luis 2</h2>' in text
    _, log = await ask(client, "GET", "/v1/audit?operation=POST /v1/driver/events", headers=admin)
    assert [(one["user_email"], one["after"]["events"][0]["type"]) for one in log["entries"]] == [
        (LUIS, kind) for kind in ("skipped", "failed", "arrived")
    ]
    _, members = await ask(client, "GET", "/v1/users", headers=admin)
    assert [(one["role"], one["driver_id"]) for one in members["users"]] == [("admin", None), ("driver", "dr_1")]


async def test_nobody_elses_stops_can_be_read_or_told_of(client, account, other_account, two_tours, pool, make_driver):
    mine = await signed_in(pool, account.id, await make_driver_user(pool, account.id, 1))
    for stop in two_tours["ana"]:
        assert await say(client, mine, "completed", stop) == ("rejected", "unknown-stop")
        text = await (await client.get(f"{PAGE}?stop={stop}", headers=mine)).text()
        assert "ana" not in text.replace("ana@", "")
    status, own = await ask(client, "GET", "/v1/driver/manifest", headers=mine)
    assert status == 200
    assert {stop["id"] for route in own["routes"] for stop in route["stops"]} == set(two_tours["luis"])
    await make_driver(client, other_account.key, "ajeno")
    theirs = await signed_in(
        pool, other_account.id, await make_driver_user(pool, other_account.id, 3, "ajeno@otra.example")
    )
    assert (await ask(client, "GET", "/v1/driver/manifest", headers=theirs))[1]["routes"] == []
    assert await say(client, theirs, "completed", two_tours["luis"][0]) == ("rejected", "unknown-stop")


async def test_a_page_of_another_site_says_nothing(client, account, two_tours, pool):
    mine = await signed_in(pool, account.id, await make_driver_user(pool, account.id, 1))
    without = {name: value for name, value in mine.items() if name != "Reparto-Csrf"}
    assert await say(client, without, "completed", two_tours["luis"][0]) == 403
    assert await say(client, mine | {"Sec-Fetch-Site": "cross-site"}, "completed", two_tours["luis"][0]) == 403


@pytest.mark.parametrize(
    "body",
    [
        {"role": "driver"},
        {"role": "driver", "driver": "nobody"},
        {"role": "driver", "driver": "ajeno"},
        {"role": "viewer", "driver": "luis"},
    ],
)
async def test_a_driver_is_named_by_the_role_alone_and_is_one_of_the_account(
    client, account, other_account, admin, make_driver, pool, body
):
    await make_driver(client, account.key, "luis")
    await make_driver(client, other_account.key, "ajeno")
    beto = await make_user(pool, account.id, "beto@tienda.example", "viewer")
    for method, path, more in (("POST", "/v1/invitations", {"email": LUIS}), ("PATCH", f"/v1/users/us_{beto}", {})):
        status, problem = await ask(client, method, path, body | more, headers=admin)
        assert (status, [one["at"] for one in problem["errors"]]) == (422, ["/driver"])
    assert await people.role_of(pool, account.id, beto) == "viewer"


async def test_another_role_or_driver_and_being_taken_out_count_at_once(client, account, admin, two_tours, pool):
    person_id = await make_driver_user(pool, account.id, 1)
    mine, user = await signed_in(pool, account.id, person_id), f"/v1/users/us_{person_id}"
    status, changed = await ask(client, "PATCH", user, {"role": "driver", "driver": "dr_2"}, headers=admin)
    assert (status, changed["driver_id"]) == (200, "dr_2")
    assert await say(client, mine, "arrived", two_tours["luis"][0]) == ("rejected", "unknown-stop")
    assert await say(client, mine, "arrived", two_tours["ana"][0]) == ("applied", None)
    status, changed = await ask(client, "PATCH", user, {"role": "viewer"}, headers=admin)
    assert (status, changed["driver_id"]) == (200, None)
    assert await say(client, mine, "arrived", two_tours["ana"][0]) == 403
    assert (await ask(client, "GET", "/v1/driver/manifest", headers=mine))[0] == 403
    await ask(client, "PATCH", user, {"role": "driver", "driver": "luis"}, headers=admin)
    assert (await ask(client, "DELETE", user, headers=admin))[0] == 204
    assert await say(client, mine, "arrived", two_tours["luis"][0]) == 401
    assert await pool.fetchval("SELECT count(*) FROM device WHERE app = 'browser' AND revoked_at IS NULL") == 0


async def test_a_browser_is_shut_out_as_a_phone_is_and_let_in_again(client, account, admin, two_tours, pool):
    person_id = await make_driver_user(pool, account.id, 1)
    mine = await signed_in(pool, account.id, person_id)
    _, phones = await ask(client, "GET", "/v1/drivers/luis/devices", headers=admin)
    [browser] = [one["id"] for one in phones["devices"] if one["app"] == "browser"]
    assert (await ask(client, "DELETE", f"/v1/devices/{browser}", headers=admin))[0] == 204
    assert await say(client, mine, "arrived", two_tours["luis"][0]) == 403
    response = await client.get(f"{PAGE}?lang=en", headers=mine)
    assert (response.status, "You do not drive here yet" in await response.text()) == (403, True)
    again = {"role": "driver", "driver": "luis"}
    assert (await ask(client, "PATCH", f"/v1/users/us_{person_id}", again, headers=admin))[0] == 200
    assert await say(client, mine, "arrived", two_tours["luis"][0]) == ("applied", None)


async def test_who_signs_in_as_a_driver_goes_with_them(client, account, admin, two_tours, pool):
    mine = await signed_in(pool, account.id, await make_driver_user(pool, account.id, 1))
    invited = {"email": "otro@tienda.example", "role": "driver", "driver": "luis"}
    _, made = await ask(client, "POST", "/v1/invitations", invited, headers=admin)
    assert (await ask(client, "DELETE", "/v1/drivers/luis", headers=admin))[0] == 204
    assert (await ask(client, "GET", "/v1/session", headers=mine))[0] == 401
    assert (await client.post(path_of(made["link"]), data={"password": PASSWORD})).status == 410
    assert await people.find_person(pool, LUIS) is None
    _, log = await ask(client, "GET", "/v1/audit?operation=DELETE /v1/drivers/{driver}", headers=admin)
    assert [one["before"] for one in log["entries"]] == [{"users": ["us_2"]}]


async def test_somebody_who_becomes_a_driver_is_told_of_no_alerts_any_more(client, account, admin, make_driver, pool):
    await make_driver(client, account.key, "luis")
    beto = await make_user(pool, account.id, "beto@tienda.example", "dispatcher")
    await pool.execute(
        "INSERT INTO desk_push (account_id, person_id, endpoint_hash, sealed, least, language)"
        " VALUES ($1, $2, 'x', 'x', 1, 'es')",
        *(account.id, beto),
    )
    await ask(client, "PATCH", f"/v1/users/us_{beto}", {"role": "driver", "driver": "luis"}, headers=admin)
    assert await pool.fetchval("SELECT count(*) FROM desk_push") == 0


async def test_a_provider_takes_the_invitation_of_a_driver_too(pool, account, client, make_driver):
    await make_driver(client, account.key, "luis")
    as_luis = links.InvitedAs("driver", 1)
    link = await links.make_link(
        pool, account_id=account.id, kind="invitation", email=LUIS, makes=as_luis, hours=1, is_mailed=False
    )
    async with pool.acquire() as db, db.transaction():
        used = await links.use_link(db, link.id)
        assert used is not None
        person = await people.ensure_person(db, LUIS)
        assert await people.add_member(db, account.id, person.id, used.role, by_provider=True, driver_id=used.driver_id)
    mine = await signed_in(pool, account.id, person.id)
    assert (await client.get(PAGE, headers=mine)).status == 200


async def test_the_page_is_not_sent_again_while_nothing_changed_and_a_look_shows_nothing(
    client, account, two_tours, pool
):
    mine = await signed_in(pool, account.id, await make_driver_user(pool, account.id, 1))
    await pool.execute(
        "INSERT INTO recipient_change (account_id, stop_id, kind, state, was, is_now, made_at)"
        " VALUES ($1, $2, 'instructions', 'applied', '{}', '{}', now())",
        *(account.id, int(two_tours["luis"][0][3:])),
    )

    async def told():
        return await pool.fetchval("SELECT told_at IS NOT NULL FROM recipient_change")

    looked = await client.head(PAGE, headers=mine)
    assert (looked.status, await told()) == (200, False)
    response = await client.get(PAGE, headers=mine)
    assert (response.status, await told()) == (200, True)
    tag = {"If-None-Match": response.headers["ETag"]}
    assert (await client.head(PAGE, headers=mine | tag)).status == 304
    await say(client, mine, "arrived", two_tours["luis"][0])
    assert (await client.head(PAGE, headers=mine | tag)).status == 200


@pytest.mark.parametrize(("language", "words"), [("es", "Mi ruta"), ("pt", "Minha rota"), ("en", "My tour")])
async def test_the_page_has_what_a_driver_needs_and_shows_the_phone_only_as_the_account_lets_them(
    client, account, two_tours, pool, language, words
):
    mine = await signed_in(pool, account.id, await make_driver_user(pool, account.id, 1))
    await pool.execute(
        "UPDATE stop SET phone = '+573001112233', instructions = 'Portón <b>', proof = '{pin}', cash_amount = 85000,"
        " cash_currency = 'COP' WHERE id = $1",
        int(two_tours["luis"][0][3:]),
    )
    text = await (await client.get(f"{PAGE}?lang={language}", headers=mine)).text()
    assert f"<h1>{words}</h1>" in text
    assert 'href="tel:' in text
    assert "Portón &lt;b&gt;" in text
    assert re.search(r'name="pin" required', text)
    assert "85\u00a0000 COP" in text
    assert "google.com" in text
    await pool.execute('UPDATE account SET settings = settings || \'{"driver_contact": "never"}\'')
    assert 'href="tel:' not in await (await client.get(f"{PAGE}?lang={language}", headers=mine)).text()


def test_the_roles_of_the_api_are_those_of_people():
    from typing import get_args

    from api.http.auth import Role
    from reparto.run.user import ROLES

    assert set(get_args(users.UserRole)) == {role.name.lower() for role in Role} == set(ROLES)
