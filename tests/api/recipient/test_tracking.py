import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from api.http.auth import hash_of
from api.http.config import ApiConfig
from api.pages import catalog
from api.recipient import held
from api.recipient import page as tracking_page
from api.recipient import stream as tracking
from sql.pool import Pool
from tests.api.stream.streams import next_event
from tests.api.tour_rows import Tour, place_at


@pytest.fixture
def stream_clients() -> int:
    return 2


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    parts = [tracking.operations.add_to, tracking_page.operations.add_to]
    return [*app_parts, *parts]


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


@pytest.fixture
async def tour(pool: Pool, account: Any) -> Tour:
    """Four stops; the van is 100 m on its way to the first, ten minutes from it and from each to the next."""
    now = datetime.now(UTC)
    made = await Tour.put(pool, account.id, start_at=now - minutes(30))
    await made.see_van(100, at=now - timedelta(seconds=3))
    await made.expect({n: now + minutes(10 * (n + 1)) for n in range(4)}, as_of=now - timedelta(seconds=3))
    return made


async def test_what_the_next_recipient_sees(client: Any, tour: Tour) -> None:
    response = await client.get(f"/v1/track/{tour.tokens[0]}")
    assert response.status == 200
    assert response.headers["Cache-Control"] == "private, no-cache"
    view = await response.json()
    assert view["status"] == "en_route"
    assert view["under_way"] is True
    assert (view["stop"]["name"], view["stop"]["kind"], view["stop"]["window"]) == ("Ana Restrepo", "delivery", None)
    assert view["eta"]["low"] < view["eta"]["expected"] < view["eta"]["high"]
    assert view["eta"]["stale"] is False
    assert view["stops_before"] == 0
    assert (view["position"]["lon"], view["position"]["lat"]) == pytest.approx(place_at(100), abs=2e-6)
    assert view["path_ahead"]["type"] == "LineString"
    line = view["path_ahead"]["coordinates"]
    assert line[0] == pytest.approx([view["position"]["lon"], view["position"]["lat"]], abs=2e-6)
    assert line[-1] == pytest.approx([view["stop"]["lon"], view["stop"]["lat"] - 0.0002], abs=2e-6)
    assert view["driver"] == {"first_name": "Marta"}
    assert view["timezone"] == "America/Bogota"
    assert view["poll_after_s"] == 5


async def test_what_a_later_recipient_sees(client: Any, tour: Tour) -> None:
    view = await (await client.get(f"/v1/track/{tour.tokens[3]}")).json()
    assert (view["status"], view["stops_before"]) == ("pending", 3)
    assert view["position"] is not None
    assert view["path_ahead"] is None


async def test_nothing_of_other_stops_is_told(client: Any, tour: Tour) -> None:
    text = await (await client.get(f"/v1/track/{tour.tokens[1]}")).text()
    assert "Ferretería" in text
    for name in ("Ana Restrepo", "Taller", "Lucía", "Quintero", "stop-"):
        assert name not in text


@pytest.mark.parametrize(
    ("said", "is_seen"),
    [
        ([], True),
        ([("shift_started", 30)], True),
        ([("shift_started", 30), ("shift_ended", 1)], False),
        ([("shift_started", 30), ("shift_ended", 9), ("shift_started", 5)], True),
        ([("shift_ended", 12 * 60)], False),  # nobody said yet that today's began
        ([("shift_ended", 40 * 24 * 60)], True),  # who does not use them any more
    ],
)
async def test_a_driver_who_uses_shifts_is_seen_in_them_only(
    client: Any, tour: Tour, said: list[tuple[str, float]], is_seen: bool
) -> None:
    for kind, ago in said:
        await tour.say(kind, at=datetime.now(UTC) - minutes(ago))
    view = await (await client.get(f"/v1/track/{tour.tokens[0]}")).json()
    assert (view["position"] is not None) is is_seen
    assert (view["path_ahead"] is not None) is is_seen


async def test_the_raw_fix_is_not_told(client: Any, tour: Tour) -> None:
    await tour.see_van(100, at=datetime.now(UTC), lat_e6=6_299_999, lon_e6=-75_599_999)
    assert "6.299" not in await (await client.get(f"/v1/track/{tour.tokens[0]}")).text()


async def test_unchanged_is_304(client: Any, tour: Tour) -> None:
    first = await client.get(f"/v1/track/{tour.tokens[0]}")
    tag = first.headers["ETag"]
    again = await client.get(f"/v1/track/{tour.tokens[0]}", headers={"If-None-Match": tag})
    assert again.status == 304
    assert again.headers["ETag"] == tag
    assert again.headers["Access-Control-Allow-Origin"] == "*"
    await tour.see_van(150, at=datetime.now(UTC))
    await asyncio.sleep(1)  # nobody told
    assert (await client.get(f"/v1/track/{tour.tokens[0]}", headers={"If-None-Match": tag})).status == 200


async def test_the_same_in_msgpack(client: Any, tour: Tour) -> None:
    response = await client.get(f"/v1/track/{tour.tokens[0]}", headers={"Accept": "application/msgpack"})
    assert msgspec.msgpack.decode(await response.read())["status"] == "en_route"


async def test_any_page_may_ask_and_nothing_else_may_be_asked_from_other_pages(client: Any, tour: Tour) -> None:
    path = f"/v1/track/{tour.tokens[0]}"
    asked = await client.options(path, headers={"Origin": "https://shop.example"})
    assert asked.status == 204
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    for answer in (await client.get(path), await client.get("/v1/track/unknown-token-unknown")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in (await client.get("/v1/routes")).headers


@pytest.mark.parametrize("token", ["unknown-token-unknown", "x", "a" * 200, "%00", "%F0%9F%9A%9A", "..%2F..%2Fetc"])
async def test_an_unknown_token_is_404(client: Any, tour: Tour, token: str) -> None:
    for path in (f"/v1/track/{token}", f"/v1/track/{token}/stream", f"/t/{token}"):
        assert (await client.get(path)).status == 404


ENDINGS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"link_revoked_at": datetime.now(UTC)}, {}, "revoked"),
    ({"status": "removed"}, {}, "taken off"),
    ({}, {"status": "cancelled"}, "cancelled"),
    ({}, {"deleted_at": datetime.now(UTC)}, "cancelled"),
    ({"status": "completed", "departed_at": datetime.now(UTC) - timedelta(hours=25)}, {}, "over"),
    ({}, {"status": "finished", "finished_at": datetime.now(UTC) - timedelta(hours=13)}, "over"),
]


@pytest.mark.parametrize(("stop", "route", "words"), ENDINGS)
async def test_an_ended_link_is_410_everywhere(
    client: Any, tour: Tour, stop: dict[str, Any], route: dict[str, Any], words: str
) -> None:
    for change, changes in ((lambda **c: tour.change_stop(0, **c), stop), (tour.change_route, route)):
        if changes:
            await change(**changes)
    for path in (f"/v1/track/{tour.tokens[0]}", f"/v1/track/{tour.tokens[0]}/stream"):
        response = await client.get(path)
        assert response.status == 410
        assert words in (await response.json())["detail"]
    page = await client.get(f"/t/{tour.tokens[0]}")
    assert page.status == 410
    assert page.content_type == "text/html"


async def test_a_rotated_link_ends_and_the_new_one_works(client: Any, tour: Tour) -> None:
    await tour.change_stop(0, link_hash=hash_of("a-new-token-of-this-stop"), link_generation=1)
    assert (await client.get(f"/v1/track/{tour.tokens[0]}")).status == 404
    assert (await client.get("/v1/track/a-new-token-of-this-stop")).status == 200


async def test_a_stream_gives_the_same_and_goes_on_with_what_changes(client: Any, tour: Tour) -> None:
    async with client.get(f"/v1/track/{tour.tokens[0]}/stream") as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        event, view = await next_event(response)
        assert event == "tracking"
        assert view == await (await client.get(f"/v1/track/{tour.tokens[0]}")).json()
        await tour.see_van(160, at=datetime.now(UTC))
        await tour.tell()
        event, moved = await next_event(response)
        assert (event, moved["status"]) == ("tracking", "en_route")
        assert moved["position"]["lat"] > view["position"]["lat"]


async def test_a_stream_follows_a_ping_within_a_second(client: Any, tour: Tour) -> None:
    async with client.get(f"/v1/track/{tour.tokens[0]}/stream") as response:
        await next_event(response)
        await asyncio.sleep(held.COALESCE_S)
        await tour.see_van(160, at=datetime.now(UTC))
        began = asyncio.get_running_loop().time()
        await tour.tell()
        await next_event(response)
        # an idle machine takes some milliseconds; the bound only tells telling from looking again after 15 s
        assert asyncio.get_running_loop().time() - began < 5


async def test_all_recipients_of_a_route_follow_their_own_stop(client: Any, tour: Tour) -> None:
    first, second = (f"/v1/track/{token}/stream" for token in tour.tokens[:2])
    async with client.get(first) as one, client.get(second) as two:
        assert (await next_event(one))[1]["stops_before"] == 0
        assert (await next_event(two))[1]["stops_before"] == 1
        now = datetime.now(UTC)
        await tour.visit(0, now - minutes(2), now)
        await tour.tell()
        _, done = await next_event(one)
        _, next_one = await next_event(two)
        assert (done["status"], done["position"], done["driver"]) == ("departed", None, None)
        assert (next_one["status"], next_one["stops_before"]) == ("en_route", 0)
        assert next_one["path_ahead"] is not None


async def test_a_stream_ends_with_its_link(client: Any, tour: Tour) -> None:
    async with client.get(f"/v1/track/{tour.tokens[0]}/stream") as response:
        await next_event(response)
        await tour.change_stop(0, link_revoked_at=datetime.now(UTC))
        await tour.tell()
        assert await next_event(response) == ("end", {"why": "revoked"})
        with pytest.raises(EOFError):
            await next_event(response)


@pytest.mark.parametrize("what", ["rotate", "revoke"])
async def test_a_stream_ends_at_once_when_its_link_is_taken_away(
    client: Any, account: Any, tour: Tour, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(held, "LOOK_AGAIN_S", 600.0)
    async with client.get(f"/v1/track/{tour.tokens[0]}/stream") as response:
        await next_event(response)
        path = f"/v1/stops/st_{tour.stop_ids[0]}/tracking-link/{what}"
        assert (await client.post(path, headers=account.headers)).status == 200
        assert await next_event(response) == ("end", {"why": "revoked"})


async def test_a_stream_follows_the_accounts_settings_at_once(
    client: Any, account: Any, tour: Tour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "LOOK_AGAIN_S", 600.0)
    async with client.get(f"/v1/track/{tour.tokens[1]}/stream") as response:
        assert (await next_event(response))[1]["position"] is not None
        strict = {"visibility": {"max_stops_before": 0, "max_minutes": 60}}
        assert (await client.patch("/v1/account", json=strict, headers=account.headers)).status == 200
        assert (await next_event(response))[1]["position"] is None


async def test_a_stream_ends_when_its_stop_is_replaced(client: Any, tour: Tour) -> None:
    async with client.get(f"/v1/track/{tour.tokens[3]}/stream") as response:
        await next_event(response)
        await tour.pool.execute("DELETE FROM stop WHERE id = $1", tour.stop_ids[3])
        await tour.tell()
        assert (await next_event(response))[0] == "end"


async def test_a_quiet_stream_shows_that_it_lives(client: Any, tour: Tour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.stream.sse.HEARTBEAT_S", 0.05)
    async with client.get(f"/v1/track/{tour.tokens[0]}/stream") as response:
        await next_event(response)
        async with asyncio.timeout(60):
            while await response.content.readline() != b": still here\n":
                pass


async def test_what_changed_is_found_without_being_told(
    client: Any, tour: Tour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "LOOK_AGAIN_S", 0.05)
    now = datetime.now(UTC)
    await tour.expect({0: now + minutes(65)}, as_of=now)
    async with client.get(f"/v1/track/{tour.tokens[0]}/stream") as response:
        assert (await next_event(response))[1]["position"] is None
        await tour.expect({0: now + minutes(55)}, as_of=now)
        assert (await next_event(response))[1]["position"] is not None


async def test_streams_have_seats(client: Any, tour: Tour) -> None:
    one, two, three = (f"/v1/track/{token}/stream" for token in tour.tokens[:3])
    async with client.get(one):
        assert (await client.get(one)).status == 429  # one link has its share of them, and another may come
        async with client.get(two):
            assert (await client.get(three)).status == 503
            assert (await client.get(f"/v1/track/{tour.tokens[0]}")).status == 200


async def test_tokens_are_in_no_log(client: Any, tour: Tour, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="api")
    for path in ("/v1/track/{}", "/t/{}"):
        await client.get(path.format(tour.tokens[0]))
        await client.get(path.format("unknown-token-unknown"))
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("api"))
    assert tour.tokens[0] not in logged
    assert "unknown-token" not in logged


# --- the page --------------------------------------------------------------------------------------------------------


def data_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found[1])  # type: ignore[no-any-return]


async def test_the_page_holds_the_first_view_and_its_texts(client: Any, account: Any, tour: Tour) -> None:
    await client.patch("/v1/account", json={"brand": "Mensajería del Sur"}, headers=account.headers)
    response = await client.get(f"/t/{tour.tokens[0]}", headers={"Accept-Language": "es-CO,es;q=0.9"})
    assert response.status == 200
    html = await response.text()
    assert '<html lang="es">' in html
    assert "Mensajería del Sur" in html
    data = data_of(html)
    assert data["view"]["status"] == "en_route"
    assert data["texts"] == catalog.texts("es")


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
    assert response.headers["Vary"] == "Accept-Language"


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
    assert not re.findall(r"(?:src|href)=\"(?!/static/)", html)
    assert len(re.findall(r"<style nonce=", html)) == html.count("<style") == 1


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
    assert len(addresses) == 5
    for address in addresses:
        response = await client.get(address)
        assert response.status == 200
        assert "immutable" in response.headers["Cache-Control"]
    other = re.sub(r"/static/\w+/", "/static/0123456789ab/", addresses[0])
    assert (await client.get(other)).headers["Cache-Control"] == "no-store"
    for missing in ("/static/x/none.js", "/static/x/track.html", "/static/x/..%2fapi.py", "/static/x/leaflet/LICENSE"):
        assert (await client.get(missing)).status == 404


async def test_an_ended_page_says_what_happened_and_when(client: Any, tour: Tour) -> None:
    when = datetime.now(UTC) - timedelta(hours=30)
    await tour.change_stop(0, status="completed", departed_at=when)
    response = await client.get(f"/t/{tour.tokens[0]}?lang=es")
    html = await response.text()
    assert "<h1>Entregado</h1>" in html
    assert f"{when.astimezone(tracking_page.ZoneInfo('America/Bogota')):%d/%m/%Y}" in html
    assert "Marta" not in html
    assert "Ana Restrepo" not in html


async def test_a_page_that_cannot_be_made_now_says_so_and_asks_again(client: Any, tour: Tour, pool: Pool) -> None:
    await pool.close()
    response = await client.get(f"/t/{tour.tokens[0]}?lang=pt")
    assert response.status == 503
    assert response.headers["Refresh"] == response.headers["Retry-After"] == "15"
    assert "<h1>No momento não conseguimos mostrar sua entrega</h1>" in await response.text()


async def test_a_pickup_that_was_cancelled_is_not_called_a_delivery(client: Any, tour: Tour) -> None:
    await tour.change_stop(0, kind="pickup")
    await tour.change_route(status="cancelled")
    html = await (await client.get(f"/t/{tour.tokens[0]}?lang=es")).text()
    assert "<h1>Esta recogida se canceló</h1>" in html


async def test_an_unknown_page_says_so_in_words(client: Any) -> None:
    response = await client.get("/t/unknown-token-unknown", headers={"Accept-Language": "en"})
    assert response.status == 404
    assert "We cannot find this delivery" in await response.text()


def test_every_language_has_every_text() -> None:
    first, *others = (catalog.texts(language) for language in catalog.LANGUAGES)
    for other in others:
        assert other.keys() == first.keys()
        for key, text in first.items():
            assert places_in(other[key]) == places_in(text), key


def places_in(text: Any) -> set[str]:
    return set(re.findall(r"\{\w+\}", json.dumps(text)))


def test_every_text_that_the_pages_use_exists() -> None:
    script = (tracking_page.assets.ROOT / "track.js").read_text(encoding="utf-8")
    used = set(re.findall(r"texts\.(\w+)", script))
    states = ("planned", "on_the_way", "next", "arriving", "arrived", "departed", "completed", "partially_completed")
    used |= {f"{state}{kind}" for state in (*states, "failed", "skipped") for kind in ("", "_pickup")}
    used |= {"pin", "pin_pickup", "received_by", "received_by_pickup"}
    used |= {f"gone_{why}{more}" for why in ("revoked", "cancelled", "removed", "over") for more in ("", "_more")}
    used |= {"later", "later_more", "gone_cancelled_pickup", "gone_removed_pickup"}
    assert used <= catalog.texts("en").keys()
