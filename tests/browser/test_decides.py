"""A recipient decides by the forms of the page, on a phone without scripts: each reaches the company and the driver."""

import re
from datetime import timedelta
from typing import Any

import pytest
from yarl import URL

from api.http.app_keys import PROOFS
from api.planning import orders
from api.returns import by_link as returns_by_link
from api.returns import company as returns
from api.tickets import by_link as tickets_by_link
from api.tickets import company as tickets
from api.tickets import photos
from api.tracking_page import asides
from tests.api import conftest as of_api
from tests.api.driver.driver_day import event
from tests.api.portal import conftest as of_portal
from tests.api.portal.conftest import Recipient
from tests.api.portal.test_slots import LATER
from tests.api.proofs.pictures import photo
from tests.api.tickets import conftest as of_tickets
from tests.browser.waiting import until

account, bearer, client, phone, put_route = of_api.account, of_api.bearer, of_api.client, of_api.phone, of_api.put_route
make_driver, make_device, remembers, roads = of_api.make_driver, of_api.make_device, of_api.remembers, of_api.roads
stream_clients, tour, base_parts = of_api.stream_clients, of_api.tour, of_api.app_parts
proof_store, recipient = of_tickets.proof_store, of_portal.recipient

PHONE = {"viewport": {"width": 360, "height": 780}, "is_mobile": True, "has_touch": True}
KIOSK = {"name": "Kiosco", "address": "Cl. 52 # 44-10", "lat": 6.2487, "lon": -75.5655, "opening_hours": "8 a 20"}


@pytest.fixture
def app_parts(base_parts: list[Any], proof_store: Any) -> list[Any]:
    from api.proofs.uploads import form

    modules = (asides, form, tickets_by_link, tickets, photos, returns_by_link, returns, orders)
    put = [lambda app: app.__setitem__(PROOFS, proof_store)]
    with_portal: list[Any] = of_portal.app_parts.__wrapped__(base_parts)
    return [*put, *with_portal, *(one.operations.add_to for one in modules)]


class Hands:
    """One of the recipients, with the page of their link."""

    def __init__(self, page: Any, recipient: Recipient, token: str) -> None:
        self.page, self.recipient, self.token = page, recipient, token
        self.url = str(recipient.client.make_url(f"/t/{token}"))

    async def opens(self, path: str = "") -> str:
        await self.page.goto(self.url + path)
        return str(await self.page.inner_text("main"))

    async def sends(self) -> None:
        await self.page.click(".send")

    async def sends_with_code(self) -> None:
        """Send; the code that comes to their phone goes into the same form."""
        await self.sends()
        await self.page.wait_for_selector("#code")
        await self.page.fill("#code", (await self.recipient.sent(self.token))["Reparto-Code"])
        await self.sends()

    async def reads(self) -> str:
        await self.page.wait_for_url(re.compile(r"/t/[\w-]+(\?lang=\w+)?#heard"))
        return str(await self.page.inner_text("main"))

    async def chooses(self, words: str) -> None:
        await self.page.click(f"label:has-text('{words}')")


async def test_place_person_and_time_are_changed_with_a_code(browser: Any, recipient: Recipient, pool: Any) -> None:
    await pool.execute("UPDATE stop SET phone = '+573009998877' WHERE cash_amount IS NULL")
    ask, headers = recipient.client, recipient.account.headers
    await ask.post("/v1/pickup-points", json=KIOSK, headers=headers)
    near, far = await recipient.slot(LATER), await recipient.slot(LATER + timedelta(hours=3))
    version = (await recipient.manifest())["version"]
    context = await browser.new_context(**PHONE, locale="es-CO", java_script_enabled=False)
    page = await context.new_page()
    ana, third, fourth = (Hands(page, recipient, recipient.tokens[place]) for place in (0, 2, 3))

    await ana.opens("/slot")
    await page.check(f"input[value='{near}']", force=True)
    await ana.sends_with_code()
    assert "Cambiaste el horario" in await ana.reads()
    await ana.opens("/slot")
    await page.check(f"input[value='{far}']", force=True)
    await ana.sends_with_code()
    assert "Nuevo horario" in await ana.reads()
    assert {one: shown["booked"] for one, shown in (await recipient.slots()).items()} == {near: 0, far: 1}
    assert recipient.phone.stops[0] in str((await recipient.manifest(version))["removed"])

    await third.opens("/contact")
    await page.fill("#phone", "300")
    await third.sends_with_code()
    assert "Ese número no se puede usar" in await page.inner_text("#phone-error")
    await page.fill("#phone", "+57 300 555 4433")
    await third.sends()
    assert "Tu contacto cambió" in await third.reads()
    await third.opens("/address")
    await page.fill("#address", "Donde mi tía")
    await third.sends_with_code()
    assert "La empresa revisa la nueva dirección" in await third.reads()
    listed = await (await ask.get("/v1/changes?state=proposed", headers=headers)).json()
    place, moved = {"lat": 6.26, "lon": -75.57}, f"/v1/stops/{recipient.phone.stops[2]}"
    path = f"{moved}/changes/{listed['changes'][0]['id']}/approve"
    assert (await ask.post(path, json=place, headers=headers)).status == 200
    assert "Nueva dirección recibida" in await third.opens()

    await fourth.opens("/pickup-point")
    await fourth.chooses("Kiosco")
    await fourth.sends_with_code()
    assert "Va a un punto de recogida" in await fourth.reads()
    told = (await recipient.manifest(version))["changed"]
    seen = {one["id"]: one["address"] for one in told}
    assert seen[recipient.phone.stops[2]] == "Donde mi tía"
    assert seen[recipient.phone.stops[3]].startswith("Kiosco")
    await context.close()


async def test_a_report_is_answered_and_a_return_is_fetched_tomorrow(
    browser: Any, recipient: Recipient, tour: dict[str, Any], put_route: Any, pool: Any
) -> None:
    stop, headers, ask = recipient.phone.stops[0], recipient.account.headers, recipient.client
    await recipient.phone.say(event("arrived", 20, stop), event("completed", 21, stop))
    context = await browser.new_context(**PHONE, locale="es-CO", java_script_enabled=False)
    page = await context.new_page()
    ana = Hands(page, recipient, recipient.ana)

    await ana.opens("/problem")
    await ana.chooses("Llegó dañado")
    await page.fill("textarea", "La caja está rota")
    file = {"name": "caja.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    await page.set_input_files("input[type=file]", [file])
    await ana.sends()
    assert "Recibido" in await ana.reads()
    (ticket,) = (await (await ask.get("/v1/tickets", headers=headers)).json())["tickets"]
    assert len(ticket["entries"][0]["photos"]) == 1
    path = f"/v1/tickets/{ticket['id']}/answers"
    said = {"text": "¿Y lo de adentro?", "state": "waiting_for_you"}
    assert (await ask.post(path, json=said, headers=headers)).status == 201
    assert "¿Y lo de adentro?" in await ana.opens()
    await page.click("a:text('Ver y responder')")
    await until(page, "document.images.length == 1 && document.images[0].naturalWidth > 0")
    await page.fill("textarea", "También roto")
    await ana.sends()
    assert "En revisión" in await ana.reads()

    await ana.opens("/return")
    await ana.chooses("Llegó dañado")
    await ana.sends()
    assert "Pedida" in await ana.reads()
    (asked,) = (await (await ask.get("/v1/returns", headers=headers)).json())["returns"]
    approved = await (await ask.post(f"/v1/returns/{asked['id']}/approve", headers=headers)).json()
    name, version = approved["pickup"]["order"], (await recipient.manifest())["version"]
    tomorrow = {"driver": "ana", "date": LATER.date().isoformat(), "start_at": LATER.isoformat()}
    tomorrow |= {"end_at": (LATER + timedelta(hours=6)).isoformat()}
    fetched = tour["stops"][0] | {"external_id": name, "kind": "pickup", "proof": []}
    put = await put_route(ask, recipient.account.key, route="tour-2", **tomorrow, stops=[fetched])
    await pool.execute("UPDATE delivery_order SET state = 'assigned', route_id = $1", int(put["id"].strip("rt_")))
    assert put["stops"][0]["id"] in str(await recipient.manifest(version))
    assert f"Aprobada\nPasamos a recogerlo el {LATER:%d/%m/%Y}" in await ana.opens()
    label = await page.get_attribute("a:text('Descargar la etiqueta')", "href")
    assert (await (await ask.get(URL(label).path)).read()).startswith(b"%PDF")
    await page.click("a:text('Ya no quiero devolverlo')")
    await ana.sends()
    assert "Ya va un vehículo a recogerlo" in await page.inner_text("#summary")
    await context.close()
