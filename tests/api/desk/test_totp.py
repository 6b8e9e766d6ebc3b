"""A code of the phone beside the password: begun, shown to work, asked for, taken once, and switched off."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from api.desk import second_factor
from api.desk.codes import STEP_S, code_at, in_letters, new_recovery_codes, step_of, uri_of
from api.desk_page import endpoints
from sql.desk import factors
from tests.api.desk.desk import PASSWORD, ask, make_user, signed_in

ANA = {"email": "ana@tienda.example", "password": PASSWORD}
OWN = {"password": PASSWORD}
OF_THE_RFC = b"12345678901234567890"


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, endpoints.operations.add_to]


@pytest.mark.parametrize(
    ("at_s", "code"), [(1111111111, "050471"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_codes_are_those_of_rfc_6238(at_s, code):
    assert code_at(OF_THE_RFC, at_s // STEP_S) == code
    now = datetime.fromtimestamp(at_s, UTC)
    assert [step_of(OF_THE_RFC, code, now + timedelta(seconds=STEP_S * n)) is not None for n in (-2, -1, 0, 1, 2)] == [
        *(False, True, True, True, False),
    ]
    assert step_of(OF_THE_RFC, "é", now) is None


def test_what_an_app_reads():
    assert uri_of(OF_THE_RFC, "a+b@tienda.example") == (
        "otpauth://totp/Reparto:a%2Bb@tienda.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Reparto"
    )
    assert in_letters(OF_THE_RFC) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


NOW = datetime(2026, 3, 2, 13, 0, 7, tzinfo=UTC)


@pytest.fixture
async def phone(client, account, pool, sealer, monkeypatch):
    """Ana's headers, and her phone; `phone.code(n)` is that of n steps from now, and it stays now."""
    monkeypatch.setattr(second_factor, "step_of", lambda secret, code, _now: step_of(secret, code, NOW))
    person_id = await make_user(pool, account.id, "ana@tienda.example", "owner")
    headers = await signed_in(pool, account.id, person_id)
    status, begun = await ask(client, "POST", "/v1/session/totp", OWN, headers=headers)
    assert status == 201
    assert begun["qr_svg"].startswith("<svg")
    sealed = (await factors.totp_of(pool, person_id)).sealed
    secret = bytes.fromhex(sealer.open(sealed)["secret"])
    assert begun["secret"] == in_letters(secret)
    assert secret not in sealed

    class Phone:
        mine, person = headers, person_id

        def code(self, steps=0):
            return code_at(secret, int(NOW.timestamp()) // STEP_S + steps)

    return Phone()


async def switched_on(client, phone):
    status, said = await ask(client, "PUT", "/v1/session/totp", {"code": phone.code(-1)}, headers=phone.mine)
    assert status == 200
    return said["recovery_codes"]


async def problem_of(client, **more):
    status, said = await ask(client, "POST", "/v1/session", ANA | more)
    return status if status == 201 else (status, said["type"])


async def test_a_code_is_asked_for_once_the_phone_showed_one_and_counts_once(client, pool, phone):
    assert await problem_of(client) == 201
    other = await signed_in(pool, 1, phone.person)
    assert (await ask(client, "PUT", "/v1/session/totp", {"code": "000"}, headers=phone.mine))[0] == 401
    codes = await switched_on(client, phone)
    assert len({*codes}) == 10
    assert (await ask(client, "GET", "/v1/session", headers=other))[0] == 401
    assert (await ask(client, "GET", "/v1/session", headers=phone.mine))[1]["user"]["totp"] is True
    assert (await ask(client, "GET", "/v1/users", headers=phone.mine))[1]["users"][0]["totp"] is True
    assert await problem_of(client) == (401, "second-factor-needed")
    assert await problem_of(client, code=phone.code(-1)) == (401, "second-factor-wrong")  # taken already
    code = phone.code()
    assert await problem_of(client, code=f"{code[:3]} {code[3:]}") == 201
    assert await problem_of(client, code=code) == (401, "second-factor-wrong")
    assert await problem_of(client, code=codes[0].upper()) == 201
    assert await problem_of(client, code=codes[0]) == (401, "second-factor-wrong")
    kept = str(await pool.fetch("SELECT * FROM audit_entry"))
    assert not [one for one in codes if one in kept]
    assert "{'totp': True}" in kept


async def test_no_password_is_enough_to_be_asked_for_a_code(client, phone):
    await switched_on(client, phone)
    status, said = await ask(client, "POST", "/v1/session", ANA | {"password": "wrong", "code": phone.code()})
    assert (status, said["type"]) == (401, "unauthorized")


async def test_codes_are_not_guessed(client, phone, monkeypatch):
    monkeypatch.setattr(second_factor, "CODES_OF_A_PERSON", 2)
    await switched_on(client, phone)
    assert [(await problem_of(client, code="123"))[0] for _ in range(3)] == [401, 401, 429]
    assert (await problem_of(client, code=phone.code()))[0] == 429


async def test_it_is_changed_and_removed_by_whoever_knows_the_password(client, phone, refused):
    for path in ("totp", "totp/remove", "totp/recovery-codes"):
        response = await client.post(f"/v1/session/{path}", json={"password": "wrong"}, headers=phone.mine)
        await refused(response, 422, "/password")
    assert (await ask(client, "POST", "/v1/session/totp/recovery-codes", OWN, headers=phone.mine))[0] == 409
    old = await switched_on(client, phone)
    assert (await ask(client, "POST", "/v1/session/totp", OWN, headers=phone.mine))[0] == 409
    assert (await ask(client, "PUT", "/v1/session/totp", {"code": phone.code()}, headers=phone.mine))[0] == 409
    status, made = await ask(client, "POST", "/v1/session/totp/recovery-codes", OWN, headers=phone.mine)
    assert status == 201
    assert await problem_of(client, code=old[0]) == (401, "second-factor-wrong")
    assert await problem_of(client, code=made["recovery_codes"][0]) == 201
    assert (await ask(client, "POST", "/v1/session/totp/remove", OWN, headers=phone.mine))[0] == 204
    assert await problem_of(client) == 201
    assert (await ask(client, "PUT", "/v1/session/totp", {"code": phone.code()}, headers=phone.mine))[0] == 409


def test_recovery_codes_are_long_enough():
    assert all(re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", code) for code in new_recovery_codes())


async def half_of(client, language="en"):
    """The cookie of a browser in which the password was given."""
    response = await client.post(f"/desk/sign-in?lang={language}", data=ANA, allow_redirects=False)
    text = await response.text()
    assert response.status == 200
    cookie = response.headers["Set-Cookie"]
    assert {"HttpOnly", "Secure", "SameSite=Strict"} <= set(cookie.split("; "))
    assert "__Host-reparto=" not in cookie
    return {"Cookie": cookie.partition(";")[0]}, text


async def test_the_page_asks_for_it_after_the_password(client, pool, phone):
    await switched_on(client, phone)
    half, text = await half_of(client)
    assert 'autocomplete="one-time-code"' in text
    assert PASSWORD not in text
    assert (await client.get("/v1/session", headers=half)).status == 401

    async def send(code, headers):
        form = {"data": {"code": code}, "headers": headers}
        return await client.post("/desk/sign-in/code?lang=en", **form, allow_redirects=False)

    wrong = await send("123456x", half)
    assert wrong.status == 401
    assert "does not count" in await wrong.text()
    assert "Set-Cookie" not in (await send(phone.code(), {})).headers  # another browser
    response = await send(phone.code(), half)
    assert response.status == 303
    cookies = response.headers.getall("Set-Cookie")
    [session] = [one.partition(";")[0] for one in cookies if one.startswith("__Host-reparto=")]
    assert (await client.get("/v1/session", headers={"Cookie": session})).status == 200
    entry = await pool.fetchrow("SELECT operation, after FROM audit_entry ORDER BY id DESC LIMIT 1")
    assert entry == ("POST /desk/sign-in/code", {"by": "password, code"})
    again = await send(phone.code(1), half)  # the half is used up
    assert "Set-Cookie" not in again.headers


async def test_another_password_ends_what_is_half_done(client, pool, phone):
    await switched_on(client, phone)
    half, _ = await half_of(client)
    change = {"old": PASSWORD, "new": "staple staple staple"}
    assert (await ask(client, "PUT", "/v1/session/password", change, headers=phone.mine))[0] == 204
    response = await client.post("/desk/sign-in/code", data={"code": phone.code()}, headers=half, allow_redirects=False)
    assert (response.status, "Set-Cookie" in response.headers) == (303, False)


@pytest.mark.parametrize(("language", "word"), [("es", "teléfono"), ("pt", "celular"), ("en", "phone")])
async def test_every_language_asks(client, phone, language, word):
    await switched_on(client, phone)
    _, text = await half_of(client, language)
    assert word in text
