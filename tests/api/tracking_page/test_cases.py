"""Reports, returns and the way to a person, on the page as a browser without scripts shows it."""

from typing import Any

import pytest

from api.returns import by_link as returns
from api.tracking_page import changing, endpoints
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
    modules = (returns, endpoints, changing)
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
