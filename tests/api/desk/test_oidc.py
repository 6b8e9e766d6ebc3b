"""Somebody signs in by the identity provider of their company: into its account, and into no other."""

from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import OctKey, RSAKey

from api.desk import addresses
from api.desk.oidc import discovery
from api.desk_page import endpoints as desk_page
from api.desk_page.settings import company
from api.desk_page.settings import me as own_settings
from sql.desk import people
from tests.api.desk.desk import CSRF, PASSWORD, ask, make_user, signed_in
from tests.providers.identity import consent, lying_provider, put_user, real_provider

BACK = "/desk/sign-in/provider"


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, *(page.operations.add_to for page in (desk_page, own_settings, company))]


@pytest.fixture(scope="module")
def real():
    with real_provider() as issuer:
        yield issuer


@pytest.fixture
async def liar():
    async with lying_provider() as liar:
        yield liar


@pytest.fixture
async def owner(account, pool):
    """Headers of a browser of the account's owner."""
    return await signed_in(pool, account.id, await make_user(pool, account.id, "jefa@tienda.example", "owner"))


async def set_provider(client, owner, issuer, **more):
    body = {"issuer": issuer, "client_id": "reparto", "secret": "s3cret", "domains": ["tienda.example"], **more}
    return await ask(client, "PUT", "/v1/account/oidc", body, headers=owner)


async def begin(client, body=None):
    """Begin; give where the browser goes, and its cookie."""
    response = await client.post("/v1/session/oidc?lang=en", json=body or {"account": "mensajeria"})
    assert response.status == 201, await response.text()
    [half] = response.headers.getall("Set-Cookie")
    assert {"HttpOnly", "Secure", "SameSite=Lax"} <= set(half.split("; "))
    return (await response.json())["url"], {"Cookie": half.partition(";")[0]}


async def back(client, query, cookie):
    """Come back; give the status, the page, and the cookie of the session, if any."""
    response = await client.get(f"{BACK}?{query}", headers={"Accept-Language": "en", **cookie})
    made = [one for one in response.headers.getall("Set-Cookie", []) if one.startswith("__Host-reparto=rps_")]
    return response.status, await response.text(), {"Cookie": made[0].partition(";")[0], **CSRF} if made else None


async def by_liar(client, liar):
    url, cookie = await begin(client)
    return await back(client, liar.authorize(url), cookie)


async def test_by_a_real_provider(client, account, pool, owner, real):
    ana = await make_user(pool, account.id, role="dispatcher")
    await put_user(real, "u-1", email="Ana@Tienda.example", email_verified=True)
    status, said = await set_provider(client, owner, real)
    assert (status, said["has_secret"], said["redirect_uri"]) == (200, True, f"https://reparto.example{BACK}")
    url, cookie = await begin(client, {"email": "ana@tienda.example"})
    there = await consent(url, "u-1")
    assert there.startswith(f"https://reparto.example{BACK}?")
    status, page, mine = await back(client, urlsplit(there).query, cookie)
    assert (status, "You are signed in" in page, "0;url=&#x2f;desk?lang=en" in page) == (200, True, True)
    assert (await ask(client, "GET", "/v1/session", headers=mine))[1]["role"] == "dispatcher"
    assert (await back(client, urlsplit(there).query, cookie))[0] == 401  # once
    noted = await pool.fetchrow("SELECT operation, person_id, after FROM audit_entry ORDER BY id DESC LIMIT 1")
    assert tuple(noted) == (f"GET {BACK}", ana, {"by": "provider", "first": True, "role": "dispatcher"})
    await put_user(real, "u-1", email="otra@else.example", email_verified=False)  # it is them by `sub` from now on
    url, cookie = await begin(client)
    assert (await back(client, urlsplit(await consent(url, "u-1")).query, cookie))[0] == 200


async def test_a_session_of_it_stays_with_its_account(client, account, other_account, pool, owner, liar):
    ana = await make_user(pool, account.id, role="admin")
    await people.add_member(pool, other_account.id, ana, "owner")
    await set_provider(client, owner, liar.issuer)
    _, _, mine = await by_liar(client, liar)
    said = (await ask(client, "GET", "/v1/session", headers=mine))[1]
    assert said["accounts"] == [{"name": "mensajeria", "role": "admin"}]
    hers = await signed_in(pool, other_account.id, ana)
    for method, path, body in (
        ("PATCH", "/v1/session", {"account": "otra"}),
        ("PATCH", "/v1/session", {"name": "Mallory"}),
        ("PUT", "/v1/session/password", {"old": PASSWORD, "new": "0123456789"}),
        ("POST", "/v1/session/totp", {"password": PASSWORD}),
        ("POST", "/v1/session/passkeys/begin", {"password": PASSWORD}),
        ("GET", "/v1/session/passkeys", None),
        ("DELETE", "/v1/session/passkeys/pk_1", None),
    ):
        assert (await ask(client, method, path, body, headers=mine))[0] == 403, (method, path)
    assert (await ask(client, "DELETE", "/v1/session?everywhere=true", headers=mine))[0] == 204
    assert (await ask(client, "GET", "/v1/session", headers=mine))[0] == 401
    assert (await ask(client, "GET", "/v1/session", headers=hers))[0] == 200


async def test_whom_only_the_provider_knows_comes_in_by_it_alone(client, account, other_account, pool, owner, liar):
    """An account that invites anybody, and whose provider says anything, gets nothing of theirs elsewhere."""
    await set_provider(client, owner, liar.issuer)
    assert (
        await ask(client, "POST", "/v1/invitations", {"email": "ana@tienda.example", "role": "viewer"}, headers=owner)
    )[0] == 201
    status, _, mine = await by_liar(client, liar)
    assert (status, (await ask(client, "GET", "/v1/session", headers=mine))[1]["role"]) == (200, "viewer")
    person = await people.find_person(pool, "ana@tienda.example")
    invitation = {"email": "ana@tienda.example", "role": "owner"}
    theirs = await signed_in(pool, other_account.id, await make_user(pool, other_account.id, "otro@x.example", "owner"))
    status, made = await ask(client, "POST", "/v1/invitations", invitation, headers=theirs)
    link = urlsplit(made["link"]).path
    assert (await client.post(link, data={"password": PASSWORD})).status == 200
    status, said = await ask(client, "POST", "/v1/session", {"email": "ana@tienda.example", "password": PASSWORD})
    assert (status, said["accounts"]) == (201, [{"name": said["account"], "role": "owner"}])
    assert said["account"] != "mensajeria"
    assert [one.account_id for one in await people.accounts_of(pool, person.id)] == [other_account.id]


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"iss": "https://else.example"}, "came from another sign-in"),
        ({"aud": "another"}, "made for another program"),
        ({"aud": ["reparto", "another"]}, "made for another program"),
        ({"azp": "another"}, "made for another program"),
        ({"nonce": "another"}, "belongs to another sign-in"),
        ({"nonce": None}, "belongs to another sign-in"),
        ({"exp": 1_700_000_000}, "had expired"),
        ({"exp": None}, "had expired"),
        ({"exp": "soon"}, "lacks something"),
        ({"nbf": 4_000_000_000}, "lacks something"),
        ({"sub": None}, "lacks something"),
        ({"sub": ""}, "lacks something"),
        ({"email_verified": None}, "does not say that your e-mail address was verified"),
        ({"email_verified": False}, "does not say that your e-mail address was verified"),
        ({"email_verified": 1}, "does not say that your e-mail address was verified"),
        ({"email": "ana@else.example"}, "is of another company"),
        ({"email": "nobody@tienda.example"}, "Nobody at this account"),
        ({"email": 7}, "does not say your e-mail address"),
    ],
)
async def test_what_a_provider_says_wrongly_lets_nobody_in(client, account, pool, owner, liar, claims, said):
    await make_user(pool, account.id)
    await set_provider(client, owner, liar.issuer)
    liar.claims = claims
    status, page, mine = await by_liar(client, liar)
    assert (status, mine, said in page) == (401, None, True), page


async def test_what_anybody_could_sign_lets_nobody_in(client, account, pool, owner, liar):
    await make_user(pool, account.id)
    await set_provider(client, owner, liar.issuer)
    shown = liar.own.as_dict(private=False)
    by_secret = {"alg": "HS256", "kid": "one"}
    for header, key in (
        (by_secret, OctKey.import_key("s3cret-that-we-know-too-and-is-long-enough")),
        (by_secret, OctKey.import_key(shown["n"])),  # the public key taken for a secret
        ({"alg": "RS256", "kid": "one"}, RSAKey.generate_key(2048)),
    ):
        liar.header, liar.key = header, key
        assert "was not signed by your company" in (await by_liar(client, liar))[1]
    good = await token_of(client, liar)
    none, body = "eyJhbGciOiJub25lIn0", good.split(".")[1]
    for raw in (f"{none}.{body}.", f"{none}.{body}.{good.split('.')[2]}", "x", "a.b.c", ""):
        liar.raw = raw or "."
        assert "was not signed by your company" in (await by_liar(client, liar))[1], raw


async def token_of(client, liar):
    """Give what it would sign truly."""
    liar.header, liar.key = {"alg": "RS256", "kid": "one"}, None
    liar.authorize((await begin(client))[0])
    return liar._token()


async def test_keys_that_were_changed_are_asked_for_again(client, account, pool, owner, liar, monkeypatch):
    await make_user(pool, account.id)
    await set_provider(client, owner, liar.issuer)
    assert (await by_liar(client, liar))[0] == 200
    assert liar.asked.count("/keys") == 1
    liar.own = RSAKey.generate_key(2048, {"kid": "two"})
    liar.header = {"alg": "RS256", "kid": "two"}
    assert (await by_liar(client, liar))[0] == 401  # not so soon again, whoever sends what
    monkeypatch.setattr(discovery, "AGAIN_S", 0.0)
    assert (await by_liar(client, liar))[0] == 200
    assert (liar.asked.count("/keys"), liar.asked.count("/.well-known/openid-configuration")) == (2, 1)


async def test_an_address_is_asked_for_where_the_token_has_none(client, account, pool, owner, liar):
    await make_user(pool, account.id)
    await set_provider(client, owner, liar.issuer)
    liar.claims = {"email": None, "email_verified": None}
    liar.userinfo = {"sub": "s-2", "email": "ana@tienda.example", "email_verified": True}
    assert "lacks something" in (await by_liar(client, liar))[1]  # of somebody else
    liar.userinfo["sub"] = "s-1"
    assert (await by_liar(client, liar))[0] == 200


async def test_another_subject_does_not_become_a_user_who_has_one(client, account, pool, owner, liar):
    await make_user(pool, account.id)
    await set_provider(client, owner, liar.issuer)
    assert (await by_liar(client, liar))[0] == 200
    liar.claims = {"sub": "s-2"}
    assert "signs in as somebody else" in (await by_liar(client, liar))[1]


async def test_only_the_browser_that_began_comes_back(client, account, pool, owner, liar):
    await make_user(pool, account.id)
    await set_provider(client, owner, liar.issuer)
    url, cookie = await begin(client)
    query = liar.authorize(url)
    for wrong, half in ((query, {}), (query.replace("state=", "state=x"), cookie), ("code=secret", cookie)):
        assert "Nothing was begun" in (await back(client, wrong, half))[1]
    assert "came from another" in (await back(client, f"{query}&iss=https://else.example", cookie))[1]
    url, cookie = await begin(client)
    assert "did not let you in" in (await back(client, f"{liar.authorize(url)}&error=access_denied", cookie))[1]
    url, cookie = await begin(client)
    await pool.execute("UPDATE sign_in_step SET expires_at = now()")
    assert "Nothing was begun" in (await back(client, liar.authorize(url), cookie))[1]


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://else.example"},
        {"token_endpoint": "http://169.254.169.254/latest"},
        {"jwks_uri": "https://10.0.0.1/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": None},
        {"padding": "x" * 70_000},
    ],
)
async def test_a_provider_that_is_none_is_not_set(client, account, owner, liar, discovery):
    liar.discovery = discovery
    status, said = await set_provider(client, owner, liar.issuer)
    assert (status, [one["at"] for one in said["errors"]]) == (422, ["/issuer"])
    assert (await ask(client, "GET", "/v1/account/oidc", headers=owner))[0] == 404


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"issuer": "https://10.1.2.3"}, "/issuer"),
        ({"issuer": "ftp://x"}, "/issuer"),
        ({"issuer": "http://login.example"}, "/issuer"),
        ({"domains": ["not a domain"]}, "/domains"),
        ({"client_id": ""}, "/client_id"),
    ],
)
async def test_what_cannot_be_meant_is_not_set(client, owner, liar, body, at):
    status, said = await set_provider(client, owner, **{"issuer": liar.issuer, **body})
    assert (status, [one["at"] for one in said["errors"]]) == (422, [at])


async def test_only_owners_say_by_which_provider(client, account, pool, owner, liar):
    admin = await signed_in(pool, account.id, await make_user(pool, account.id))
    assert (await set_provider(client, admin, liar.issuer))[0] == 403
    assert (await set_provider(client, account.headers, liar.issuer))[0] == 403
    assert (await set_provider(client, owner, liar.issuer, domains=["@Tienda.EXAMPLE"]))[1]["domains"] == [
        "tienda.example"
    ]
    assert (await ask(client, "DELETE", "/v1/account/oidc", headers=admin))[0] == 403
    assert "s3cret" not in str((await ask(client, "GET", "/v1/account/oidc", headers=admin))[1])
    kept = await pool.fetchval("SELECT sealed FROM oidc_provider")
    await set_provider(client, owner, liar.issuer)
    body = {"issuer": liar.issuer, "client_id": "reparto"}
    assert (await ask(client, "PUT", "/v1/account/oidc", body, headers=owner))[1]["has_secret"] is True
    assert (await ask(client, "PUT", "/v1/account/oidc", body | {"secret": None}, headers=owner))[1][
        "has_secret"
    ] is False
    assert b"s3cret" not in kept


async def test_its_sessions_end_with_it(client, account, pool, owner, liar):
    await make_user(pool, account.id)
    await set_provider(client, owner, liar.issuer)
    _, _, mine = await by_liar(client, liar)
    await set_provider(client, owner, liar.issuer, domains=[])
    assert (await ask(client, "GET", "/v1/session", headers=mine))[0] == 200
    url, cookie = await begin(client)
    await set_provider(client, owner, liar.issuer, client_id="another")
    assert (await ask(client, "GET", "/v1/session", headers=mine))[0] == 401
    assert "Nothing was begun" in (await back(client, liar.authorize(url), cookie))[1]
    _, _, mine = await by_liar(client, liar)
    assert (await ask(client, "DELETE", "/v1/account/oidc", headers=owner))[0] == 204
    assert (await ask(client, "GET", "/v1/session", headers=mine))[0] == 401
    assert (await ask(client, "DELETE", "/v1/account/oidc", headers=owner))[0] == 404
    assert (await ask(client, "POST", "/v1/session/oidc", {"account": "mensajeria"}))[0] == 422


async def test_whoever_is_taken_out_is_out(client, account, pool, owner, liar):
    ana = await make_user(pool, account.id)
    await set_provider(client, owner, liar.issuer)
    _, _, mine = await by_liar(client, liar)
    assert (await ask(client, "DELETE", f"/v1/users/us_{ana}", headers=owner))[0] == 204
    assert (await ask(client, "GET", "/v1/session", headers=mine))[0] == 401
    assert "Nobody at this account" in (await by_liar(client, liar))[1]


async def test_an_address_that_two_accounts_claim_finds_neither(client, account, other_account, pool, owner, liar):
    await set_provider(client, owner, liar.issuer)
    email = {"email": "ana@tienda.example"}
    assert (await ask(client, "POST", "/v1/session/oidc", email))[0] == 201
    other = await signed_in(pool, other_account.id, await make_user(pool, other_account.id, "o@x.example", "owner"))
    await set_provider(client, other, liar.issuer)
    status, said = await ask(client, "POST", "/v1/session/oidc", email)
    assert (status, said["errors"][0]["at"]) == (422, "/email")
    assert (await ask(client, "POST", "/v1/session/oidc", {"account": "mensajeria"}))[0] == 201


async def test_it_is_begun_only_so_often(client, owner, liar, monkeypatch):
    monkeypatch.setattr(addresses, "SIGN_INS_OF_AN_ADDRESS", 1)
    await set_provider(client, owner, liar.issuer)
    await begin(client)
    assert (await ask(client, "POST", "/v1/session/oidc", {"account": "mensajeria"}))[0] == 429


async def test_a_provider_that_is_gone_is_said_so(client, owner):
    async with lying_provider() as liar:
        await set_provider(client, owner, liar.issuer)
        url, cookie = await begin(client)
        query = liar.authorize(url)
    assert "does not answer as it should" in (await back(client, query, cookie))[1]


async def test_the_page_offers_it(client, account, pool, owner, liar):
    page = await (await client.get("/desk?lang=en")).text()
    assert "Sign in by" not in page
    await set_provider(client, owner, liar.issuer)
    assert "Sign in by your company" in await (await client.get("/desk?lang=en")).text()
    assert "Sign in by mensajeria" in await (await client.get("/desk?lang=en&account=mensajeria")).text()
    for form, status, said in (
        ({"account": "mensajeria"}, 200, "On to your company"),
        ({"email": "ana@tienda.example"}, 200, "On to your company"),
        ({"email": "ana@else.example"}, 422, "No company, or more than one"),
        ({}, 422, "No company, or more than one"),
    ):
        response = await client.post("/desk/sign-in?lang=en", data={"company": "yes", **form})
        page = await response.text()
        assert (response.status, said in page) == (status, True), form
    response = await client.post("/desk/sign-in?lang=en", data={"company": "yes", "account": "mensajeria"})
    there = (
        (await response.text())
        .partition('href="http')[2]
        .partition('"')[0]
        .replace("&#x2f;", "/")
        .replace("&amp;", "&")
    )
    asked = parse_qs(urlsplit(f"http{there}").query)
    assert (asked["response_type"], asked["scope"]) == (["code"], ["openid email profile"])
    assert {"state", "nonce", "code_challenge", "client_id", "redirect_uri"} <= set(asked)


async def test_own_settings_are_not_set_by_it(client, account, pool, owner, liar):
    await make_user(pool, account.id)
    await set_provider(client, owner, liar.issuer)
    _, _, mine = await by_liar(client, liar)
    page = await (await client.get("/desk/settings/me?lang=en", headers=mine)).text()
    assert ("own sign-in" in page, "data-passkey" in page) == (True, False)


async def tried(client, headers, issuer, **more):
    """Try a provider; give each step, and of the last one how it went, why, and its words."""
    body = {"issuer": issuer, "client_id": "reparto", "secret": "s3cret", **more}
    status, said = await ask(client, "POST", "/v1/account/oidc/try?lang=en", body, headers=headers)
    assert status == 200, said
    assert said["works"] is ("wrong" not in [one["outcome"] for one in said["steps"]])
    last = said["steps"][-1]
    return [one["step"] for one in said["steps"]], last["outcome"], last["why"], last["said"]


async def test_a_real_provider_that_is_tried_is_good_as_far_as_it_can_be_told(client, account, pool, owner, real):
    steps, outcome, _, _ = await tried(client, owner, real)
    assert steps == ["address", "answer", "issuer", "keys", "flow", "client"]
    assert outcome in ("good", "unknown")
    assert await pool.fetchval("SELECT count(*) FROM oidc_provider") == 0


@pytest.mark.parametrize(
    ("path", "discovery", "step", "why", "words"),
    [
        ("", {"issuer": "https://other.example"}, "issuer", "issuer", "https://other.example"),
        ("", {"token_endpoint": None}, "answer", "unreadable", "lacks something"),
        ("", {"jwks_uri": "http://10.0.0.1/keys"}, "answer", "forbidden", "http://10.0.0.1/keys"),
        ("", {"response_types_supported": ["id_token"]}, "flow", "no_code", "id_token"),
        ("", {"code_challenge_methods_supported": ["plain"]}, "flow", "no_pkce", "plain"),
    ],
)
async def test_what_is_wrong_with_a_provider_is_said_in_words(client, owner, liar, path, discovery, step, why, words):
    liar.discovery = discovery
    steps, outcome, found, said = await tried(client, owner, liar.issuer + path)
    assert (steps[-1], outcome, found) == (step, "wrong", why)
    assert words in said


async def test_a_provider_that_nobody_reaches_or_without_a_key_is_wrong(client, owner, liar, real, unused_tcp_port):
    assert (await tried(client, owner, f"http://127.0.0.1:{unused_tcp_port}"))[1:3] == ("wrong", "unreached")
    assert (await tried(client, owner, f"{real}/missing"))[1:3] == ("wrong", "status")
    assert (await tried(client, owner, "http://10.0.0.1"))[1:3] == ("wrong", "address")
    assert (await tried(client, owner, "no address"))[1:3] == ("wrong", "address")
    liar.shown = [{"kty": "oct", "k": "AAAA"}]
    assert (await tried(client, owner, liar.issuer))[1:3] == ("wrong", "no_keys")


@pytest.mark.parametrize(
    ("status", "error", "outcome", "why"),
    [
        (400, "invalid_grant", "good", None),
        (401, "invalid_client", "wrong", "client"),
        (400, "unauthorized_client", "wrong", "unauthorized_client"),
        (400, "redirect_uri_mismatch", "wrong", "redirect_uri_mismatch"),
        (500, None, "unknown", "client_unknown"),
    ],
)
async def test_what_it_says_of_a_code_that_nobody_gave_tells_whether_it_knows_the_client(
    client, owner, liar, status, error, outcome, why
):
    liar.refuses = (status, {"error": error} if error else {})
    assert (await tried(client, owner, liar.issuer))[1:3] == (outcome, why)


async def test_the_stored_secret_is_told_to_nobody_but_the_stored_issuer(client, account, owner, liar):
    liar.refuses = (400, {"error": "invalid_grant"})
    await set_provider(client, owner, liar.issuer, domains=[])
    assert liar.secrets == []
    body = {"issuer": liar.issuer, "client_id": "reparto"}
    await ask(client, "POST", "/v1/account/oidc/try", body, headers=account.headers)
    assert liar.secrets == ["s3cret"]
    async with lying_provider() as thief:
        thief.refuses = liar.refuses
        await ask(client, "POST", "/v1/account/oidc/try", body | {"issuer": thief.issuer}, headers=account.headers)
        assert thief.secrets == [""]


@pytest.mark.parametrize("language", ["es", "pt", "en"])
async def test_the_page_shows_it_without_its_secret_and_lets_owners_alone_change_it(
    client, account, pool, owner, liar, language
):
    await set_provider(client, owner, liar.issuer)
    admin = await signed_in(pool, account.id, await make_user(pool, account.id))
    for headers, may in ((owner, True), (admin, False)):
        text = await (await client.get(f"/desk/settings/company?lang={language}", headers=headers)).text()
        assert "reparto.example&#x2f;desk&#x2f;sign-in&#x2f;provider" in text
        assert "s3cret" not in text
        assert ('type="submit"' in text, 'data-method="DELETE"' in text, 'name="secret"' in text) == (may,) * 3
        assert 'id="try"' in text
