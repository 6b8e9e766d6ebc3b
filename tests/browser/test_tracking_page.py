"""What a recipient sees in their browser."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.http.config import ApiConfig
from api.tracking_page import endpoints
from tests.browser.conftest import Site
from tests.browser.waiting import SOON_MS, until
from tests.zones import zone_where_it_is

WIDTH = 360
PHONE = {"viewport": {"width": WIDTH, "height": 740}, "is_mobile": True, "has_touch": True}


@pytest.fixture
async def phone(browser: Any, site: Site) -> AsyncIterator[Any]:
    """A page of a small phone in Colombia; whatever its console complains about fails the test.

    It needs the site so that it is closed before the site's server stops.
    """
    context = await browser.new_context(**PHONE, locale="es-CO", timezone_id="America/Bogota")
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
    yield page
    await context.close()
    assert [line for line in complaints if "status of 410" not in line and "status of 404" not in line] == []


@pytest.fixture
def zone_of_route(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are written in the route's zone, whatever the place of the door."""
    monkeypatch.setattr(endpoints, "zone_at", lambda lat, lon, otherwise: otherwise)


async def text_of(page: Any, selector: str) -> str:
    return str(await page.text_content(selector)).strip()


async def van_at(page: Any) -> Any:
    return await page.evaluate("document.querySelector('.van').getBoundingClientRect().toJSON()")


async def test_the_next_recipient_sees_when_who_and_where(phone: Any, site: Site) -> None:
    await phone.goto(site.page_of(0))
    assert await text_of(phone, "#headline") == "Eres la próxima parada"
    window = await text_of(phone, "#eta-window")
    assert re.fullmatch(r"\d{1,2}:\d\d\s*([ap]\.\s?m\.)?\s*[–a-]\s*\d{1,2}:\d\d\s[ap]\.\s?m\.", window), window
    assert "Marta trae tu pedido" in await text_of(phone, "#driver")
    await phone.wait_for_selector("#map .van")
    assert await phone.is_visible("#map .here")
    assert await phone.locator("#map .ahead").count() == 1
    assert not await phone.is_visible("#scene")


async def width_of(page: Any) -> int:
    return int(await page.evaluate("document.documentElement.scrollWidth"))


async def test_the_page_fits_a_small_phone(phone: Any, site: Site) -> None:
    for place in (0, 3):
        await phone.goto(site.page_of(place))
        assert await width_of(phone) == WIDTH


@pytest.mark.usefixtures("zone_of_route")
@pytest.mark.parametrize(
    ("hour", "hours_ahead", "wanted"),
    [
        (12, 12, "11:40 p. m. – 12:20 a. m."),
        (22, 2, "11:40 p. m. – 12:20 a. m."),
        (23, 2, "12:40 – 1:20 a. m."),
        (12, 36, r"\w+, \d+ de \w+, 11:40 p. m. – 12:20 a. m."),
    ],
    ids=["tonight", "soon", "soon after midnight", "tomorrow night"],
)
async def test_a_window_past_midnight_is_two_times_not_two_dates(
    phone: Any, site: Site, hour: int, hours_ahead: int, wanted: str
) -> None:
    """In a zone where it is that hour now; ahead of its beginning."""
    now = datetime.now(UTC)
    await site.tour.change_route(timezone=zone_where_it_is(hour, now))
    expected = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours_ahead)
    await site.tour.expect({0: expected}, as_of=now, either_way=timedelta(minutes=20))
    await phone.goto(site.page_of(0))
    assert re.fullmatch(wanted, re.sub(r"\s", " ", await text_of(phone, "#eta-window")))
    assert await width_of(phone) == WIDTH


async def test_a_promise_over_days_names_both(phone: Any, site: Site) -> None:
    await site.tour.pool.execute(
        "UPDATE stop SET window_start = $2, window_end = $3 WHERE id = $1",
        site.tour.stop_ids[3],
        datetime(2026, 3, 2, 14, tzinfo=UTC),
        datetime(2026, 3, 4, 22, tzinfo=UTC),
    )
    await phone.goto(site.page_of(3))
    promised = await text_of(phone, "#promised span")
    assert re.search(r"lun\D+2\s.*9:00.*mié\D+4\s.*5:00", promised), promised
    assert promised.removeprefix("Horario acordado: ").count(" ") == 4  # else a line may begin with "p. m."
    assert await width_of(phone) == WIDTH


@pytest.mark.usefixtures("zone_of_route")
async def test_one_o_clock_is_singular(phone: Any, site: Site) -> None:
    now = datetime.now(UTC)
    await site.tour.pool.execute("UPDATE route SET timezone = $1", zone_where_it_is(13, now))
    await site.tour.change_stop(0, status="completed", outcome_at=now.replace(minute=0))
    await phone.goto(site.page_of(0))
    assert re.sub(r"\s", " ", await text_of(phone, "#more")) == "Fue hoy a la 1:00 p. m."


async def test_the_van_moves_and_the_eta_changes_when_a_ping_comes(phone: Any, site: Site) -> None:
    async with phone.expect_response(re.compile("/stream$"), timeout=SOON_MS):
        await phone.goto(site.page_of(0))
    await phone.wait_for_selector("#map .van")
    before = await van_at(phone)
    window = await text_of(phone, "#eta-window")
    now = datetime.now(UTC)
    await site.tour.see_van(260, at=now, heading_deg=90.0)
    await site.tour.expect({n: now + timedelta(minutes=31 + 12 * n) for n in range(4)}, as_of=now)
    await site.tour.tell()
    await until(phone, "window => document.querySelector('#eta-window').textContent !== window", window)
    await until(
        phone,
        "before => document.querySelector('.van').getBoundingClientRect().y < before - 5",
        before["y"],
    )
    await until(phone, "() => document.querySelector('.van .turn').style.transform === 'rotate(90deg)'")


async def test_who_is_far_down_the_tour_sees_the_way_not_the_van(phone: Any, site: Site) -> None:
    now = datetime.now(UTC)
    await site.tour.expect({n: now + timedelta(minutes=40 * (n + 1)) for n in range(4)}, as_of=now)
    await phone.goto(site.page_of(3))
    assert await text_of(phone, "#headline") == "Tu pedido está en camino"
    assert "Faltan 3 paradas antes de la tuya" in await text_of(phone, "#more")
    assert not await phone.is_visible("#map")
    assert await phone.is_visible("#scene")
    assert await phone.locator(".dots circle").count() == 3


@pytest.mark.usefixtures("zone_of_route")
async def test_the_whole_way_of_a_delivery(phone: Any, site: Site) -> None:
    """Planned, on its way, at the door, delivered, over: without a reload until the link ends."""
    tour, now = site.tour, datetime.now(UTC)
    headline = "wanted => document.querySelector('h1').textContent === wanted"
    await tour.change_route(status="planned", started_at=None, timezone=zone_where_it_is(12, now))
    await tour.change_stop(0, window_start=now, window_end=now + timedelta(hours=2))
    await tour.pool.execute("DELETE FROM route_eta")
    await phone.goto(site.page_of(0))
    await until(phone, headline, "Tu entrega está programada")
    assert await text_of(phone, "#eta-label") == "Horario acordado"

    await tour.change_route(status="started", started_at=now)
    await tour.expect({n: now + timedelta(minutes=12 * (n + 1)) for n in range(4)}, as_of=now)
    await tour.tell()
    await until(phone, headline, "Eres la próxima parada")
    await until(phone, "() => document.querySelector('#eta-label').textContent === 'Llegada estimada'")

    await tour.visit(0, now)
    await tour.tell()
    await until(phone, headline, "Ya está aquí")
    assert not await phone.is_visible("#eta")

    await tour.change_stop(0, status="completed", departed_at=now)
    await tour.tell()
    await until(phone, headline, "Entregado")
    assert re.match("Fue hoy a las? ", await text_of(phone, "#more"))
    assert not await phone.is_visible("#map")
    assert not await phone.is_visible("#driver")

    await tour.change_stop(0, link_revoked_at=now)
    await tour.tell()
    await until(phone, headline, "Este enlace ya no es válido")


async def test_silence_is_said(phone: Any, site: Site) -> None:
    await phone.set_viewport_size({"width": 320, "height": 640})
    long_ago = datetime.now(UTC) - timedelta(minutes=8)
    await site.tour.see_van(150, at=long_ago)
    await site.tour.expect({0: long_ago + timedelta(minutes=30)}, as_of=long_ago)
    await phone.goto(site.page_of(0))
    assert "Hace un rato que no tenemos señal del vehículo" in await text_of(phone, "#notice")
    assert re.match(r"Actualizado: \d+:\d\d", await text_of(phone, "#updated"))
    await until(phone, "() => document.querySelector('#van-at').textContent.startsWith('Visto aquí: ')")
    assert await phone.locator(".van.old").count() == 1
    await phone.wait_for_selector("#map .here")
    pin = await phone.locator("#map .here").bounding_box()
    said = await phone.locator("#van-at").bounding_box()
    assert pin["y"] >= said["y"] + said["height"]  # neither covers the other in what room is left


async def test_what_changes_is_spoken(phone: Any, site: Site) -> None:
    await phone.goto(site.page_of(2))
    assert await phone.get_attribute("#spoken", "aria-live") == "polite"
    await until(phone, "() => document.querySelector('#spoken').textContent !== ''")
    spoken = await text_of(phone, "#spoken")
    assert "Tu pedido está en camino. Llegada estimada: " in spoken
    assert "Faltan 2 paradas antes de la tuya" in spoken
    assert ".." not in spoken


@pytest.mark.parametrize(
    ("locale", "query", "headline"),
    [
        ("pt-BR", "", "Você é a próxima parada"),
        ("en-GB", "", "You are the next stop"),
        ("en-GB", "?lang=es", "Eres la próxima parada"),
    ],
)
async def test_each_language(browser: Any, site: Site, locale: str, query: str, headline: str) -> None:
    page = await browser.new_page(locale=locale)
    await page.goto(site.page_of(0, query))
    assert await text_of(page, "#headline") == headline


async def test_times_are_those_of_the_route_s_zone(browser: Any, site: Site) -> None:
    context = await browser.new_context(locale="pt-BR", timezone_id="Asia/Tokyo")
    page = await context.new_page()
    noon = datetime.now(UTC).replace(hour=17, minute=0, second=0, microsecond=0)  # 12:00 in Bogotá
    await site.tour.change_route(status="planned", started_at=None)
    await site.tour.pool.execute("DELETE FROM route_eta")
    await site.tour.change_stop(0, window_start=noon, window_end=noon + timedelta(hours=2))
    await page.goto(site.page_of(0))
    assert "12:00" in await text_of(page, "#eta-window")
    assert "14:00" in await text_of(page, "#eta-window")


async def test_without_a_stream_the_page_asks(browser: Any, site: Site) -> None:
    page = await browser.new_page(locale="es-CO")
    await page.route(re.compile("/stream$"), lambda route: route.fulfill(status=503))
    await page.goto(site.page_of(0))
    await site.tour.see_van(260, at=datetime.now(UTC), heading_deg=90.0)
    await until(page, "() => document.querySelector('.van .turn')?.style.transform === 'rotate(90deg)'")


async def test_a_lost_connection_is_said_and_mended(browser: Any, site: Site) -> None:
    context = await browser.new_context(locale="es-CO")
    page = await context.new_page()
    await page.goto(site.page_of(0))
    assert not await page.is_visible("#offline")
    await page.route(re.compile("/v1/track/"), lambda route: route.abort())
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # look again, as after a pocket
    await until(page, "() => document.querySelector('#offline').textContent.startsWith('Sin conexión')")
    await page.unroute_all(behavior="ignoreErrors")
    await until(page, "() => document.querySelector('#offline').hidden")


class TestWithTiles:
    @pytest.fixture
    def api_config(self) -> ApiConfig:
        return ApiConfig(
            tile_url="https://{s}.tiles.example/{z}/{x}/{y}.png", tile_attribution="© <a href='#'>map people</a>"
        )

    async def test_pictures_come_from_the_tile_server_and_from_nowhere_else(self, browser: Any, site: Site) -> None:
        page = await browser.new_page()
        asked: set[str] = set()

        async def answer(route: Any) -> None:
            assert "/t/" not in (await route.request.all_headers()).get("referer", "")
            asked.add(route.request.url.split("/")[2])
            await route.fulfill(status=404)

        await page.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), answer)
        await page.goto(site.page_of(0))
        await until(page, "() => document.querySelectorAll('.leaflet-tile').length > 0")
        assert "map people" in await text_of(page, ".leaflet-control-attribution")
        assert asked
        assert asked <= {f"{letter}.tiles.example" for letter in "abc"}


async def test_an_unknown_link_is_explained(phone: Any, site: Site) -> None:
    response = await phone.goto(f"{site.url}/t/unknown-token-unknown")
    assert response.status == 404
    assert await text_of(phone, "h1") == "No encontramos este seguimiento"


async def test_an_ended_link_says_what_happened(phone: Any, site: Site) -> None:
    await site.tour.change_stop(0, status="failed", departed_at=datetime.now(UTC) - timedelta(hours=25))
    response = await phone.goto(site.page_of(0))
    assert response.status == 410
    assert await text_of(phone, "h1") == "No se pudo entregar"


async def test_what_is_to_be_paid_and_then_who_took_it(phone: Any, site: Site) -> None:
    await site.tour.change_stop(0, cash_amount=1390, cash_currency="COP")
    await phone.goto(site.page_of(0))
    assert re.fullmatch(r"Por pagar al recibir: 1\s390\sCOP", await text_of(phone, "#cash"))
    assert not await phone.is_visible("#received")
    now = datetime.now(UTC)
    await site.tour.say("completed", at=now, place=0, data={"recipient": {"name": "Portería"}})
    await site.tour.change_stop(0, status="completed", outcome_at=now)
    await site.tour.tell()
    await until(phone, "() => document.querySelector('#headline').textContent === 'Entregado'")
    assert await text_of(phone, "#received") == "Lo recibió Portería"
    assert await phone.is_visible("#whom")
    assert not await phone.is_visible("#cash")
