"""Somebody adds a passkey and codes of a phone at their own page, and signs in with them, in a real browser."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from api.account import keys
from api.desk import invitations, passkeys, session, totp, users
from api.desk.codes import STEP_S, code_at
from api.desk.passwords import PASSWORDS, Passwords
from api.desk_page import endpoints as desk_page
from api.desk_page.settings import me, people
from api.http import assets
from api.http.app_keys import CONFIG, GUARD, POOL, SEALER
from api.http.config import ApiConfig
from api.http.known.keys import KEYS, KeyCache
from api.http.problem import problems
from api.http.shares.bodies import BODIES, Bodies
from sql.account.accounts import ensure_account
from sql.pool import Pool
from tests.api.desk.desk import CHEAP, PASSWORD, make_user
from tests.browser.axe import violations
from tests.providers.watched import LOCAL
from work.outgoing.sealed import Sealer

TOUCHED_BY_ITSELF = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
async def desk(pool: Pool, sealer: Sealer) -> AsyncIterator[str]:
    """Where the desk is: a name, as passkeys need one."""
    app = web.Application(middlewares=[problems])
    app[POOL], app[CONFIG], app[KEYS] = pool, ApiConfig(), KeyCache(pool)
    app[SEALER], app[GUARD], app[PASSWORDS] = sealer, LOCAL, Passwords(CHEAP)
    app[BODIES] = Bodies(app[CONFIG].body_bytes_at_once, wait_s=app[CONFIG].body_wait_s)
    for module in (session, totp, passkeys, users, invitations, keys, desk_page, me, people):
        module.operations.add_to(app)
    assets.add_to(app)
    await make_user(pool, await ensure_account(pool, "Mensajería Aburrá"))
    async with TestServer(app) as server:
        yield f"http://localhost:{server.port}/desk"


@pytest.fixture
async def page(browser: Any) -> Any:
    """A page of a browser with an authenticator that says yes; nothing may go wrong in its console."""
    context = await browser.new_context(viewport={"width": 360, "height": 780})
    made = await context.new_page()
    made.said = []
    made.on("pageerror", lambda error: made.said.append(str(error)))
    devices = await context.new_cdp_session(made)
    await devices.send("WebAuthn.enable")
    await devices.send("WebAuthn.addVirtualAuthenticator", {"options": TOUCHED_BY_ITSELF})
    return made


async def sign_in(page: Any, desk: str) -> None:
    await page.goto(f"{desk}?lang=en")
    await page.get_by_label("E-mail address").fill("ana@tienda.example")
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def test_a_passkey_is_added_and_signs_in(page: Any, desk: str) -> None:
    await sign_in(page, desk)
    await page.get_by_role("link", name="Settings").click()
    form = page.locator("form[data-passkey]")
    await form.get_by_label("A name").fill("Phone")
    await form.get_by_label("Your password").fill("wrong")
    await form.get_by_role("button").click()
    await form.get_by_role("alert").get_by_text("Look at the marked field").wait_for()
    assert await form.get_by_label("A name").input_value() == "Phone"
    await form.get_by_label("Your password").fill(PASSWORD)
    await form.get_by_role("button").click()
    await page.get_by_role("button", name="Remove: Phone").wait_for()
    assert [one["id"] for one in await violations(page)] == []
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.get_by_role("heading", name="Tours today").wait_for()
    assert page.said == []


async def test_codes_of_a_phone_are_switched_on_and_asked_for(page: Any, desk: str, pool: Pool, sealer: Sealer) -> None:
    await sign_in(page, desk)
    await page.get_by_role("link", name="Settings").click()
    await page.get_by_label("Your password").nth(1).fill(PASSWORD)
    await page.get_by_role("button", name="Begin").click()
    await page.get_by_role("img", name="QR code").wait_for()
    assert await page.get_by_role("img", name="QR code").evaluate("one => one.complete && one.naturalWidth > 100")
    sealed = await pool.fetchval("SELECT sealed FROM person_totp")
    secret = bytes.fromhex(sealer.open(sealed)["secret"])

    def code(steps: int) -> str:
        return code_at(secret, int(datetime.now(UTC).timestamp()) // STEP_S + steps)

    await page.get_by_label("Code", exact=True).fill(code(0))
    await page.get_by_role("button", name="Ask for codes from now on").click()
    await page.get_by_role("heading", name="Your recovery codes").wait_for()
    recovery = (await page.locator("[data-fill=recovery_codes]").inner_text()).split()
    assert len(recovery) == 10
    assert [one["id"] for one in await violations(page)] == []
    await page.get_by_role("button", name="I have kept them").click()
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await sign_in(page, desk)
    await page.get_by_label("Code").fill(recovery[0])
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("heading", name="Tours today").wait_for()
    assert page.said == []


async def test_an_admin_invites_somebody_and_makes_and_revokes_a_key(page: Any, desk: str, pool: Pool) -> None:
    await sign_in(page, desk)
    await page.get_by_role("link", name="Settings").click()
    await page.get_by_role("link", name="People").click()
    await page.get_by_label("E-mail address").fill("beto@tienda.example")
    await page.get_by_role("button", name="Invite").click()
    link = page.locator("[data-fill=link]").get_by_text("/desk/link/")
    await link.wait_for()
    assert [one["id"] for one in await violations(page)] == []
    await page.get_by_role("button", name="Done").click()
    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Take back: beto@tienda.example").click()
    await page.get_by_text("Invited, and not here yet").wait_for(state="detached")
    await page.get_by_role("link", name="API keys").click()
    await page.get_by_label("What it is for").fill("Tienda")
    await page.get_by_label("Works until").fill("2030-01-31")
    await page.get_by_role("button", name="Make the key").click()
    secret = page.locator("[data-fill=key]").get_by_text("rpk_")
    await secret.wait_for()
    assert [one["id"] for one in await violations(page)] == []
    await page.get_by_role("button", name="I have kept them").click()
    await page.get_by_text("until 31 Jan 2030").wait_for()
    await page.get_by_role("button", name="Revoke: Tienda").click()
    await page.get_by_text("There is no key yet.").wait_for()
    assert page.said == []
