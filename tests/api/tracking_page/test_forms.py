"""The forms of the page as a browser without scripts sends them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.driver.driver_day import event
from tests.api.portal.conftest import Recipient

FORM = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "es"}


async def send(recipient: Recipient, token: str, change: str, data: Any, **headers: str) -> Any:
    return await recipient.client.post(f"/t/{token}/{change}", data=data, headers=FORM | headers, allow_redirects=False)


async def page(recipient: Recipient, path: str) -> str:
    response = await recipient.client.get(f"/t/{path}", headers={"Accept-Language": "es"})
    assert response.status == 200, response.status
    return await response.text()  # type: ignore[no-any-return]


async def test_what_is_possible_and_until_when_is_said_before(recipient: Recipient) -> None:
    html = await page(recipient, f"{recipient.ana}/instructions")
    assert "El repartidor las lee antes de llegar" in html
    assert re.search(r'class="until">(Cierra: \d|Hasta que llegue)', html)
    assert 'method="post"' in html


async def test_instructions_reach_the_driver_and_are_said_back_without_codes(recipient: Recipient) -> None:
    response = await send(recipient, recipient.ana, "instructions", {"text": "Timbre 3,\r\ncódigo 4711"})
    assert (response.status, response.headers["Location"]) == (303, f"/t/{recipient.ana}#heard")
    html = await page(recipient, recipient.ana)
    assert "Indicaciones: Timbre •,\ncódigo ••••" in html
    assert "4711" not in html
    assert "Le llega al repartidor cuando su teléfono se conecte" in html
    assert "código 4711" in str(await recipient.manifest())
    html = await page(recipient, recipient.ana)
    assert "El repartidor ya lo tiene en su teléfono" in html
    await send(recipient, recipient.ana, "instructions", {"text": "Timbre 4"})
    assert "El repartidor ya lo tiene" not in await page(recipient, recipient.ana)


async def test_a_mistake_is_said_at_the_field_and_keeps_what_was_typed(recipient: Recipient) -> None:
    response = await send(recipient, recipient.ana, "safe-place", {"text": "<b>" + "x" * 600})
    html = await response.text()
    assert response.status == 422
    assert 'id="text-error">Escribe el lugar' in html
    assert 'aria-describedby="text-hint text-error"' in html
    assert 'href="#text"' in html
    assert "&lt;b&gt;" + "x" * 600 in html
    empty = await send(recipient, recipient.ana, "safe-place", {"text": " \n "})
    assert empty.status == 422
    assert await recipient.facts("stop.instructed") == []


async def test_a_door_is_a_proposal_with_its_distance(recipient: Recipient) -> None:
    stop = (await recipient.route())["stops"][0]
    near = {"lat": str(stop["lat"] + 0.0003), "lon": str(stop["lon"])}
    assert (await send(recipient, recipient.ana, "pin-drop", near)).status == 303
    assert re.search(r"La puerta está a 3[34] m de la dirección", await page(recipient, recipient.ana))
    for wrong in ({"lat": "7", "lon": "1"}, {"lat": "", "lon": ""}, {"lat": "nan", "lon": "x"}, {}):
        response = await send(recipient, recipient.ana, "pin-drop", wrong)
        assert response.status == 422, wrong
        assert 'id="door-error"' in await response.text()


async def test_a_rating_is_given_once_and_thanked_for(recipient: Recipient) -> None:
    early = await recipient.client.get(f"/t/{recipient.ana}/rating", headers=FORM)
    assert "Podrás hacerlo cuando esté entregado" in await early.text()
    stop = recipient.phone.stops[0]
    await recipient.phone.say(event("arrived", 20, stop), event("completed", 21, stop))
    none = await send(recipient, recipient.ana, "rating", {"text": "Muy amable"})
    assert none.status == 422
    assert "Elige de 1 a 5." in await none.text()
    assert ">Muy amable</textarea>" in await none.text()
    stars = {"stars": "5", "reasons": ["on_time", "kind"], "text": "Muy amable"}
    assert (await send(recipient, recipient.ana, "rating", stars)).status == 303
    html = await page(recipient, recipient.ana)
    assert "Tu calificación: 5 de 5. Gracias." in html
    assert "amable" not in html.replace("Trato amable", "")
    again = await send(recipient, recipient.ana, "rating", stars)
    assert again.status == 409
    assert "Ya la calificaste" in await again.text()
    (rating,) = (await (await recipient.client.get("/v1/ratings", headers=recipient.account.headers)).json())["ratings"]
    assert (rating["stars"], rating["reasons"], rating["text"]) == (5, ["kind", "on_time"], "Muy amable")


async def test_what_is_closed_says_why_and_what_is_possible_instead(recipient: Recipient) -> None:
    html = await page(recipient, f"{recipient.shop}/safe-place")
    assert "tiene que recibirlo quien paga" in html
    assert "Todavía puedes:" in html
    assert f'href="/t/{recipient.shop}/instructions"' in html
    refused = await send(recipient, recipient.shop, "safe-place", {"text": "Portería"})
    assert refused.status == 403
    assert "<form" not in await refused.text()
    assert "tiene que recibirlo quien paga" in await page(recipient, recipient.shop)


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://other.example"}]
)
async def test_no_other_site_may_post(recipient: Recipient, headers: dict[str, str]) -> None:
    response = await recipient.client.post(
        f"/t/{recipient.ana}/instructions", data={"text": "x"}, headers=headers, allow_redirects=False
    )
    assert response.status == 403
    assert await recipient.changes(recipient.phone.stops[0]) == []


async def test_a_browser_that_says_nothing_of_sites_may_post(recipient: Recipient) -> None:
    for headers in ({}, {"Origin": "null"}):
        response = await recipient.client.post(
            f"/t/{recipient.ana}/instructions", data={"text": "x"}, headers=headers, allow_redirects=False
        )
        assert response.status == 303


async def test_nothing_changes_by_looking(recipient: Recipient) -> None:
    for change in ("instructions", "safe-place", "pin-drop", "rating"):
        await page(recipient, f"{recipient.ana}/{change}?text=x&lat=1&lon=1&stars=5")
    assert await recipient.changes(recipient.phone.stops[0]) == []


async def test_too_many_posts_are_told_when_to_come_back(recipient: Recipient, monkeypatch: Any) -> None:
    monkeypatch.setattr("api.portal.limits.POSTS_OF_A_LINK", 1)
    await send(recipient, recipient.ana, "instructions", {"text": "x"})
    busy = await send(recipient, recipient.ana, "instructions", {"text": "Portón verde"})
    assert busy.status == 429
    html = await busy.text()
    assert re.search(r"Espera \d+ minutos? y envíalo otra vez", html)
    assert "Portón verde" in html


async def test_what_is_no_form_of_ours_is_refused(recipient: Recipient) -> None:
    for data in (b"\xff=\xff", b"&".join(b"a=1" for _ in range(100)), b"x" * 30_000):
        assert (await send(recipient, recipient.ana, "instructions", data)).status in (400, 413, 422)
    assert (await send(recipient, recipient.ana, "charge", {"text": "x"})).status == 404
    assert (await send(recipient, "unknown-token-unknown", "instructions", {"text": "x"})).status == 404
    assert (await recipient.client.get("/t/unknown-token-unknown/instructions")).status == 404


async def test_the_language_that_was_chosen_stays(recipient: Recipient) -> None:
    response = await recipient.client.post(
        f"/t/{recipient.ana}/instructions?lang=pt", data={"text": "x"}, headers=FORM, allow_redirects=False
    )
    assert response.headers["Location"] == f"/t/{recipient.ana}?lang=pt#heard"
    html = await (await recipient.client.get(f"/t/{recipient.ana}?lang=pt", headers=FORM)).text()
    assert f'href="/t/{recipient.ana}/instructions?lang=pt"' in html


NEIGHBOUR = {"name": "Rosa Vélez", "address": "Apto 302"}


async def test_what_needs_a_code_asks_for_it_in_the_same_form(recipient: Recipient) -> None:
    assert "enviamos un código a tu contacto" in await page(recipient, f"{recipient.ana}/neighbour")
    asked = await send(recipient, recipient.ana, "neighbour", NEIGHBOUR)
    html = await asked.text()
    assert asked.status == 403
    assert "Enviamos un código a …33. Vale 10 minutos." in html
    assert 'value="Rosa Vélez"' in html, "what was typed is kept"
    right = (await recipient.sent(recipient.ana))["Reparto-Code"]
    for code, said in (
        ("", "Escribe el código que recibiste."),
        (f"{(int(right) + 1) % 10**6:06d}", "Ese no es el código"),
    ):
        again = await send(recipient, recipient.ana, "neighbour", NEIGHBOUR | {"code": code})
        assert again.status == 403
        assert said in await again.text()
    done = await send(recipient, recipient.ana, "neighbour", NEIGHBOUR | {"code": f"{right[:3]} {right[3:]}"})
    assert done.status == 303
    html = await page(recipient, recipient.ana)
    assert "También puede recibirlo: Rosa" in html
    assert "Vélez" not in html


async def test_another_code_is_sent_when_it_is_asked_for(recipient: Recipient) -> None:
    await send(recipient, recipient.ana, "neighbour", NEIGHBOUR)
    first = await recipient.sent(recipient.ana)
    again = await send(recipient, recipient.ana, "neighbour", NEIGHBOUR | {"code": "", "again": "1"})
    assert "Enviamos un código a …33" in await again.text()
    assert await recipient.sent(recipient.ana) != first


async def test_another_time_is_chosen_among_those_that_are_free(recipient: Recipient) -> None:
    assert "no hay horarios libres" in await page(recipient, f"{recipient.ana}/slot")
    start = (datetime.now(UTC) + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    slot = await recipient.slot(start)
    assert f'value="{slot}"' in await page(recipient, f"{recipient.ana}/slot")
    await send(recipient, recipient.ana, "slot", {"slot_id": slot})
    code = (await recipient.sent(recipient.ana))["Reparto-Code"]
    assert (await send(recipient, recipient.ana, "slot", {"slot_id": slot, "code": code})).status == 303
    off = await recipient.client.get(f"/t/{recipient.ana}", headers=FORM)
    assert "Cambiaste el horario" in await off.text(), "it is off its tour, and not on another one yet"
    assert "Nuevo horario: " in await off.text()
