"""A problem from its report to its end: one ticket whatever is sent twice, answers both ways, nothing across links."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.proofs.pictures import photo
from tests.api.tickets.conftest import Case
from work.tickets.upkeep import WAITS_FOR_RECIPIENT, look_at_tickets

CLOSED = "UPDATE ticket SET state = $1, due_at = NULL, closed_at = now() - interval '8 days'"
LOST = {"kind": "not_received", "text": "Dice entregado y no llegó"}


async def test_a_report_becomes_a_ticket_with_a_deadline_and_a_fact_without_words(case: Case) -> None:
    await case.deliver()
    ticket = await case.post("problem", LOST)
    assert (ticket["kind"], ticket["state"]) == ("not_received", "open")
    assert datetime.fromisoformat(ticket["due_at"]) > datetime.now(UTC)
    assert [entry["text"] for entry in ticket["entries"]] == [LOST["text"]]
    (told,) = await case.facts("ticket.opened")
    assert told["ticket_id"] == ticket["id"]
    assert told["by"] == "recipient"
    assert "llegó" not in str(told)
    (listed,) = (await case.ask("GET", "/v1/tickets?open=true"))["tickets"]
    assert (listed["id"], listed["order"], listed["stop_id"]) == (ticket["id"], "ped-1", case.stop)
    assert "llegó" not in await case.driver_sees()


async def test_posted_ten_times_at_once_it_is_one_ticket(case: Case) -> None:
    made = await asyncio.gather(*(case.post("problem", LOST) for _ in range(10)))
    assert len({ticket["id"] for ticket in made}) == 1
    assert len((await case.get("tickets"))["tickets"][0]["entries"]) == 1
    assert len(await case.facts("ticket.opened")) == 1
    more = await case.post("problem", LOST | {"text": "Sigue sin llegar"})
    assert [entry["text"] for entry in more["entries"]] == [LOST["text"], "Sigue sin llegar"]
    other = await case.post("problem", {"kind": "courier", "text": "Fue grosero"})
    assert other["id"] != more["id"]


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"kind": "late", "text": "x"}, "/kind"),
        ({"kind": "damaged", "text": "  "}, "/text"),
        ({"kind": "damaged", "text": "x" * 2_001}, "/text"),
        ({"kind": "damaged", "text": "x", "photos": ["ph_999"]}, "/photos/0"),
        ({"kind": "damaged", "text": "x", "photos": ["nope"]}, "/photos/0"),
        ({"text": "x"}, "/kind"),
    ],
)
async def test_what_cannot_be_used_opens_nothing(case: Case, refused: Any, body: Any, at: str) -> None:
    response = await case.client.post(f"/v1/track/{case.tokens[0]}/problem", json=body)
    await refused(response, 422, at)
    assert (await case.get("tickets"))["tickets"] == []


async def test_answers_go_both_ways_until_it_is_resolved_and_opened_again(case: Case) -> None:
    ticket = await case.post("problem", LOST)
    path = f"/v1/tickets/{ticket['id']}"
    asked = await case.ask("POST", path + "/answers", {"text": "¿Miró con el portero?", "state": "waiting_for_you"})
    assert (asked["state"], asked["due_at"]) == ("waiting_for_you", None)
    await case.ask("POST", path + "/answers", {"text": "Ruta de Luis, ojo", "internal": True})
    seen = (await case.get("tickets"))["tickets"][0]
    assert [(entry["by"], entry["text"]) for entry in seen["entries"]] == [
        ("recipient", LOST["text"]),
        ("company", "¿Miró con el portero?"),
    ]
    answered = await case.post(f"tickets/{ticket['id']}/answers", {"text": "No está ahí"})
    assert answered["state"] == "in_review"
    assert answered["due_at"] is not None
    closed = await case.ask("PATCH", path, {"state": "resolved", "text": "Lo encontramos"})
    assert (closed["state"], closed["due_at"]) == ("resolved", None)
    again = await case.post(f"tickets/{ticket['id']}/answers", {"text": "No es mi paquete"})
    assert again["state"] == "reopened"
    assert [(one["state"], one["by"]) for one in await case.facts("ticket.closed")] == [("resolved", "company")]
    assert [one["answer"] for one in await case.notices()] == ["¿Miró con el portero?", "Lo encontramos"]
    await case.pool.execute(CLOSED, "rejected")
    late = await case.post(f"tickets/{ticket['id']}/answers", {"text": "Hola"}, status=409)
    assert late["type"] == "ticket-state"
    anew = await case.post("problem", LOST)
    assert anew["id"] != ticket["id"]


async def test_nobody_overwrites_what_they_have_not_seen(case: Case) -> None:
    ticket = await case.post("problem", LOST)
    path = f"/v1/tickets/{ticket['id']}"
    response = await case.client.get(path, headers=case.account.headers)
    etag = response.headers["ETag"]
    await case.post(f"tickets/{ticket['id']}/answers", {"text": "Ya apareció"})
    await case.ask("PATCH", path, {"state": "rejected"}, status=412, **{"If-Match": etag})
    assert (await case.ask("GET", path))["state"] == "open"
    refused = await case.ask("PATCH", path, {"state": "reopened"}, status=409)
    assert refused["type"] == "ticket-state"


async def test_an_answer_sent_twice_is_there_once(case: Case) -> None:
    ticket = await case.post("problem", LOST)
    for _ in range(2):
        await case.ask("POST", f"/v1/tickets/{ticket['id']}/answers", {"text": "Lo buscamos"})
    shown = await case.ask("GET", f"/v1/tickets/{ticket['id']}")
    assert [entry["text"] for entry in shown["entries"]] == [LOST["text"], "Lo buscamos"]
    assert len(await case.notices()) == 1


async def test_our_evidence_stands_beside_it_and_unknown_is_never_a_value(case: Case) -> None:
    ticket = await case.post("problem", LOST)
    before = (await case.ask("GET", f"/v1/tickets/{ticket['id']}"))["evidence"]
    assert (before["ended"], before["ended_m"], before["proof_m"], before["pin"]) == (None,) * 4
    assert (before["photos"], before["signature"], before["visits"]) == (0, False, [])
    await case.deliver()
    after = (await case.ask("GET", f"/v1/tickets/{ticket['id']}"))["evidence"]
    assert after["ended"] == "completed"
    assert after["ended_m"] == pytest.approx(11.1, abs=0.5)
    assert after["pin"] == "not-asked"
    assert after["door"]["known_by"] == "planner"
    seen = (await case.get("tickets"))["evidence"]
    assert seen["ended_m"] == after["ended_m"]
    assert "door" not in seen
    assert "proofs" not in seen
    await case.post("pin-drop", {"lat": 6.2482, "lon": -75.5677}, status=409)


async def test_photos_come_by_the_link_are_drawn_anew_and_shown_to_both(case: Case) -> None:
    sent = photo()
    first = await case.send_photo(sent)
    assert (await case.send_photo(sent))["id"] == first["id"], "the same file is the same photo"
    ticket = await case.post("problem", {"kind": "damaged", "text": "Llegó rota", "photos": [first["id"]]})
    (shown,) = ticket["entries"][0]["photos"]
    for url in (shown["url"], shown["thumbnail_url"]):
        response = await case.client.get(url[url.index("/v1/") :])
        picture = await response.read()
        assert response.status == 200
        assert picture.startswith(b"\xff\xd8\xff")
        assert b"Exif" not in picture
    (entry,) = (await case.ask("GET", f"/v1/tickets/{ticket['id']}"))["entries"]
    assert entry["photos"][0]["id"] == first["id"]
    wrong = shown["url"].replace("/shown", "/thumbnail")
    assert (await case.client.get(wrong[wrong.index("/v1/") :])).status == 404
    assert (await case.send_photo(b"no picture", status=422))["type"] == "proof-refused"


async def test_a_link_reads_and_changes_nothing_of_another_one(case: Case, other_account: Any) -> None:
    mine = await case.send_photo(photo())
    ticket = await case.post("problem", LOST)
    other = case.tokens[1]
    assert (await case.get("tickets", token=other))["tickets"] == []
    await case.post(f"tickets/{ticket['id']}/answers", {"text": "Hola"}, token=other, status=404)
    body = {"kind": "damaged", "text": "x", "photos": [mine["id"]]}
    await case.post("problem", body, token=other, status=422)
    for method, path, body in (
        ("GET", f"/v1/tickets/{ticket['id']}", None),
        ("PATCH", f"/v1/tickets/{ticket['id']}", {"state": "resolved"}),
        ("POST", f"/v1/tickets/{ticket['id']}/answers", {"text": "x"}),
        ("POST", "/v1/tickets", {"stop_id": case.stop, "kind": "courier", "text": "x"}),
    ):
        response = await case.client.request(method, path, json=body, headers=other_account.headers)
        assert response.status == 404, (method, path)
    response = await case.client.get("/v1/tickets", headers=other_account.headers)
    assert (await response.json())["tickets"] == []
    assert (await case.ask("GET", f"/v1/tickets/{ticket['id']}"))["version"] == 1


async def test_the_company_opens_one_for_somebody_who_called_and_finds_it(case: Case) -> None:
    made = await case.ask("POST", "/v1/tickets", {"stop_id": case.stop, "kind": "charge", "text": "Cobro doble"})
    assert (made["opened_by"], made["state"]) == ("company", "open")
    assert (await case.get("tickets"))["tickets"][0]["id"] == made["id"]
    for query, found in (
        ("state=open,reopened", 1),
        ("state=resolved", 0),
        ("kind=charge", 1),
        ("kind=courier", 0),
        (f"stop={case.stop}", 1),
        ("order=ped-1", 1),
        ("order=ped-2", 0),
        ("open=false", 0),
        ("due_before=2001-01-01T00:00:00Z", 0),
    ):
        assert len((await case.ask("GET", f"/v1/tickets?{query}"))["tickets"]) == found, query
    for query in ("state=lost", "kind=x", "open=maybe", "stop=7", "due_before=soon"):
        await case.ask("GET", f"/v1/tickets?{query}", status=422)


async def test_a_deadline_that_is_near_and_one_that_is_over_are_told_once_each(case: Case) -> None:
    ticket = await case.post("problem", LOST)
    due = datetime.fromisoformat(ticket["due_at"])
    for now in (due - timedelta(days=1), due - timedelta(hours=1), due - timedelta(minutes=1)):
        await look_at_tickets(case.pool, now=now)
    assert [one["ticket_id"] for one in await case.facts("ticket.due_soon")] == [ticket["id"]]
    assert await case.facts("ticket.overdue") == []
    for _ in range(2):
        await look_at_tickets(case.pool, now=due)
    assert len(await case.facts("ticket.overdue")) == 1
    assert len(await case.facts("ticket.due_soon")) == 1


async def test_who_never_answers_lets_a_ticket_end(case: Case) -> None:
    ticket = await case.post("problem", LOST)
    await case.ask("PATCH", f"/v1/tickets/{ticket['id']}", {"state": "waiting_for_you", "text": "¿Cuál caja?"})
    await look_at_tickets(case.pool, now=datetime.now(UTC) + WAITS_FOR_RECIPIENT - timedelta(hours=1))
    assert (await case.get("tickets"))["tickets"][0]["state"] == "waiting_for_you"
    await look_at_tickets(case.pool, now=datetime.now(UTC) + WAITS_FOR_RECIPIENT + timedelta(hours=1))
    assert (await case.get("tickets"))["tickets"][0]["state"] == "resolved"
    (told,) = await case.facts("ticket.closed")
    assert (told["by"], told["why"]) == ("clock", "no-answer")


async def test_a_link_lives_as_long_as_its_ticket(case: Case) -> None:
    await case.deliver()
    ticket = await case.post("problem", LOST)
    await case.pool.execute("UPDATE stop SET outcome_at = outcome_at - interval '60 days'")
    assert len((await case.get("tickets"))["tickets"]) == 1
    await case.post(f"tickets/{ticket['id']}/answers", {"text": "¿Y?"})
    late = await case.post("problem", {"kind": "courier", "text": "x"}, status=409)
    assert late["type"] == "too-late"
    await case.pool.execute(CLOSED, "resolved")
    await case.get("tickets", status=410)


async def test_the_contact_card_says_who_is_there_now_and_what_it_is_about(case: Case) -> None:
    assert await case.get("contact") is None
    card = {
        "timezone": "America/Bogota",
        "phone": "+5716012345",
        "whatsapp": "+573001112233",
        "email": "ayuda@example.com",
        "hours": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "open": "00:00", "close": "24:00"}],
        "closed_on_holidays": False,
    }
    await case.ask("PATCH", "/v1/account", {"brand": "Envíos del Valle", "contact": card})
    shown = await case.get("contact")
    assert shown["open_now"] is True
    assert shown["reference"] == "ped-1"
    assert shown["links"]["tel"] == "tel:+5716012345"
    assert shown["links"]["whatsapp"].startswith("https://wa.me/573001112233?text=Hola")
    assert "ped-1" in shown["links"]["whatsapp"]
    assert shown["links"]["mail"].startswith("mailto:ayuda@example.com?subject=Env%C3%ADos%20del%20Valle%20ped-1&body=")
    await case.ask("PATCH", "/v1/account", {"contact": card | {"hours": []}})
    assert (await case.get("contact"))["open_now"] is None, "without hours nothing is promised"
    for bad, field in (
        ({"timezone": "Bogota"}, "/contact/timezone"),
        ({"email": "nobody"}, "/contact/email"),
        ({"phone": "6012345"}, "/contact/phone"),
        ({"hours": [{"days": ["mon"], "open": "18:00", "close": "08:00"}]}, "/contact/hours/0/close"),
    ):
        problem = await case.ask("PATCH", "/v1/account", {"contact": card | bad}, status=422)
        assert [one["at"] for one in problem["errors"]] == [field]


async def test_a_company_may_not_offer_it(case: Case) -> None:
    await case.ask("PATCH", "/v1/account", {"recipient_may_not": ["problem"]})
    assert (await case.post("problem", LOST, status=403))["type"] == "not-offered"
