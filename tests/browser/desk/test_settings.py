"""Pages of settings in a real browser: who is told of alerts, the company's sign-in, drivers who are invited.

Two looks of each in the suite; with `SCREENS` pictures in every language, on a phone and a desk, light and dark.
"""

from pathlib import Path
from typing import Any

import pytest

from sql.messages.setup import put_channel
from tests.browser.desk.conftest import DESK, PHONE, Office
from tests.browser.desk.looks import SCREENS, picture, shut_out_here
from tests.browser.test_push import SUBSCRIBE
from tests.browser.waiting import until
from work.messages.channels.push import new_key
from work.outgoing.sealed import open_sealer

ALL_LOOKS = [
    (lang, size, scheme) for lang in ("es", "pt", "en") for size in (PHONE, DESK) for scheme in ("light", "dark")
]
LOOKS = ALL_LOOKS if SCREENS else [("es", PHONE, "dark"), ("pt", DESK, "light")]


@pytest.mark.parametrize(("lang", "size", "scheme"), LOOKS)
async def test_nobody_is_shut_out(
    browser: Any, office: Office, tmp_path: Path, lang: str, size: Any, scheme: str
) -> None:
    sealer = open_sealer("", tmp_path)  # with the key of the office
    settings, secrets = {"contact": "mailto:soporte@tienda.example"}, sealer.seal({"key": new_key()})
    await put_channel(
        office.pool, account_id=office.account_id, channel="push", enabled=True, settings=settings, secrets=secrets
    )
    rules = {
        "alert_mails": [{"severity": "critical", "types": ["driver.sos"], "emails": ["guardia@seguridad.example"]}]
    }
    await office.pool.execute("UPDATE account SET settings = settings || $2 WHERE id = $1", office.account_id, rules)
    page = await office.sit(browser, "owner", lang=lang, color_scheme=scheme, permissions=["notifications"], **size)
    await page.context.add_init_script(SUBSCRIBE.replace("PUSH_SERVICE", "'https://push.example'"))
    for name in ("settings/alerts", "settings/company", "settings/users"):
        await page.goto(f"{office.url}/desk/{name}?lang={lang}")
        await page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true })")
        await picture(page, f"{name}-{lang}-{scheme}")
        assert await shut_out_here(page) == {}, name
    await page.goto(f"{office.url}/desk/alerts?lang={lang}")
    for pressed in (True, False):
        await page.click("#push")
        await until(page, f"document.getElementById('push').getAttribute('aria-pressed') === '{str(pressed).lower()}'")
        await picture(page, f"alerts-push-{pressed}-{lang}-{scheme}")
        assert await shut_out_here(page) == {}
    assert page.wrong == []


async def test_an_admin_says_who_is_told_and_what_is_wrong_stands_at_its_field(browser: Any, office: Office) -> None:
    page = await office.sit(browser, "admin")
    await page.goto(f"{office.url}/desk/settings/alerts")
    await page.click("[data-add-row]")
    row = page.locator("[data-rows=alert_mails] > [data-row]")
    await page.click("main form button[type=submit]")
    await page.get_by_role("alert").get_by_text("Look at the marked field").wait_for()
    await row.locator("[name=emails]").fill("guardia@seguridad.example, nobody")
    await page.click("main form button[type=submit]")
    await until(page, "document.querySelector('[name=emails]').getAttribute('aria-invalid') === 'true'")
    await row.locator("[name=emails]").fill("guardia@seguridad.example\nturno@tienda.example")
    await row.locator("[name=severity]").select_option("critical")
    await row.locator("[name=users]").first.check()
    async with page.expect_navigation():
        await page.click("main form button[type=submit]")
    assert "turno" in await row.locator("[name=emails]").input_value()
    kept = await office.pool.fetchval("SELECT settings -> 'alert_mails' FROM account")
    assert [(one["severity"], one["emails"], len(one["users"])) for one in kept] == [
        ("critical", ["guardia@seguridad.example", "turno@tienda.example"], 1)
    ]
    await page.click("[data-drop-row]")
    assert await page.locator(".rule:visible").count() == 0  # all of them as usual, and folded away
    wait = page.locator("[name='alert_rules/driver.silent/wait_minutes']")
    await page.locator("summary", has_text="As usual").click()
    await wait.fill("-1")
    await page.locator("summary", has_text="As usual").click()
    await page.click("main form button[type=submit]")
    await wait.wait_for(state="visible")  # it is wrong, so it is shown
    await wait.fill("10")
    async with page.expect_navigation():
        await page.click("main form button[type=submit]")
    assert await row.count() == 0
    assert await office.pool.fetchval("SELECT settings -> 'alert_mails' FROM account") == []
    assert await page.locator(".rule:visible").count() == 1


async def test_a_provider_that_is_tried_says_what_is_wrong_and_keeps_what_was_typed(
    browser: Any, office: Office
) -> None:
    page = await office.sit(browser, "owner", lang="es")
    await page.goto(f"{office.url}/desk/settings/company?lang=es")
    await page.fill("[name=issuer]", "https://10.0.0.1")
    await page.fill("[name=client_id]", "reparto")
    await page.fill("[name=secret]", "s3cret")
    await page.click("#try")
    await page.locator("#tried .tag.broken").wait_for()
    assert "no se le puede preguntar" in await page.inner_text("#tried")
    assert await page.input_value("[name=secret]") == "s3cret"
    assert await office.pool.fetchval("SELECT count(*) FROM oidc_provider") == 0


async def test_a_driver_is_invited_as_one_of_the_drivers(browser: Any, office: Office) -> None:
    page = await office.sit(browser, "admin")
    await page.goto(f"{office.url}/desk/settings/users")
    invite = page.locator("form[data-path='/v1/invitations']")
    assert not await invite.locator("[name=driver]").is_visible()
    await invite.locator("[name=email]").fill("marta@tienda.example")
    await invite.locator("[name=role]").select_option("driver")
    await invite.locator("[name=driver]").select_option(label="Marta Quintero")
    await invite.get_by_role("button").click()
    await page.locator("[data-fill=link]").get_by_text("/desk/link/").wait_for()
    link = await office.pool.fetchrow("SELECT role, driver_id FROM desk_link")
    assert tuple(link) == ("driver", office.tour.driver_id)
    await invite.locator("[name=email]").fill("eva@tienda.example")
    await invite.locator("[name=role]").select_option("viewer")
    await invite.get_by_role("button").click()
    await page.wait_for_function("document.querySelectorAll('[data-fill=link]').length === 1")
    await until(page, "!document.querySelector('form[data-path=\"/v1/invitations\"] [role=alert]:not([hidden])')")
