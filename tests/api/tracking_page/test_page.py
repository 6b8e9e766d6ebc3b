"""The page of a tracking link as it is answered: words, languages, what it may load, what it says once it has ended."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.http.config import ApiConfig
from api.pages import catalog
from api.recipient import stream as tracking
from api.tracking_page import changing, endpoints
from sql.pool import Pool
from tests.api.tour_rows import Tour


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, *(module.operations.add_to for module in (tracking, endpoints, changing))]


@pytest.fixture
async def tour(pool: Pool, account: Any) -> Tour:
    """Four stops; the van is 100 m on its way to the first, ten minutes from it and from each to the next."""
    now = datetime.now(UTC)
    made = await Tour.put(pool, account.id, start_at=now - timedelta(minutes=30))
    await made.see_van(100, at=now - timedelta(seconds=3))
    await made.expect({n: now + timedelta(minutes=10 * (n + 1)) for n in range(4)}, as_of=now - timedelta(seconds=3))
    return made


def data_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found[1])  # type: ignore[no-any-return]


async def test_the_page_says_it_all_without_a_script(client: Any, account: Any, tour: Tour) -> None:
    await client.patch("/v1/account", json={"brand": "Mensajería del Sur"}, headers=account.headers)
    response = await client.get(f"/t/{tour.tokens[0]}", headers={"Accept-Language": "es-CO,es;q=0.9"})
    assert response.status == 200
    html = await response.text()
    assert '<html lang="es">' in html
    assert "Mensajería del Sur" in html
    assert '<h1 id="headline" data-part>Eres la próxima parada</h1>' in html
    assert re.search(
        r'id="eta-window" class="window">\d{1,2}:\d\d(\u00a0[ap]\.\u00a0m\.)? – \d{1,2}:\d\d\u00a0[ap]\.\u00a0m\.<',
        html,
    )
    assert "Marta trae tu pedido" in html
    assert f'href="/t/{tour.tokens[0]}/instructions"' in html
    assert data_of(html)["view"]["status"] == "en_route"


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [
        ("", "pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        ("", "de,en;q=0.5", "en"),
        ("", "en;q=0.2,es;q=0.8", "es"),
        ("", "de", "es"),
        ("", "", "es"),
        ("?lang=en", "es", "en"),
        ("?lang=klingon", "pt", "pt"),
        ("", ";;q=,,=;q=nan", "es"),
    ],
)
async def test_the_page_speaks_the_recipient_s_language(
    client: Any, tour: Tour, query: str, header: str, language: str
) -> None:
    response = await client.get(f"/t/{tour.tokens[0]}{query}", headers={"Accept-Language": header})
    assert f'<html lang="{language}">' in await response.text()
    assert response.headers["Vary"] == "Accept-Language, Accept-Encoding"


async def test_the_account_chooses_languages_and_colour(client: Any, tour: Tour, pool: Pool) -> None:
    settings = {"languages": ["pt", "en"], "colours": {"primary": "#ffd43b"}}
    await pool.execute("UPDATE account SET settings = $2 WHERE id = $1", tour.account_id, settings)
    html = await (await client.get(f"/t/{tour.tokens[0]}", headers={"Accept-Language": "es"})).text()
    assert '<html lang="pt">' in html
    assert "--accent: #ffd43b; --on-accent: #111" in html


async def test_the_recipient_s_own_locale_counts_where_the_browser_says_nothing(client: Any, tour: Tour) -> None:
    await tour.change_stop(0, locale="pt-BR")
    assert '<html lang="pt">' in await (await client.get(f"/t/{tour.tokens[0]}")).text()


async def test_names_cannot_break_out_of_the_page(client: Any, tour: Tour, pool: Pool) -> None:
    await tour.change_stop(0, name="</script><script>alert(1)</script>")
    await pool.execute("UPDATE account SET name = '<b>\"&' WHERE id = $1", tour.account_id)
    html = await (await client.get(f"/t/{tour.tokens[0]}")).text()
    assert "<script>alert" not in html
    assert "<b>" not in html
    assert data_of(html)["view"]["stop"]["name"] == "</script><script>alert(1)</script>"


async def test_the_page_may_load_nothing_from_elsewhere(client: Any, tour: Tour) -> None:
    response = await client.get(f"/t/{tour.tokens[0]}")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "img-src 'self' data:;" in policy
    assert response.headers["Referrer-Policy"] == "no-referrer"
    html = await response.text()
    assert not re.findall(r"(?:src|href|action)=\"(?!/static/|/t/)", html)
    assert len(re.findall(r"<style nonce=", html)) == html.count("<style") == 1


async def test_who_comes_from_elsewhere_gets_the_styles_with_the_page(client: Any, tour: Tour) -> None:
    coming = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
    for site, brings in (("cross-site", True), ("none", True), ("same-origin", False)):
        response = await client.get(f"/t/{tour.tokens[0]}", headers={**coming, "Sec-Fetch-Site": site})
        html = await response.text()
        assert ("--surface:" in html, 'rel="stylesheet"' not in html) == (brings, brings)
        nonce = re.search(r"'nonce-([\w-]+)'", response.headers["Content-Security-Policy"])
        assert nonce is not None
        assert html.count(f'<style nonce="{nonce[1]}">') == html.count("<style") == 1 + brings
        assert "&#" not in html.partition("</head>")[0], "styles are not escaped"
    again = await client.get(f"/t/{tour.tokens[0]}", headers={"Sec-Fetch-Dest": "empty"})
    assert "--surface:" not in await again.text(), "a page that looks for news has its styles"


class TestWithTiles:
    @pytest.fixture
    def api_config(self) -> ApiConfig:
        return ApiConfig(tile_url="https://{s}.tiles.example:8443/{z}/{x}/{y}.png", tile_attribution="© <b>maps</b>")

    async def test_only_the_tile_server_is_let_in(self, client: Any, tour: Tour) -> None:
        response = await client.get(f"/t/{tour.tokens[0]}")
        assert "img-src 'self' data: https://*.tiles.example:8443;" in response.headers["Content-Security-Policy"]
        assert 'data-tiles="https://{s}.tiles.example:8443/{z}/{x}/{y}.png"' in await response.text()


async def test_assets_are_kept_for_ever_under_their_own_address(client: Any, tour: Tour) -> None:
    html = await (await client.get(f"/t/{tour.tokens[0]}")).text()
    addresses = re.findall(r'(?:src|href)="(/static/[^"]+)"', html)
    assert len(addresses) == 10
    for address in addresses:
        response = await client.get(address)
        assert response.status == 200
        assert "immutable" in response.headers["Cache-Control"]
    other = re.sub(r"/static/\w+/", "/static/0123456789ab/", addresses[0])
    assert (await client.get(other)).headers["Cache-Control"] == "no-store"
    for missing in (
        "/static/x/none.js",
        "/static/x/page/page.html",
        "/static/x/..%2fapi.py",
        "/static/x/leaflet/LICENSE",
    ):
        assert (await client.get(missing)).status == 404


async def test_an_ended_page_says_what_happened_and_when(client: Any, tour: Tour) -> None:
    when = datetime.now(UTC) - timedelta(hours=30)
    await tour.change_stop(0, status="completed", departed_at=when)
    response = await client.get(f"/t/{tour.tokens[0]}?lang=es")
    html = await response.text()
    assert '<h1 id="headline">Entregado</h1>' in html
    assert f"{when.astimezone(ZoneInfo('America/Bogota')):%d/%m/%Y}" in html
    assert "Marta" not in html
    assert "Ana Restrepo" not in html


async def test_a_page_that_cannot_be_made_now_says_so_and_asks_again(client: Any, tour: Tour, pool: Pool) -> None:
    await pool.close()
    response = await client.get(f"/t/{tour.tokens[0]}?lang=pt")
    assert response.status == 503
    assert response.headers["Refresh"] == response.headers["Retry-After"] == "15"
    assert '<h1 id="headline">No momento não conseguimos mostrar sua entrega</h1>' in await response.text()


async def test_a_pickup_that_was_cancelled_is_not_called_a_delivery(client: Any, tour: Tour) -> None:
    await tour.change_stop(0, kind="pickup")
    await tour.change_route(status="cancelled")
    html = await (await client.get(f"/t/{tour.tokens[0]}?lang=es")).text()
    assert '<h1 id="headline">Esta recogida se canceló</h1>' in html


async def test_an_unknown_page_says_so_in_words(client: Any) -> None:
    response = await client.get("/t/unknown-token-unknown", headers={"Accept-Language": "en"})
    assert response.status == 404
    assert "We cannot find this delivery" in await response.text()


def test_every_language_has_every_text() -> None:
    first, *others = (shape_of(catalog.texts(language)) for language in catalog.LANGUAGES)
    for other in others:
        assert other == first


def shape_of(texts: Any) -> Any:
    """Give the keys of texts, however deep, with the {places} of each text."""
    if isinstance(texts, str):
        return set(re.findall(r"\{\w+\}", texts))
    return {key: shape_of(text) for key, text in texts.items()}
