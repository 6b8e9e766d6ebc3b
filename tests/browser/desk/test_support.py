"""Somebody answers the phone: one search leads to everything of a delivery."""

from typing import Any

import pytest

from tests.browser.desk.conftest import PHONE, Office, tell
from tests.browser.desk.looks import shut_out, shut_out_here
from tests.browser.waiting import until


async def test_support_answers_where_4711_is_in_one_search_and_no_scroll(browser: Any, office: Office) -> None:
    await tell(office)
    page = await office.sit(browser, "support")
    await page.goto(f"{office.url}/desk")
    await page.keyboard.press("/")
    await page.keyboard.type("4711")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".facts")
    for said in ("4711 · Ana Restrepo", "failed", "Nadie abre.", "did not arrive", "Portón verde", "No llegó nada."):
        spot = await page.get_by_text(said, exact=False).first.bounding_box()
        assert spot is not None, said
        assert spot["y"] + spot["height"] <= 900, said
    assert "norte-1" in await page.inner_text("main")
    assert await page.locator("a[href*='/desk/tours/']").count() == 0  # one delivery at a time
    await page.goto(f"{office.url}/desk/find?q=+57+300-111-2233")
    assert "/desk/stops/" in page.url
    await page.fill("[data-act*='/answers'] textarea", "Lo revisamos hoy.")
    await page.click("[data-act*='/answers'] button")
    await page.wait_for_selector("#told:not([hidden])")
    assert await office.pool.fetchval("SELECT words FROM ticket_entry WHERE said_by = 'company'") == "Lo revisamos hoy."
    assert await office.pool.fetchval("SELECT operation FROM audit_entry") == "POST /v1/tickets/{ticket}/answers"
    assert page.wrong == []


async def test_a_dispatcher_reopens_a_stop_and_two_who_answer_one_ticket_lose_nothing(
    browser: Any, office: Office
) -> None:
    await tell(office)
    page, other = await office.sit(browser), await office.sit(browser, "admin")
    for one in (page, other):
        await one.goto(f"{office.url}/desk/stops/st_{office.tour.stop_ids[0]}")
        await one.fill("textarea", "Hola")
    await other.click("[data-act*='/answers'] button")
    await other.wait_for_selector("#told:not([hidden])")
    await page.click("[data-act*='/answers'] button")
    await until(page, "document.getElementById('told').textContent.includes('Somebody changed this')")
    assert await page.input_value("textarea") == "Hola"
    await page.click("summary")
    await page.fill("[name=note]", "They are home now")
    await page.click("[data-act*='/reopen'] button")
    await page.wait_for_selector(".tag.off, .tag.doing")
    await until(page, "!document.querySelector('h1 .broken')")
    assert "reopened" in [row["type"] for row in await office.pool.fetch("SELECT type FROM driver_event")]


@pytest.mark.parametrize(("scheme", "looks"), [("light", PHONE), ("dark", {})], ids=["phone", "desk"])
async def test_nobody_is_shut_out(browser: Any, office: Office, scheme: str, looks: Any) -> None:
    await tell(office)
    page = await office.sit(browser, lang="es", color_scheme=scheme, **looks)
    paths = (f"stops/st_{office.tour.stop_ids[0]}", "find?q=medell")
    assert await shut_out(page, *(f"{office.url}/desk/{path}" for path in reversed(paths))) == {}
    await page.emulate_media(media="print")  # of a dark screen, too, on white paper
    assert await shut_out_here(page) == {}
    assert page.wrong == []
