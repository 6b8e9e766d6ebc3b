"""A dispatcher's whole day, from signing in to the evening's board.

In Spanish; `make desk-day` has it in each language, and axe looks at every page as it stands then, which costs most of
the time: in the suite the tests of the pages do that.
"""

import os
from datetime import timedelta
from typing import Any

import pytest

from tests.api.desk.desk import PASSWORD, make_user
from tests.api.tour_rows import Tour
from tests.browser.desk.conftest import DESK, Office, tell
from tests.browser.desk.looks import picture, shut_out_here
from tests.browser.desk.test_inbox import alert
from tests.browser.waiting import until

LANGUAGES = os.environ.get("LANGUAGES", "").split()


@pytest.mark.parametrize("lang", LANGUAGES or ["es"])
async def test_a_day_at_the_desk(browser: Any, office: Office, lang: str) -> None:
    others = {"start_at": office.tour.start_at, "external_id": "sur-2", "driver": "Luis Díaz"}
    other = await Tour.put(office.pool, office.account_id, **others)
    await other.see_van(300, at=office.now)
    await office.pool.execute("UPDATE stop SET external_id = 'b-' || seq WHERE route_id = $1", other.route_id)
    await make_user(office.pool, office.account_id, "eva@tienda.example", "dispatcher")
    locale = {"es": "es-CO", "pt": "pt-BR", "en": "en-GB"}[lang]
    context = await browser.new_context(**DESK, locale=locale, reduced_motion="reduce")
    page = await context.new_page()
    page.wrong = []
    page.on("pageerror", lambda one: page.wrong.append(str(one)))

    async def holds(name: str) -> None:
        await picture(page, f"day-{lang}-{name}")
        assert not LANGUAGES or await shut_out_here(page) == {}, name
        assert await page.get_attribute("html", "lang") == lang

    await page.goto(f"{office.url}/desk")  # as the browser's language asks
    await holds("sign-in")
    stream = "**/v1/positions/stream?*"
    await context.route(stream, lambda one: one.abort())
    await page.fill("#email", "eva@tienda.example")
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.wait_for_selector("#cut:not([hidden])")
    await context.unroute(stream)
    await until(page, "document.querySelectorAll('#vans button').length === 2 && document.getElementById('cut').hidden")
    await holds("morning")
    await other.see_van(500, at=office.now, delay_s=1800.0)
    await other.tell()
    await until(page, "document.querySelector('.chip[data-state=late] b').textContent === '1'")
    await page.click("#vans button >> nth=0")
    await page.click("#to-tour")
    await page.goto(f"{office.url}/desk/tours/rt_{office.tour.route_id}?lang={lang}")
    await page.locator("#ahead li").nth(2).locator("[data-move='-1']").click()
    await until(page, "document.getElementById('cost-said').textContent.length > 0")
    await page.click("#apply")
    await page.wait_for_selector("#told:not([hidden])")
    await alert(office, "route.off_route", 2)
    await page.goto(f"{office.url}/desk/alerts?lang={lang}")
    await page.click("[data-act*='/take'] button")
    await page.wait_for_selector("#told:not([hidden])")
    await holds("alerts")
    await page.click(".alerts a")
    await page.click("#all")  # the van broke down: five acts give what is left to another one
    await page.check("#move [name=to]")
    await until(page, "!document.getElementById('move-apply').disabled")
    await holds("breakdown")
    await page.click("#move-apply")
    await page.wait_for_selector("#told:not([hidden])")
    assert await page.locator("#ahead li").count() == 0
    await tell(office)
    await page.keyboard.press("/")
    await page.keyboard.type("4711")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".facts")
    await holds("call")
    at = office.now + timedelta(minutes=1)
    for place in range(3):
        await other.change_stop(place, status="completed", arrived_at=at, outcome_at=at)
    await page.click(".desk-top a[href^='/desk/board']")
    await page.wait_for_selector(".board")
    assert "sur-2" in await page.inner_text(".board")
    numbers = await page.locator(".facts dd").all_inner_texts()  # of the whole day: what it came to
    assert numbers[2].startswith("3/"), numbers
    await holds("evening")
    await page.click(".desk-top form[action*='sign-out'] button")
    await page.wait_for_selector("#password")
    acts = [row["operation"] for row in await office.pool.fetch("SELECT operation FROM audit_entry ORDER BY id")]
    route = "/v1/routes/{route}"
    assert acts == [
        "POST /desk/sign-in", f"PUT {route}/sequence", "POST /v1/alerts/{alert}/take", f"POST {route}/moves",
        "POST /desk/sign-out",
    ]  # fmt: skip
    assert page.wrong == []
    await context.close()
