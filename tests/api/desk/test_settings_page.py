"""Everybody sees how they sign in, and nobody else does."""

import pytest

from api.desk_page import settings
from api.http.auth import Role
from sql.desk import factors
from sql.desk.passkeys import add_passkey
from tests.api.desk.desk import make_user, signed_in

ME = "/desk/settings/me"


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, settings.operations.add_to]


@pytest.mark.parametrize("role", [role.name.lower() for role in Role])
async def test_everybody_sees_their_own_and_nothing_of_others(client, account, pool, role):
    beto = await make_user(pool, account.id, "beto@tienda.example", "owner")
    ana = await make_user(pool, account.id, role=role)
    for person_id, name in ((beto, "ajena"), (ana, "<b>mía")):
        kept = {"credential_id": name.encode(), "public_key": b"", "sign_count": 0, "name": name}
        await add_passkey(pool, person_id, **kept)
    response = await client.get(f"{ME}?lang=es", headers=await signed_in(pool, account.id, ana))
    text = await response.text()
    assert response.status == 200
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert "&lt;b&gt;mía" in text
    assert "ana@tienda.example" in text
    assert not [word for word in ("ajena", "beto") if word in text]
    assert 'data-path="/v1/session/totp/remove"' not in text


async def test_it_says_whether_codes_are_asked_for(client, account, pool):
    ana = await make_user(pool, account.id)
    await factors.begin_totp(pool, ana, b"x")
    await factors.take_step(pool, ana, 1)
    text = await (await client.get(ME, headers=await signed_in(pool, account.id, ana))).text()
    assert 'data-path="/v1/session/totp/remove"' in text
    assert 'data-path="/v1/session/totp"' not in text


async def test_nobody_else_sees_anything(client, account):
    for headers in ({}, account.headers, {"Cookie": "__Host-reparto=rps_x"}):
        response = await client.get(f"{ME}?lang=pt", headers=headers, allow_redirects=False)
        assert (response.status, response.headers["Location"]) == (303, "/desk?lang=pt")


@pytest.mark.parametrize(
    ("language", "words"), [("es", "Cómo entras"), ("pt", "Como você entra"), ("en", "How you sign in")]
)
async def test_each_language(client, account, pool, language, words):
    mine = await signed_in(pool, account.id, await make_user(pool, account.id))
    assert f"<h1>{words}</h1>" in await (await client.get(f"{ME}?lang={language}", headers=mine)).text()
