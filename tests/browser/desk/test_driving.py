"""A driver without an app: their own tour in the browser of their phone, and what they say there."""

import base64
from typing import Any

import pytest

from tests.browser.desk.conftest import PHONE, Office
from tests.browser.desk.looks import picture, shut_out_here
from tests.browser.waiting import until

PHOTO = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def said(office: Office) -> list[tuple[str, str, bool]]:
    rows = await office.pool.fetch(
        "SELECT type, name, effective FROM driver_event JOIN stop ON stop.id = stop_id ORDER BY received_at"
    )
    return [(row["type"], row["name"], row["effective"]) for row in rows]


async def test_a_driver_delivers_fails_and_skips_and_a_wrong_pin_keeps_what_was_typed(
    browser: Any, office: Office
) -> None:
    page = await office.sit(browser, "driver", **PHONE)
    await page.goto(f"{office.url}/desk")
    assert page.url.startswith(f"{office.url}/desk/driving")
    assert await page.inner_text("#stop-name") == "Ana Restrepo"
    await page.click("[data-says=arrived] button")
    await page.wait_for_selector("#told:not([hidden])")
    await page.click("summary >> text=Delivered")
    await page.fill("[name=pin]", "1")
    await page.fill("[name=cash]", "85000")
    await page.fill("[name=recipient]", "Ana")
    await page.click("[data-says=completed] button")
    await page.get_by_text("That is not the PIN").wait_for()
    assert await page.input_value("[name=recipient]") == "Ana"
    pin = await office.pool.fetchval("SELECT count(*) FROM driver_event WHERE flaw = 'wrong-pin'")
    assert pin == 1
    await office.pool.execute("UPDATE stop SET proof = '{photo}' WHERE external_id = '4711'")
    await page.set_input_files("#photo", {"name": "puerta.png", "mimeType": "image/png", "buffer": PHOTO})
    await page.context.set_offline(True)
    await page.click("[data-says=completed] button")
    await page.get_by_text("No connection.").wait_for()
    await page.context.set_offline(False)
    await page.click("[data-says=completed] button")
    await until(page, "document.getElementById('stop-name').textContent === 'Ferretería El Tornillo'")
    assert await office.pool.fetchval("SELECT kind FROM proof") == "photo"
    await page.click("summary >> text=It failed")
    await page.select_option("[name=reason]", "nobody_home")
    await page.click("[data-says=failed] button")
    await until(page, "document.getElementById('stop-name').textContent === 'Taller Laureles'")
    await page.click("summary >> text=Skip")
    await page.click("[data-says=skipped] button")
    await until(page, "document.getElementById('stop-name').textContent === 'Lucía Gómez'")
    assert await said(office) == [
        ("arrived", "Ana Restrepo", True),
        ("completed", "Ana Restrepo", False),
        ("completed", "Ana Restrepo", True),
        ("failed", "Ferretería El Tornillo", True),
        ("skipped", "Taller Laureles", True),
    ]
    told = await office.pool.fetch("SELECT person_id IS NOT NULL AS named, operation FROM audit_entry")
    assert {(row["named"], row["operation"]) for row in told} == {
        (True, "POST /v1/driver/events"),
        (True, "POST /v1/driver/proofs"),
    }
    assert [one for one in page.wrong if "ERR_INTERNET_DISCONNECTED" not in one] == []


async def test_parcels_that_nobody_took_are_ticked_off(browser: Any, office: Office) -> None:
    await office.pool.execute("UPDATE stop SET proof = '{}', cash_amount = NULL, cash_currency = NULL")
    await office.pool.execute(
        "INSERT INTO parcel (stop_id, seq, barcode, description, quantity) VALUES ($1, 1, 'MDE0002', 'Sobre', 1)",
        office.tour.stop_ids[0],
    )
    page = await office.sit(browser, "driver", **PHONE)
    await page.goto(f"{office.url}/desk/driving")
    await page.click("summary >> text=Delivered")
    for one in await page.query_selector_all("[data-parcel]"):
        await one.uncheck()
    await page.click("[data-says=completed] button")
    await page.get_by_text("If you hand nothing over").wait_for()
    await page.check("[data-parcel='0']")
    await page.click("[data-says=completed] button")
    await until(page, "document.getElementById('stop-name').textContent === 'Ferretería El Tornillo'")
    assert await office.pool.fetchval("SELECT status FROM stop WHERE external_id = '4711'") == "partially_completed"


@pytest.mark.parametrize(("lang", "scheme"), [("es", "light"), ("pt", "dark"), ("en", "light")])
async def test_nobody_is_shut_out(browser: Any, office: Office, lang: str, scheme: str) -> None:
    page = await office.sit(browser, "driver", lang=lang, color_scheme=scheme, **PHONE)
    await page.goto(f"{office.url}/desk/driving?lang={lang}")
    await picture(page, f"driving-{lang}-{scheme}")
    assert await shut_out_here(page) == {}
    for summary in await page.query_selector_all(".next summary"):
        await summary.click()
    await picture(page, f"driving-open-{lang}-{scheme}")
    assert await shut_out_here(page) == {}
    await office.pool.execute("UPDATE route SET driver_id = NULL")
    await page.goto(f"{office.url}/desk/driving?lang={lang}")
    await picture(page, f"driving-none-{lang}-{scheme}")
    assert await shut_out_here(page) == {}
    assert page.wrong == []
