"""The inbox of alerts: worked off by hand, and new ones are told while it is open."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from tests.browser.desk.conftest import PHONE, Office
from tests.browser.desk.looks import shut_out
from tests.browser.waiting import until


async def alert(office: Office, kind: str, severity: int, place: int | None = None) -> None:
    fact, at = uuid4(), office.now - timedelta(minutes=5)
    stop_id = None if place is None else office.tour.stop_ids[place]
    what = (office.account_id, fact, kind, at, office.tour.driver_id, office.tour.route_id, stop_id)
    await office.pool.execute(
        """INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, driver_id, route_id,
                              stop_id, late, data)
           VALUES ($1, $2, 1, 'asserted', $3, $4, $4, $5, $6, $7, false, '{}')""",
        *what,
    )
    await office.pool.execute(
        """INSERT INTO desk_alert (account_id, fact_id, type, occurred_at, driver_id, route_id, stop_id, severity)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        *(*what, severity),
    )


async def test_alerts_are_taken_put_aside_and_closed(browser: Any, office: Office) -> None:
    await alert(office, "driver.sos", 3)
    await alert(office, "stop.failed", 2, 0)
    await alert(office, "message.failed", 1, 0)
    page = await office.sit(browser)
    await page.goto(f"{office.url}/desk/alerts")
    assert await page.locator(".alerts strong").all_inner_texts() == [
        "The driver calls for help", "A delivery failed", "A message did not arrive",
    ]  # fmt: skip
    assert "4711 · Ana Restrepo · norte-1 · Marta Quintero" in await page.inner_text(".alerts")
    await page.click("[data-act$='/take'] >> nth=0")
    await page.wait_for_selector("#told:not([hidden])")
    assert "dispatcher0@tienda.example is at it" in await page.inner_text(".alerts li >> nth=0")
    await page.click(".alerts li >> nth=1 >> [data-act$='/snooze'] button")
    await until(page, "document.querySelectorAll('.alerts li').length === 2")
    await page.click(".alerts li >> nth=1 >> [data-act$='/close'] button")
    await until(page, "document.querySelectorAll('.alerts li').length === 1")
    noted = [row["operation"] for row in await office.pool.fetch("SELECT operation FROM audit_entry ORDER BY id")]
    assert noted == [f"POST /v1/alerts/{{alert}}/{what}" for what in ("take", "snooze", "close")]
    viewer = await office.sit(browser, "viewer", lang="pt", color_scheme="dark", **PHONE)
    states = ("open", "snoozed", "closed")
    assert await shut_out(viewer, *(f"{office.url}/desk/alerts?state={state}" for state in states)) == {}
    assert await viewer.locator("[data-act]").count() == 0
    assert page.wrong == viewer.wrong == []
