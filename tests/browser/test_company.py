"""Somebody signs in by their company's identity provider, of another site, in a real browser."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from api.desk.oidc import endpoints as oidc
from api.desk.passwords import PASSWORDS, Passwords
from api.desk_page import endpoints as desk_page
from api.http import assets
from api.http.app_keys import CONFIG, GUARD, POOL, SEALER
from api.http.config import ApiConfig
from api.http.known.keys import KEYS, KeyCache
from api.http.problem import problems
from api.http.shares.bodies import BODIES, Bodies
from sql.account.accounts import ensure_account
from sql.desk.oidc import OidcProvider, put_provider
from sql.pool import Pool
from tests.api.desk.desk import CHEAP, make_user
from tests.browser.axe import violations
from tests.providers.identity import put_user, real_provider
from tests.providers.watched import LOCAL
from work.outgoing.sealed import Sealer


@pytest.fixture
async def desk(pool: Pool, sealer: Sealer) -> AsyncIterator[str]:
    """Where the desk is: another site than its provider's, whose cookies are as strange to it as in life."""
    app = web.Application(middlewares=[problems])
    app[POOL], app[CONFIG], app[KEYS] = pool, ApiConfig(), KeyCache(pool)
    app[BODIES] = Bodies(app[CONFIG].body_bytes_at_once, wait_s=app[CONFIG].body_wait_s)
    app[SEALER], app[GUARD], app[PASSWORDS] = sealer, LOCAL, Passwords(CHEAP)
    for module in (oidc, desk_page):
        module.operations.add_to(app)
    assets.add_to(app)
    account_id = await ensure_account(pool, "Mensajería Aburrá")
    await make_user(pool, account_id)
    with real_provider() as issuer:
        await put_user(issuer, "u-1", email="ana@tienda.example", email_verified=True)
        provider = OidcProvider(
            account_id=account_id,
            issuer=issuer,
            client_id="reparto",
            sealed=sealer.seal({"secret": "s3cret"}),
            domains=["tienda.example"],
        )
        async with pool.acquire() as db:
            await put_provider(db, provider)
        async with TestServer(app) as server:
            yield f"http://localhost:{server.port}/desk"


async def test_there_and_back(browser: Any, desk: str) -> None:
    context = await browser.new_context(viewport={"width": 360, "height": 780})
    page = await context.new_page()
    await page.goto(f"{desk}?lang=en")
    await page.get_by_label("E-mail address").fill("ana@tienda.example")
    assert [one["id"] for one in await violations(page)] == []
    await page.get_by_role("button", name="Sign in by your company").click()
    await page.locator("input[name=sub]").fill("u-1")
    await page.locator("input[name=sub]").press("Enter")
    await page.get_by_text("Tours today").first.wait_for()
    assert page.url == f"{desk}?lang=en"
    cookies = {one["name"]: one["sameSite"] for one in await context.cookies(desk)}
    assert cookies == {"reparto": "Strict"}
    await page.goto(f"{desk}/sign-in/provider?lang=en")
    await page.get_by_text("Nothing was begun in this browser").wait_for()
    assert [one["id"] for one in await violations(page)] == []
