"""Nobody is shut out of any page of the desk, and no page shows what is for programs."""

from typing import Any

import pytest

from sql.account.accounts import ensure_account
from tests.browser.desk.conftest import PHONE, Office
from tests.browser.desk.every_page import codes, empty_pages, fill, pages_of
from tests.browser.desk.looks import ASIDE, shut_out


@pytest.mark.parametrize(
    ("is_empty", "lang", "scheme", "looks"),
    [(False, "pt", "dark", PHONE), (False, "es", "light", {}), (True, "en", "light", PHONE)],
    ids=["phone", "wide", "empty"],
)
async def test_every_page(browser: Any, office: Office, is_empty: bool, lang: str, scheme: str, looks: Any) -> None:
    if is_empty:
        office.account_id = await ensure_account(office.pool, "Empresa nueva")
    else:
        await fill(office, await office.sit(browser, "owner"))
    page = await office.sit(browser, "owner", lang=lang, color_scheme=scheme, **looks)
    found: dict[Any, Any] = {}
    for path in (empty_pages() if is_empty else pages_of(office)).values():
        found |= await shut_out(page, f"{office.url}{path}")
        if said := await codes(page):
            found[path, "codes"] = said
    await page.context.clear_cookies()
    found |= await shut_out(page, f"{office.url}/desk")  # to sign in
    assert found == {}


@pytest.mark.parametrize("lang", ["es", "pt", "en"])
async def test_the_top_is_one_line_on_a_usual_screen(browser: Any, office: Office, lang: str) -> None:
    page = await office.sit(browser, "owner", lang=lang, viewport={"width": 1280, "height": 900})
    for path in ("/desk", "/desk/reports", "/desk/settings/me"):
        await page.goto(f"{office.url}{path}")
        assert await page.locator(".desk-top").evaluate("one => one.offsetHeight") <= 64


async def test_reports_are_read_on_a_phone_without_scrolling_aside(browser: Any, office: Office) -> None:
    page = await office.sit(browser, lang="pt", **PHONE)
    await page.goto(f"{office.url}/desk/reports?by=driver")
    assert await page.locator(".wide").evaluate_all(ASIDE) == [0]
    assert (
        await page.locator("tbody td").first.evaluate("one => getComputedStyle(one, '::before').content") == '"Paradas"'
    )


@pytest.mark.parametrize("looks", [PHONE, {}], ids=["phone", "wide"])
async def test_names_of_one_long_word_widen_no_page(browser: Any, office: Office, looks: Any) -> None:
    await fill(office, await office.sit(browser, "owner"))
    word, tour = "Ñ4711" * 40, office.tour
    await tour.change_stop(0, external_id=word, name=word, address=word, instructions=word)
    await office.pool.execute("UPDATE route SET external_id = $2 WHERE id = $1", tour.route_id, word)
    await office.pool.execute("UPDATE driver SET name = $2, external_id = $2 WHERE id = $1", tour.driver_id, word)
    await office.pool.execute("UPDATE account SET name = $2 WHERE id = $1", office.account_id, word)
    page = await office.sit(browser, "owner", **looks)
    wide = {}
    for path in pages_of(office).values():
        await page.goto(f"{office.url}{path}")
        by = await page.evaluate("document.documentElement.scrollWidth") - page.viewport_size["width"]
        if by > 0:
            wide[path] = by
    assert wide == {}
