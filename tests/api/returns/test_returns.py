"""A return from its request to the van: asked once, decided, an order of its own, a label that a scanner reads."""

import asyncio
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from barcode import Code128
from fpdf import FPDF

from api.returns.drawn import draw
from api.returns.label import Label
from sql.operate.people import blank_recipients
from tests.api.tickets.conftest import Case
from work.tickets.upkeep import RETURN_STALE, look_at_returns

ASKED = {"reason": "wrong_size", "text": "Me queda grande"}


async def test_what_was_not_delivered_cannot_go_back(case: Case) -> None:
    problem = await case.post("return", ASKED, status=409)
    assert "not delivered yet" in problem["detail"]
    assert (await case.ask("GET", "/v1/returns"))["returns"] == []


async def test_asked_ten_times_at_once_it_is_one_return_and_no_words_are_told(case: Case) -> None:
    await case.deliver()
    made = await asyncio.gather(*(case.post("return", ASKED) for _ in range(10)))
    assert len({one["id"] for one in made}) == 1
    assert (made[0]["state"], made[0]["label_url"]) == ("requested", None)
    (told,) = await case.facts("return.requested")
    assert told == {"return_id": made[0]["id"], "by": "recipient"}
    other = await case.post("return", {"reason": "changed_mind"}, status=409)
    assert "under way" in other["detail"]


async def test_approved_it_becomes_an_order_that_a_plan_can_have(case: Case) -> None:
    await case.deliver()
    asked = await case.post("return", ASKED)
    tomorrow = datetime.now(ZoneInfo("America/Bogota")).date() + timedelta(days=1)
    approved = await case.ask("POST", f"/v1/returns/{asked['id']}/approve")
    assert approved["state"] == "approved"
    order = await case.ask("GET", f"/v1/orders/{approved['pickup']['order']}")
    assert (order["state"], order["order"]["kind"], order["order"]["name"]) == ("ready", "pickup", "Ana Restrepo")
    assert order["order"]["parcels"][0]["barcode"] == f"RE{asked['id'][3:]}"
    assert order["earliest"] in (tomorrow.isoformat(), (tomorrow + timedelta(days=1)).isoformat()), "or midnight passed"
    assert order["earliest"] < order["latest"]
    again = await case.ask("POST", f"/v1/returns/{asked['id']}/approve", {"text": "Otra vez"})
    assert again["version"] == approved["version"], "approved twice is approved once"
    (told,) = await case.facts("return.approved")
    assert told["order"] == approved["pickup"]["order"]
    assert len(await case.notices()) == 1


async def test_it_is_fetched_on_a_later_route_by_its_own_link_and_is_over(
    case: Case, make_driver: Any, put_route: Any, client: Any, account: Any, tour: Any
) -> None:
    await case.deliver()
    asked = await case.post("return", ASKED)
    approved = await case.ask("POST", f"/v1/returns/{asked['id']}/approve")
    name = approved["pickup"]["order"]
    tour["stops"] = [tour["stops"][0] | {"external_id": name, "kind": "pickup", "proof": []}]
    await put_route(client, account.key, route="tour-2")
    await case.pool.execute(
        "UPDATE delivery_order SET state = 'assigned', route_id = (SELECT id FROM route WHERE external_id = 'tour-2')"
    )
    seen = (await case.get("returns"))["returns"][0]["pickup"]
    assert seen["state"] == "pending"
    assert seen["tracking_url"].rpartition("/")[2] not in case.tokens
    options = await client.get(f"/v1/track/{seen['tracking_url'].rpartition('/')[2]}/options")
    assert options.status == 200, "the pickup has a link of its own that works"
    kept = await case.post(f"returns/{asked['id']}/cancel", None, status=409)
    assert kept["type"] == "return-state"
    await case.pool.execute("UPDATE stop SET status = 'failed' WHERE external_id = $1", name)
    second = await case.ask("POST", f"/v1/returns/{asked['id']}/approve")
    assert second["pickup"]["order"] == f"{name}-2", "a pickup that failed is made anew"
    await case.pool.execute("UPDATE return_request SET order_name = $1", name)
    await case.pool.execute("UPDATE stop SET status = 'completed' WHERE external_id = $1", name)
    for _ in range(2):
        await look_at_returns(case.pool, now=datetime.now(UTC))
    assert (await case.ask("GET", f"/v1/returns/{asked['id']}"))["state"] == "returned"
    assert [one["state"] for one in await case.facts("return.closed")] == ["returned"]


async def test_a_policy_approves_at_once_and_a_person_rejects(case: Case) -> None:
    await case.deliver()
    asked = await case.post("return", ASKED)
    said = await case.ask("POST", f"/v1/returns/{asked['id']}/reject", {"text": "Ya fue usado"})
    assert (said["state"], said["answer"]) == ("rejected", "Ya fue usado")
    assert [one["answer"] for one in await case.notices()] == ["Ya fue usado"]
    await case.ask("POST", f"/v1/returns/{asked['id']}/approve", status=409)
    undone = await case.post("return", ASKED)
    approved = await case.ask("POST", f"/v1/returns/{undone['id']}/approve")
    await case.ask("POST", f"/v1/returns/{undone['id']}/reject", {"text": "Fue un error"})
    assert (await case.ask("GET", f"/v1/orders/{approved['pickup']['order']}"))["state"] == "cancelled"
    await case.ask("PATCH", "/v1/account", {"return_approval": "automatic"})
    at_once = await case.post("return", ASKED)
    assert at_once["id"] != asked["id"]
    assert at_once["state"] == "approved"
    taken_back = await case.post(f"returns/{at_once['id']}/cancel", None)
    assert taken_back["state"] == "cancelled"
    assert (await case.ask("GET", f"/v1/orders/{at_once['pickup']['order']}"))["state"] == "cancelled"


async def test_the_account_says_how_long_and_whether_at_all(case: Case) -> None:
    await case.deliver()
    await case.ask("PATCH", "/v1/account", {"return_days": 0})
    assert (await case.post("return", ASKED, status=403))["type"] == "not-offered"
    await case.ask("PATCH", "/v1/account", {"return_days": 30})
    await case.pool.execute("UPDATE stop SET outcome_at = outcome_at - interval '20 days'")
    assert (await case.post("return", ASKED))["state"] == "requested"
    await case.pool.execute("UPDATE stop SET outcome_at = outcome_at - interval '200 days'")
    assert len((await case.get("returns"))["returns"]) == 1, "the link lives until it is returned"
    stale = datetime.now(UTC) + RETURN_STALE + timedelta(hours=1)
    await look_at_returns(case.pool, now=stale)
    await case.get("returns", status=410)
    assert [one["state"] for one in await case.facts("return.closed")] == ["expired"]


async def test_a_link_sees_no_return_of_another_one_and_no_account_anothers(case: Case, other_account: Any) -> None:
    await case.deliver()
    asked = await case.post("return", ASKED)
    await case.ask("POST", f"/v1/returns/{asked['id']}/approve")
    other = case.tokens[1]
    assert (await case.get("returns", token=other))["returns"] == []
    await case.post(f"returns/{asked['id']}/cancel", None, token=other, status=404)
    await case.get(f"returns/{asked['id']}/label", token=other, status=404)
    for method, path, body in (
        ("GET", f"/v1/returns/{asked['id']}", None),
        ("GET", f"/v1/returns/{asked['id']}/label", None),
        ("PATCH", f"/v1/returns/{asked['id']}", {"state": "cancelled"}),
        ("POST", f"/v1/returns/{asked['id']}/approve", None),
        ("POST", f"/v1/returns/{asked['id']}/reject", None),
        ("POST", "/v1/returns", {"stop_id": case.stop, "reason": "x"}),
    ):
        response = await case.client.request(method, path, json=body, headers=other_account.headers)
        assert response.status == 404, (method, path)
    assert (await case.ask("GET", f"/v1/returns/{asked['id']}"))["state"] == "approved"


async def test_the_company_asks_in_somebodys_name_and_takes_it_at_the_counter(case: Case) -> None:
    await case.ask("POST", "/v1/returns", {"stop_id": case.stop, "reason": "x"}, status=409)
    await case.deliver()
    made = await case.ask("POST", "/v1/returns", {"stop_id": case.stop, "reason": "damaged"})
    assert (made["asked_by"], made["order"]) == ("company", "ped-1")
    await case.ask("PATCH", f"/v1/returns/{made['id']}", {"state": "approved"}, status=412, **{"If-Match": '"9"'})
    done = await case.ask("PATCH", f"/v1/returns/{made['id']}", {"state": "returned"}, **{"If-Match": '"1"'})
    assert done["state"] == "returned"
    assert len((await case.ask("GET", f"/v1/returns?state=returned&stop={case.stop}"))["returns"]) == 1


async def test_a_label_is_given_for_what_is_approved_only(case: Case, client: Any, pool: Any) -> None:
    await case.deliver()
    asked = await case.post("return", ASKED)
    assert (await case.get(f"returns/{asked['id']}/label", status=409))["type"] == "return-state"
    await case.ask("POST", f"/v1/returns/{asked['id']}/approve")
    for path, headers in (
        (f"/v1/track/{case.tokens[0]}/returns/{asked['id']}/label", {}),
        (f"/v1/returns/{asked['id']}/label", case.account.headers),
    ):
        response = await client.get(path, headers=headers)
        assert response.content_type == "application/pdf"
        assert (await response.read()).startswith(b"%PDF-")
    await blank_recipients(pool, datetime.now(UTC) + timedelta(days=400), at_most=10)
    forgotten = await case.ask("GET", f"/v1/returns/{asked['id']}")
    assert (forgotten["reason"], forgotten["text"]) == (None, None)
    assert (await client.get(f"/v1/returns/{asked['id']}/label", headers=case.account.headers)).status == 409


@pytest.mark.parametrize("language", ["es", "pt", "en"])
def test_a_label_carries_the_bars_of_its_code(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    drawn: list[float] = []
    rect = FPDF.rect

    def noted(self: FPDF, x: float, y: float, w: float, h: float, **more: Any) -> None:
        drawn.append(x)
        rect(self, x, y, w, h, **more)

    monkeypatch.setattr(FPDF, "rect", noted)
    label = Label(
        language=language,
        code="RE12",
        brand="Envíos del Valle",
        sender="Łukasz 田中",
        address="Cra. 46 # 52-10, " * 20,
        order="ped-1",
        asked_on="2026-03-02",
    )
    assert io.BytesIO(draw(label)).read(5) == b"%PDF-"
    (modules,) = Code128("RE12").build()
    assert len(drawn) == modules.count("1")


async def test_it_is_over_too_when_a_route_that_was_given_by_hand_fetched_it(
    case: Case, put_route: Any, client: Any, account: Any, tour: Any
) -> None:
    await case.deliver()
    asked = await case.post("return", ASKED)
    name = (await case.ask("POST", f"/v1/returns/{asked['id']}/approve"))["pickup"]["order"]
    start = datetime.now(UTC) + timedelta(days=2)
    hours = {"date": start.date().isoformat(), "start_at": start.isoformat(), "driver": None}
    hours["end_at"] = (start + timedelta(hours=6)).isoformat()
    pickup = tour["stops"][0] | {"external_id": name, "kind": "pickup", "proof": []}
    await put_route(client, account.key, route="a-mano", stops=[pickup], **hours)
    seen = (await case.get("returns"))["returns"][0]["pickup"]
    assert (seen["state"], seen["day"]) == ("pending", hours["date"])
    assert (await case.post(f"returns/{asked['id']}/cancel", None, status=409))["type"] == "return-state"
    await case.pool.execute("UPDATE stop SET status = 'completed', outcome_at = now() WHERE external_id = $1", name)
    await look_at_returns(case.pool, now=datetime.now(UTC) + RETURN_STALE + timedelta(days=1))
    assert (await case.get("returns"))["returns"][0]["state"] == "returned"
