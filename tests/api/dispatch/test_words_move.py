"""What recipients said goes with their order: to another van and back, and to where the planner puts it."""

import copy
from datetime import UTC, datetime, timedelta

import pytest

from api.dispatch import moving
from api.http.auth import hash_of
from api.offers import slots
from api.portal import by_code, change, company, proposals, redirect, reschedule, step_up
from api.portal.rules import BY_CODE
from sql.account.accounts import read_instance
from sql.messages.setup import put_channel
from sql.portal.stops import find_stop
from tests.api.tickets.conftest import parts, proof_store  # noqa: F401 (a fixture)
from work.links import code_of

TOMORROW = datetime.now(UTC).replace(hour=13, minute=0, second=0, microsecond=0) + timedelta(days=1)
DAY = {
    "date": TOMORROW.date().isoformat(),
    "start_at": TOMORROW.isoformat(),
    "end_at": (TOMORROW + timedelta(hours=6)).isoformat(),
}
FAR = {"address": "Cra. 46 # 52-80", "lat": 6.30, "lon": -75.5675}
NEAR = {"address": "Cra. 46 # 52-82", "lat": 6.2492, "lon": -75.5675}


@pytest.fixture
def app_parts(app_parts, proof_store):  # noqa: F811
    modules = (moving, slots, by_code, company, proposals, redirect, reschedule, step_up)
    return [*parts(app_parts, proof_store), *(one.operations.add_to for one in modules)]


@pytest.fixture
async def two(client, account, make_driver, put_route, tour, pool):
    """Two tours of tomorrow; the second has one stop. Gives the first one as it was put."""
    for name in ("ana", "luis"):
        await make_driver(client, account.key, name)
    await put_channel(
        pool, account_id=account.id, channel="sms", enabled=True, settings={"gateway": "custom"}, secrets=None
    )
    other = {**copy.deepcopy(tour["stops"][3]), "external_id": "ped-9", "lat": 6.2520, "lon": -75.5700}
    first = await put_route(client, account.key, **DAY, driver="ana", stops=tour["stops"])
    await put_route(client, account.key, "tour-2", **DAY, driver="luis", path=None, stops=[other])
    return first


@pytest.fixture
def recipient(client, account, two, pool):
    """Whoever waits at the first stop, by the link of the morning, and the company."""

    class Recipient:
        stop = two["stops"][0]["id"]
        token = two["stops"][0]["tracking_url"].rpartition("/")[2]

        async def post(self, what, body, code):
            return await client.post(f"/v1/track/{self.token}/{what}", json=body, headers=code)

        async def say(self, what, body):
            response = await self.post(what, body, await self.code() if what in BY_CODE else {})
            assert response.status == 200, await response.text()
            return await response.json()

        async def code(self):
            assert (await client.post(f"/v1/track/{self.token}/code")).status == 200
            row = await pool.fetchrow("SELECT stop_id, generation FROM step_up WHERE stop_id = $1", await self.now())
            return {"Reparto-Code": code_of((await read_instance(pool)).secret, *row)}

        async def now(self):
            """Give the stop that their order is now."""
            found = await find_stop(pool, hash_of(self.token))
            return found.id

        async def read(self, what):
            response = await client.get(f"/v1/track/{self.token}/{what}")
            assert response.status == 200, await response.text()
            return await response.json()

        async def move(self, to="tour-2", back=False):
            body = {"stops": [f"st_{await self.now()}"], "to": to}
            path = "/v1/routes/tour-2/moves" if back else "/v1/routes/tour-1/moves"
            response = await client.post(path, json=body, headers=account.headers)
            assert response.status == 200, await response.text()

        async def on(self, route):
            """Give their stop as the company sees it on a route."""
            response = await client.get(f"/v1/routes/{route}", headers=account.headers)
            stops = (await response.json())["stops"]
            return next(one for one in stops if one["external_id"] == "ped-1" and not one["removed"])

        async def ask(self, method, path, body=None):
            response = await client.request(method, path, json=body, headers=account.headers)
            assert response.status == 200, await response.text()
            return await response.json()

    return Recipient()


async def test_a_report_is_answered_by_the_same_link_on_whatever_van_it_is(recipient, client, account):
    said = await recipient.say("problem", {"kind": "charge", "text": "Me cobraron dos veces"})
    await recipient.move()
    (ticket,) = (await recipient.read("tickets"))["tickets"]
    assert ticket["id"] == said["id"]
    await recipient.say(f"tickets/{said['id']}/answers", {"text": "Aquí está el recibo"})
    assert (await recipient.ask("GET", f"/v1/tickets/{said['id']}"))["stop_id"] == f"st_{await recipient.now()}"


async def test_nobody_at_home_and_later_words_stand_on_another_van_and_back(recipient):
    await recipient.say("instructions", {"text": "Timbre 3"})
    await recipient.say("away", {})
    await recipient.move()
    assert (await recipient.on("tour-2"))["recipient"]["away"] is True
    await recipient.say("instructions", {"text": "Timbre 4"})
    await recipient.say("address", NEAR)
    await recipient.move("tour-1", back=True)
    stop = await recipient.on("tour-1")
    assert stop["recipient"]["instructions"] == "Timbre 4"
    assert (stop["address"], stop["lat"]) == (NEAR["address"], NEAR["lat"])


async def test_what_is_proposed_waits_on_the_van_that_has_it(recipient):
    asked = await recipient.say("address", FAR)
    await recipient.move()
    (waiting,) = (await recipient.ask("GET", "/v1/changes?state=proposed"))["changes"]
    assert waiting["stop_id"] == f"st_{await recipient.now()}"
    await recipient.ask("POST", f"/v1/stops/{waiting['stop_id']}/changes/{asked['id']}/approve", {})
    assert (await recipient.on("tour-2"))["address"] == FAR["address"]


async def test_a_place_in_a_slot_goes_with_it_and_is_free_when_another_is_chosen(recipient, client, account):
    made = []
    for start in (TOMORROW + timedelta(hours=1), TOMORROW + timedelta(hours=3)):
        body = {"zone": "x", "start": start.isoformat(), "end": (start + timedelta(hours=2)).isoformat()}
        body["capacity"] = {"stops": 1}
        response = await client.post("/v1/slots", json=body, headers=account.headers)
        made.append((await response.json())["id"])
    await recipient.say("slot", {"slot_id": made[0]})
    await recipient.move()
    await recipient.say("slot", {"slot_id": made[0]})
    await recipient.say("slot", {"slot_id": made[1]})
    shown = {one["id"]: one["booked"] for one in (await recipient.ask("GET", "/v1/slots"))["slots"]}
    assert shown == {made[0]: 0, made[1]: 1}


@pytest.mark.parametrize("taken_first", [True, False])
async def test_words_and_reports_stand_when_the_planner_puts_it_on_another_route(
    recipient, client, account, put_route, tour, taken_first
):
    said = await recipient.say("problem", {"kind": "charge", "text": "Me cobraron dos veces"})
    asked = await recipient.say("address", FAR)
    await recipient.say("instructions", {"text": "Timbre 3"})

    async def leave():
        await put_route(client, account.key, **DAY, driver="ana", stops=tour["stops"][1:])

    if taken_first:
        await leave()
    await put_route(client, account.key, "tour-3", **DAY, driver=None, path=None, stops=tour["stops"][:1])
    if not taken_first:
        await leave()
    assert (await recipient.on("tour-3"))["recipient"]["instructions"] == "Timbre 3"
    assert [one["id"] for one in (await recipient.read("tickets"))["tickets"]] == [said["id"]]
    (waiting,) = (await recipient.ask("GET", "/v1/changes?state=proposed"))["changes"]
    assert (waiting["id"], waiting["stop_id"]) == (asked["id"], f"st_{await recipient.now()}")


async def test_where_it_goes_instead_stands_on_the_route_that_gets_it(recipient, client, account, put_route, tour):
    await recipient.say("address", NEAR)
    await recipient.say("contact", {"email": "ana@example.com"})
    await put_route(client, account.key, **DAY, driver="ana", stops=tour["stops"][1:])
    put = await put_route(client, account.key, "tour-3", **DAY, driver=None, path=None, stops=tour["stops"][:1])
    stop = await recipient.on("tour-3")
    assert (put["version"], stop["address"], stop["lat"]) == (1, NEAR["address"], NEAR["lat"])
    assert stop["email"] == "ana@example.com"


async def test_what_is_said_while_it_goes_to_another_van_counts_there(recipient, monkeypatch):
    hold, moved = change.hold_route, []

    async def hold_after_a_move(*args, **named):
        if not moved:
            moved.append(await recipient.move())
        return await hold(*args, **named)

    code = await recipient.code()
    monkeypatch.setattr(change, "hold_route", hold_after_a_move)
    response = await recipient.post("address", NEAR, code)
    assert (response.status, moved) == (200, [None])
    assert (await recipient.on("tour-2"))["address"] == NEAR["address"]


@pytest.mark.parametrize("what", ["problem", "address"])
async def test_a_stop_of_which_something_was_said_is_not_forgotten(recipient, client, account, put_route, tour, what):
    body = {"kind": "charge", "text": "Me cobraron dos veces"} if what == "problem" else FAR
    said = await recipient.say(what, body)
    await put_route(client, account.key, **DAY, driver="ana", stops=tour["stops"][1:])
    listed = await recipient.ask("GET", "/v1/tickets" if what == "problem" else "/v1/changes")
    assert [one["id"] for one in listed["tickets" if what == "problem" else "changes"]] == [said["id"]]
