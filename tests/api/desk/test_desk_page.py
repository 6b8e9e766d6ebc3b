"""The desk's first pages: the form to sign in, the tours of today, and the way out; they work without scripts."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from api.desk_page import board, endpoints, inbox
from tests.api.desk.desk import PASSWORD, make_user, signed_in
from tests.api.tour_rows import Tour
from tests.zones import zone_where_it_is

ANA = {"email": "ana@tienda.example", "password": PASSWORD}


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, *(one.operations.add_to for one in (endpoints, board, inbox))]


async def text_of(response, status=200):
    assert response.status == status
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    return await response.text()


async def test_somebody_signs_in_sees_the_tours_of_today_and_goes(client, account, other_account, pool, put_route):
    now = datetime.now(UTC)
    noon = zone_where_it_is(12, now)  # far from the end of a day
    there = now.astimezone(ZoneInfo(noon))
    today = {"timezone": noon, "date": there.date().isoformat()}
    today |= {"start_at": there.replace(hour=8).isoformat(), "end_at": there.replace(hour=18).isoformat()}
    await put_route(client, account.key, "norte <1>", **today)
    await put_route(client, account.key, "ayer")
    await put_route(client, other_account.key, "ajena", **today)
    await make_user(pool, account.id, role="viewer")
    response = await client.post("/desk/sign-in?lang=es", data=ANA, allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, "/desk?lang=es")
    mine = {"Cookie": response.headers["Set-Cookie"].partition(";")[0]}
    text = await text_of(await client.get("/desk?lang=es", headers=mine))
    assert "Rutas de hoy" in text
    assert "norte &lt;1&gt;" in text
    assert "0/4" in text
    assert "ayer" not in text
    assert "ajena" not in text
    assert "<script>" not in text
    gone = await client.post("/desk/sign-out?lang=es", headers=mine, allow_redirects=False)
    assert (gone.status, gone.headers["Location"]) == (303, "/desk?lang=es")
    assert "Rutas de hoy" not in await text_of(await client.get("/desk?lang=es", headers=mine))
    noted = await pool.fetch("SELECT operation FROM audit_entry WHERE person_id IS NOT NULL ORDER BY id")
    assert [row["operation"] for row in noted] == [
        "POST /desk/sign-in",
        "POST /desk/sign-out",
    ]


async def test_a_tour_of_last_night_is_shown_while_it_is_out(client, account, pool):
    now = datetime.now(UTC)
    midnight = zone_where_it_is(0, now)
    hours = timedelta(hours=1)
    for name, start_at, status in (
        ("nocturna", now - 2 * hours, "started"),
        ("sin salir", now - 2 * hours, "planned"),
        ("acabada", now - 12 * hours, "started"),
    ):
        await Tour.put(pool, account.id, start_at=start_at, external_id=name, timezone=midnight, status=status)
    mine = await signed_in(pool, account.id, await make_user(pool, account.id, role="viewer"))
    text = await text_of(await client.get("/desk?lang=es", headers=mine))
    assert [name in text for name in ("nocturna", "sin salir", "acabada")] == [True, False, False]


@pytest.mark.parametrize("page", ["/desk/board", "/desk/alerts"])
async def test_what_belongs_to_no_tour_is_told_in_the_zone_of_the_newest(client, account, other_account, pool, page):
    now = datetime.now(UTC)
    for whose, days, zone in ((account, 9, "Europe/Kyiv"), (account, 5, "Asia/Kolkata"), (other_account, 4, "UTC")):
        start_at = now - timedelta(days=days)
        await Tour.put(pool, whose.id, start_at=start_at, external_id=zone, timezone=zone, status="finished")
    await pool.execute(
        "INSERT INTO desk_alert (account_id, fact_id, type, severity, occurred_at)"
        " VALUES ($1, gen_random_uuid(), 'driver.alarm', 3, $2)",
        account.id,
        now,
    )
    mine = await signed_in(pool, account.id, await make_user(pool, account.id, role="viewer"))
    text = await text_of(await client.get(f"{page}?lang=es", headers={**mine, "Accept-Language": "es-ES"}))
    there = {(now + timedelta(minutes=n)).astimezone(ZoneInfo("Asia/Kolkata")).strftime("%H:%M") for n in (0, 1)}
    assert any(time in text for time in there)


@pytest.mark.parametrize(
    ("language", "title", "none"),
    [("es", "Entrar", "Hoy no hay rutas"), ("pt", "Entrar", "Não há rotas"), ("en", "Sign in", "no tour today")],
)
async def test_every_language(client, account, pool, language, title, none):
    text = await text_of(await client.get("/desk", headers={"Accept-Language": language}))
    assert f'<html lang="{language}">' in text
    assert f"<h1>{title}</h1>" in text
    mine = await signed_in(pool, account.id, await make_user(pool, account.id))
    assert none in await text_of(await client.get(f"/desk?lang={language}", headers=mine))


async def test_a_refusal_keeps_the_address_and_tells_nothing(client, account, pool):
    await make_user(pool, account.id)
    for email in ("ana@tienda.example", "nobody@tienda.example"):
        said = {"email": email, "password": "wrong"}
        text = await text_of(await client.post("/desk/sign-in?lang=en", data=said), 401)
        assert f'value="{email}"' in text
        assert "do not go together" in text
        text = await text_of(await client.post("/desk/sign-in?lang=en", data=said | {"forgotten": "yes"}))
        assert "is on its way" in text


async def test_another_sites_page_signs_nobody_in_or_out(client, account, pool):
    mine = await signed_in(pool, account.id, await make_user(pool, account.id))
    other = {"Sec-Fetch-Site": "cross-site"}
    assert (await client.post("/desk/sign-in", data=ANA, headers=other)).status == 403
    assert (await client.post("/desk/sign-out", headers=mine | other)).status == 403
    assert (await client.get("/v1/session", headers=mine)).status == 200
