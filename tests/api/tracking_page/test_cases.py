"""Reports, returns and the way to a person, on the page as a browser without scripts shows it."""

import re
from typing import Any

import pytest
from aiohttp import FormData

from api.returns import by_link as returns
from api.tracking_page import asides, changing, endpoints
from tests.api.proofs.pictures import photo
from tests.api.tickets.conftest import Case, case, parts, proof_store  # noqa: F401 (fixtures)
from work.proofs.store import ProofStore

FORM = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "es"}
CARD = {
    "timezone": "America/Bogota",
    "phone": "+576045551234",
    "whatsapp": "+573001112233",
    "email": "hola@sur.example",
}


@pytest.fixture
def app_parts(app_parts: list[Any], proof_store: ProofStore) -> list[Any]:  # noqa: F811
    modules = (returns, endpoints, changing, asides)
    return [*parts(app_parts, proof_store), *(one.operations.add_to for one in modules)]


async def send(case: Case, change: str, data: Any) -> Any:  # noqa: F811
    path = f"/t/{case.tokens[0]}/{change}"
    return await case.client.post(path, data=data, headers=FORM, allow_redirects=False)


async def page(case: Case) -> str:  # noqa: F811
    response = await case.client.get(f"/t/{case.tokens[0]}", headers=FORM)
    assert response.status == 200, await response.text()
    return await response.text()  # type: ignore[no-any-return]


async def test_a_report_is_made_by_its_form_and_shown_with_what_became_of_it(case: Case) -> None:  # noqa: F811
    empty = await send(case, "problem", {"kind": "", "text": ""})
    assert empty.status == 422
    assert 'href="#kind">Elige una.' in await empty.text()
    assert (await send(case, "problem", {"kind": "not_received", "text": "No llegó nada"})).status == 303
    html = await page(case)
    assert "Tus reportes" in html
    assert "<span>No llegó</span><small>Recibido. Respuesta: " in html


async def test_a_return_is_asked_for_by_its_form(case: Case) -> None:  # noqa: F811
    await case.deliver()
    assert (await send(case, "return", {"reason": "wrong_size", "text": ""})).status == 303
    assert "<span>Devolución</span><small>Pedida</small>" in await page(case)
    again = await case.client.get(f"/t/{case.tokens[0]}/return", headers=FORM)
    assert "Ya pediste la devolución." in await again.text()


async def test_the_way_to_a_person_names_what_it_is_about(case: Case) -> None:  # noqa: F811
    assert "¿Necesitas ayuda?" not in await page(case)
    changed = await case.client.patch("/v1/account", json={"contact": CARD}, headers=case.account.headers)
    assert changed.status == 200, await changed.text()
    html = await page(case)
    assert "¿Necesitas ayuda?" in html
    for link in (
        'href="tel:+576045551234"',
        'href="https://wa.me/573001112233?text=',
        'href="mailto:hola@sur.example?',
    ):
        assert link in html


def with_photos(fields: dict[str, str], *photos: bytes) -> FormData:
    """What a browser sends of a form with a field for photos; one without a choice is an empty file."""
    form = FormData()
    for name, value in fields.items():
        form.add_field(name, value)
    for content in photos or (b"",):
        form.add_field("file", content, filename="foto.jpg" if content else "", content_type="image/jpeg")
    return form


async def test_a_report_with_photos_is_answered_with_another(case: Case) -> None:  # noqa: F811
    said = {"kind": "damaged", "text": "Llegó roto", "photos": ""}
    assert (await send(case, "problem", with_photos(said, photo(), photo(300, 200)))).status == 303
    (ticket,) = (await case.get("tickets"))["tickets"]
    assert len(ticket["entries"][0]["photos"]) == 2
    await case.ask("POST", f"/v1/tickets/{ticket['id']}/answers", {"text": "¿Y la caja?", "state": "waiting_for_you"})
    assert f'href="/t/{case.tokens[0]}/tickets/{ticket["id"]}">Ver y responder' in await page(case)

    path = f"tickets/{ticket['id']}"
    opened = await (await case.client.get(f"/t/{case.tokens[0]}/{path}", headers=FORM)).text()
    assert opened.count("<img ") == 2
    assert "La empresa · " in opened
    assert "¿Y la caja?" in opened
    wrong = await send(case, path, with_photos({"text": "Esta es", "photos": ""}, photo(200, 300), b"not a picture"))
    html = await wrong.text()
    assert wrong.status == 422
    assert 'id="photos-error">Esa foto no se puede leer' in html
    assert ">Esta es</textarea>" in html
    assert "Fotos ya guardadas: 1" in html
    (kept,) = re.findall(r'name="photos" value="(ph_\d+)"', html)
    assert (await send(case, path, with_photos({"text": "Esta es", "photos": kept}))).status == 303
    (ticket,) = (await case.get("tickets"))["tickets"]
    assert [one["text"] for one in ticket["entries"]] == ["Llegó roto", "¿Y la caja?", "Esta es"]
    assert [one["id"] for one in ticket["entries"][2]["photos"]] == [kept]
    assert ticket["state"] == "in_review"
    assert (await case.client.get(f"/t/{case.tokens[0]}/tickets/tk_999", headers=FORM)).status == 404
    assert (await case.client.get(f"/t/{case.tokens[1]}/{path}", headers=FORM)).status == 404
    foreign = {**FORM, "Sec-Fetch-Site": "cross-site"}
    stolen = await case.client.post(f"/t/{case.tokens[0]}/{path}", data={"text": "x"}, headers=foreign)
    assert stolen.status == 403


async def test_a_return_is_taken_back_after_asking_once(case: Case) -> None:  # noqa: F811
    await case.deliver()
    assert (
        await send(case, "return", with_photos({"reason": "damaged", "text": "", "photos": ""}, photo()))
    ).status == 303
    (asked,) = (await case.get("returns"))["returns"]
    assert len(asked["photos"]) == 1
    path = f"returns/{asked['id']}/cancel"
    assert f'{path}">Ya no quiero devolverlo' in await page(case)
    opened = await case.client.get(f"/t/{case.tokens[0]}/{path}", headers=FORM)
    assert "¿Retirar la devolución?" in await opened.text()
    assert (await case.get("returns"))["returns"][0]["state"] == "requested"
    assert (await send(case, path, {})).status == 303
    assert "<span>Devolución</span><small>Retirada</small>" in await page(case)
    closed = await (await case.client.get(f"/t/{case.tokens[0]}/{path}", headers=FORM)).text()
    assert "ya no se puede retirar" in closed
    assert "<form" not in closed
    assert (await case.client.get(f"/t/{case.tokens[0]}/returns/re_999/cancel", headers=FORM)).status == 404
