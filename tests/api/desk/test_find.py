"""One search: whatever somebody on the phone says leads to their delivery, and to nobody else's."""

from typing import get_args

import pytest

from api.certificate.told import ToldOutcome
from api.desk.alerts import Severity
from api.desk_page import endpoints, find, stop
from api.desk_page.story import Story
from api.http.app_keys import PROOFS
from api.messages.listing import State as MessageState
from api.pages.catalog import LANGUAGES, day_texts
from api.planning.orders import State as OrderState
from api.routes.view import RouteStatus, StopKind, StopStatus
from api.tickets.case import TicketState
from sql.account.settings import TicketKind
from sql.desk.search import digits_of
from tests.api.desk.desk import make_user, signed_in
from work.desk.alerts import OPENS
from work.messages.rules.kinds import Channel, Kind


@pytest.fixture
def app_parts(app_parts, tmp_path):
    from work.proofs.config import ProofConfig
    from work.proofs.store import open_proof_store

    async def proofs(app):
        async with open_proof_store(ProofConfig(), folder=tmp_path) as app[PROOFS]:
            yield

    return [
        lambda app: app.cleanup_ctx.append(proofs),
        *app_parts,
        *(module.operations.add_to for module in (endpoints, find, stop)),
    ]


async def test_what_somebody_says_leads_to_their_delivery_and_to_nobody_elses(
    client, account, other_account, pool, put_route
):
    first = (await put_route(client, account.key))["stops"]
    await put_route(client, other_account.key)
    mine = await signed_in(pool, account.id, await make_user(pool, account.id, role="support"))

    async def found(said):
        response = await client.get("/desk/find", params={"q": said, "lang": "en"}, headers=mine, allow_redirects=False)
        where = response.headers.get("Location", "").removeprefix("/desk/stops/").removesuffix("?lang=en")
        return where or await response.text()

    ana, hardware = first[0]["id"], first[1]["id"]
    for said in ("ped-1", "MDE0001", "+57 300 111 22 33", "300-1112233", "0300 1112233", "restrepo ana", "Apto 301"):
        assert await found(said) == ana, said
    for said in ("ferreteria", "TORNILLO", "cl 52 43"):
        assert await found(said) == hardware, said
    several = await found("cra")  # Ana's street, and the workshop's
    assert "Ana Restrepo" in several
    assert "Taller Laureles" in several
    for said in ("ped-9", "%", "' & !", "<b>", "12", "a:* | b"):
        text = await found(said)
        assert "/desk/stops/" not in text, said
        assert "<b>" not in text
    assert "nobody" not in await found("")
    page = await client.get(f"/desk/stops/{ana}", headers=mine)
    assert page.status == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    theirs = (await (await client.get("/v1/routes/tour-1", headers=other_account.headers)).json())["stops"][0]["id"]
    assert (await client.get(f"/desk/stops/{theirs}", headers=mine)).status == 404
    assert (await client.get("/desk/stops/st_0", headers=mine)).status == 404
    desk = await client.get("/desk", headers=mine, allow_redirects=False)
    assert (desk.status, desk.headers["Location"]) == (303, "/desk/find?lang=es")
    stranger = await client.get(f"/desk/stops/{ana}?lang=pt", allow_redirects=False)
    assert (stranger.status, stranger.headers["Location"]) == (303, "/desk?lang=pt")


async def test_a_second_try_of_an_order_is_found_first_and_names_the_earlier_one(client, account, pool, put_route):
    await put_route(client, account.key, "lunes")
    later = {"date": "2026-03-03", "start_at": "2026-03-03T08:00:00-05:00", "end_at": "2026-03-03T14:00:00-05:00"}
    second = (await put_route(client, account.key, "martes", **later))["stops"][0]["id"]
    mine = await signed_in(pool, account.id, await make_user(pool, account.id, role="viewer"))
    response = await client.get("/desk/find?q=ped-1&lang=es", headers=mine)
    assert response.url.path == f"/desk/stops/{second}"
    text = await response.text()
    assert "Otros intentos" in text
    assert "lunes" in text
    assert "Los mensajes los ven" in text  # viewers see none


@pytest.mark.parametrize(
    ("said", "digits"),
    [("+57 300 111-22.33", "573001112233"), ("(0300) 111 22", "30011122"), ("4711", None), ("Ana 3001112", None)],
)
def test_a_phone_is_told_from_other_numbers(said, digits):
    assert digits_of(said) == digits


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_day_is_there_in_every_language(language):
    words, others = day_texts(language), day_texts("en")
    assert {about: said.keys() for about, said in words.items()} == {
        about: said.keys() for about, said in others.items()
    }
    assert all(text.strip() for said in words.values() for text in said.values())
    for about, kinds in (
        ("stop_status", StopStatus),
        ("stop_kind", StopKind),
        ("tour_status", RouteStatus),
        ("order_state", OrderState),
        ("message_state", MessageState),
        ("message_kind", Kind),
        ("channel", Channel),
        ("ticket_kind", TicketKind),
        ("severity", Severity),
        ("ticket_state", TicketState),
    ):
        assert words[about].keys() >= set(get_args(kinds)), about
    assert words["alert_type"].keys() == {one.type.replace(".", "_") for one in OPENS}


@pytest.mark.parametrize(
    ("code", "said"),
    [("not_home", "No había nadie"), ("gate_broken", "Un motivo que no está en la lista: gate broken")],
)
def test_a_reason_that_the_account_does_not_list_is_said_in_words(code, said):
    story = Story(words=day_texts("es"), manner=None, now=None, pen=None)
    assert story.reason(ToldOutcome(ended="failed", reason=code, is_code=True)) == said
    assert story.reason(ToldOutcome(ended="failed", reason="Perro suelto")) == "Perro suelto"
