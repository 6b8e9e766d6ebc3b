"""People of the company set what is theirs at the desk, by its forms, in a real browser."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from api.account import endpoints as account_api
from api.desk.passwords import PASSWORDS, Passwords
from api.desk_page import endpoints as desk_page
from api.desk_page.settings import account, brand, messages, offers, phones, webhooks
from api.fleet import devices, drivers
from api.http import assets
from api.http.app_keys import CONFIG, GUARD, POOL, SEALER
from api.http.config import ApiConfig
from api.http.known.devices import DEVICES, DeviceCache
from api.http.known.keys import KEYS, KeyCache
from api.http.problem import problems
from api.http.shares.bodies import BODIES, Bodies
from api.http.shares.rates import ACCOUNT_WRITES, Rates
from api.messages import kinds
from api.offers import points, slots
from api.webhooks import endpoints as webhooks_api
from sql.account.accounts import ensure_account
from sql.pool import Pool
from tests.api.desk.desk import CHEAP, make_user, signed_in
from tests.api.tour_rows import Tour
from tests.browser.axe import violations
from tests.providers.watched import LOCAL
from work.outgoing.sealed import Sealer

PAGES = (account, brand, messages, offers, phones, webhooks)
OPERATIONS = (account_api, kinds, slots, points, webhooks_api, drivers, devices)


@pytest.fixture
async def account_id(pool: Pool) -> int:
    return await ensure_account(pool, "Mensajería Aburrá")


@pytest.fixture
async def desk(pool: Pool, sealer: Sealer, account_id: int) -> AsyncIterator[str]:
    app = web.Application(middlewares=[problems])
    app[POOL], app[CONFIG], app[KEYS], app[DEVICES] = pool, ApiConfig(), KeyCache(pool), DeviceCache(pool)
    app[SEALER], app[GUARD], app[PASSWORDS] = sealer, LOCAL, Passwords(CHEAP)
    app[ACCOUNT_WRITES] = Rates(1_000, of="changes", whose="account")
    app[BODIES] = Bodies(app[CONFIG].body_bytes_at_once, wait_s=app[CONFIG].body_wait_s)
    for module in (desk_page, *PAGES, *OPERATIONS):
        module.operations.add_to(app)
    assets.add_to(app)
    async with TestServer(app) as server:
        yield f"http://localhost:{server.port}/desk/settings"


@pytest.fixture
async def page(browser: Any, pool: Pool, account_id: int, desk: str) -> Any:
    """A page in which an admin is signed in; nothing may go wrong in its console."""
    context = await browser.new_context(viewport={"width": 360, "height": 780})
    cookie = (await signed_in(pool, account_id, await make_user(pool, account_id), "reparto"))["Cookie"]
    name, _, value = cookie.partition("=")
    await context.add_cookies([{"name": name, "value": value, "domain": "localhost", "path": "/"}])
    made = await context.new_page()
    made.said = []
    made.on("pageerror", lambda error: made.said.append(str(error)))
    made.on("console", lambda one: made.said.append(one.text) if one.type == "error" else None)
    made.on("dialog", lambda dialog: dialog.accept())
    return made


async def saved(page: Any) -> None:
    """Press the first button that saves, and wait for the page to come again."""
    async with page.expect_navigation():
        await page.get_by_role("button", name="Save", exact=True).first.click()


async def is_clean(page: Any) -> None:
    assert [(one["id"], one["nodes"][0]["html"]) for one in await violations(page)] == []
    assert page.said == []


async def settings_of(pool: Pool, account_id: int) -> Any:
    return await pool.fetchval("SELECT settings FROM account WHERE id = $1", account_id)


async def test_what_the_account_has_for_all(page: Any, desk: str, pool: Pool, account_id: int) -> None:
    await page.goto(f"{desk}/brand?lang=en")
    await page.get_by_label("Name", exact=True).fill("Aburrá")
    await page.get_by_label("Colour", exact=True).fill("#aa0011")
    shown = page.frame_locator("#preview")
    await shown.get_by_text("Aburrá").wait_for()
    colour = "getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()"
    frame = page.frame(url="**/brand/preview**")
    await frame.wait_for_function(f"{colour} === '#aa0011'")
    await is_clean(page)
    await saved(page)
    await page.goto(f"{desk}/reasons?lang=en")
    await page.get_by_role("button", name="Remove: Otro motivo").click()
    await page.get_by_role("button", name="Add a reason").click()
    await page.get_by_label("Code").last.fill("dog")
    await page.get_by_label("Text").last.fill("Perro suelto")
    await is_clean(page)
    await saved(page)
    await page.goto(f"{desk}/visibility?lang=en")
    await page.get_by_label("Minutes, at most").fill("30")
    await page.get_by_label("where the van is").check()
    await page.get_by_label("Ask for a return").check()
    await is_clean(page)
    await saved(page)
    await page.goto(f"{desk}/alerts?lang=en")
    await page.locator("summary", has_text="As usual").click()
    late = page.locator("li", has_text="It will come after its promise")
    await late.get_by_label("How much it hurries").select_option("critical")
    await late.get_by_label("Wait, in minutes").fill("10")
    await is_clean(page)
    await saved(page)
    await page.goto(f"{desk}/kept?lang=en")
    await page.get_by_label("Places of drivers that are kept").select_option("shift")
    await is_clean(page)
    await saved(page)
    now = await settings_of(pool, account_id)
    assert (now["brand"], now["colours"], now["languages"]) == ("Aburrá", {"primary": "#aa0011"}, ["es", "pt", "en"])
    assert [one["code"] for one in now["failure_reasons"]][-2:] == ["no_access", "dog"]
    assert now["visibility"] == {"max_stops_before": 3, "max_minutes": 30, "never": ["position"]}
    assert now["alert_rules"]["eta.late"] == {"severity": "critical", "wait_minutes": 10}
    assert (now["recipient_may_not"], now["location_policy"]) == (["return"], "shift")


async def test_a_message_is_looked_at_and_written(page: Any, desk: str, pool: Pool, account_id: int) -> None:
    await Tour.put(pool, account_id, start_at=datetime.now(UTC))
    await page.goto(f"{desk}/messages?lang=en&kind=approaching&channel=sms&locale=en")
    await page.get_by_role("button", name="Look at it").click()
    await page.get_by_text("So it would leave").wait_for()
    usual = await page.locator("[data-fill=body]").text_content()
    await page.get_by_label("Your own text").fill("Hi {{ first_name }}, {{ nonsense }}")
    await page.get_by_role("button", name="Look at it").click()
    await page.get_by_text("unknown-variable: nonsense").wait_for()
    assert usual not in await page.locator("[data-fill=body]").text_content()
    await page.get_by_role("button", name="Save").last.click()
    await page.get_by_text("there is no variable").or_(page.locator("[aria-invalid]")).first.wait_for()
    page.said.clear()  # the browser's own line of the 422
    await page.get_by_label("Your own text").fill("Hi {{ first_name }}: {{ link }}")
    await is_clean(page)
    async with page.expect_navigation():
        await page.get_by_role("button", name="Save").last.click()
    await page.get_by_label("Quiet from").fill("")
    await page.get_by_label("Quiet until").fill("")
    await page.get_by_label("Channels 1").select_option("sms")
    await page.get_by_label("Channels 2").select_option("")
    await page.get_by_label("Channels 3").select_option("")
    await page.get_by_label("Channels 4").select_option("")
    await saved(page)
    kept = await pool.fetchval("SELECT settings FROM message_kind WHERE kind = 'approaching'")
    assert (kept["channels"], kept["quiet_hours"]) == (["sms"], None)
    assert kept["texts"]["sms"]["en"]["body"] == "Hi {{ first_name }}: {{ link }}"


async def test_slots_and_points_are_offered(page: Any, desk: str, pool: Pool) -> None:
    await page.goto(f"{desk}/slots?lang=en")
    await page.get_by_label("Zone").fill("centro")
    await page.get_by_label("From").fill("2036-03-02T10:00")
    await page.get_by_label("Until", exact=True).fill("2036-03-02T12:00")
    await page.get_by_label("Places").fill("20")
    await page.get_by_role("button", name="Offer it").click()
    await page.get_by_text("0 / 20").wait_for()
    await is_clean(page)
    await page.get_by_text("Change", exact=True).click()
    await page.locator("li").get_by_label("Places").fill("5")
    await saved(page)
    assert tuple(await pool.fetchrow("SELECT most_stops, most_load FROM slot")) == (5, None)
    await page.goto(f"{desk}/points?lang=en")
    await page.get_by_label("Name", exact=True).fill("Kiosko")
    await page.get_by_label("Address").fill("Cl. 10 # 43")
    await page.get_by_label("Latitude").fill("95")
    await page.get_by_label("Longitude").fill("-75.56")
    await page.get_by_label("Latitude").fill("6.25")
    await page.get_by_role("button", name="Add the point").click()
    await page.get_by_text("Change", exact=True).click()
    await page.get_by_label("It may be chosen").uncheck()
    await is_clean(page)
    await saved(page)
    assert tuple(await pool.fetchrow("SELECT name, lat, enabled FROM pickup_point")) == ("Kiosko", 6.25, False)


async def test_a_webhook_is_made_tried_switched_off_and_removed(page: Any, desk: str, pool: Pool) -> None:
    await page.goto(f"{desk}/webhooks?lang=en")
    await page.get_by_label("Address", exact=False).first.fill("https://10.0.0.1/x")
    await page.locator("form[data-path='/v1/webhooks'] button").click()
    await page.get_by_text("may not be reached").or_(page.locator("[aria-invalid]")).first.wait_for()
    page.said.clear()
    await page.locator("#url").fill("http://127.0.0.1:9/hook")
    await page.locator("form[data-path='/v1/webhooks'] button").click()
    await page.locator("#secret [data-fill=secret]").get_by_text("whsec_").wait_for()
    await is_clean(page)
    async with page.expect_navigation():
        await page.locator("#secret [data-reload]").click()
    await page.locator("summary").click()
    await page.locator("form[data-path$='/test'] button").click()
    await page.locator("[id^=tried]").wait_for()
    await page.get_by_role("checkbox").uncheck()
    await saved(page)
    assert await pool.fetchval("SELECT enabled FROM webhook") is False
    await page.locator("summary").click()
    async with page.expect_navigation():
        await page.locator("form[data-method=DELETE] button").click()
    assert await pool.fetchval("SELECT count(*) FROM webhook WHERE enabled") == 0
    await is_clean(page)


async def test_a_phone_is_let_in_and_shut_out(page: Any, desk: str, pool: Pool, account_id: int) -> None:
    await pool.execute(
        "INSERT INTO driver (account_id, external_id, name, lane) VALUES ($1, 'luis', 'Luis', 0)", account_id
    )
    await page.goto(f"{desk}/phones?lang=en")
    await page.locator("summary").first.click()
    await page.locator("form[data-method=POST] button").first.click()
    await page.locator("img[data-fill]").first.wait_for()
    assert (await page.locator("img[data-fill]").first.get_attribute("src")).startswith("data:image/svg+xml;base64,")
    await is_clean(page)
    await page.goto(f"{desk}/phones?lang=en")
    async with page.expect_navigation():
        await page.locator("form[data-method=DELETE] button").first.click()
    assert await pool.fetchval("SELECT count(*) FROM device WHERE revoked_at IS NULL") == 0
