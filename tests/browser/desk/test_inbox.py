"""The inbox of alerts, worked off by hand, new ones told while it is open; and the board of the day."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sql.messages.setup import put_channel
from tests.browser.desk.conftest import PHONE, Office
from tests.browser.desk.looks import shut_out
from tests.browser.test_push import SUBSCRIBE
from tests.browser.waiting import until
from work.messages.channels.push import new_key
from work.outgoing.sealed import open_sealer


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
    for key, row in (("j", 0), ("j", 1), ("k", 0), ("k", 0)):
        await page.keyboard.press(key)
        assert await page.locator(f".alerts li:nth-child({row + 1}) a:focus").count() == 1
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
    assert await viewer.locator("#fresh").is_hidden()  # among the closed ones, those that are open are no news
    assert page.wrong == viewer.wrong == []


async def test_the_board_says_how_the_day_goes(browser: Any, office: Office) -> None:
    at = office.now
    await office.tour.change_stop(0, status="completed", arrived_at=at, outcome_at=at)
    late = {"window_end": at - timedelta(minutes=5), "window_start": at - timedelta(hours=1)}
    await office.tour.change_stop(1, status="failed", arrived_at=at, outcome_at=at, **late)
    await alert(office, "stop.failed", 2, 1)
    page = await office.sit(browser, "viewer", lang="es", color_scheme="dark")
    await page.goto(f"{office.url}/desk/board?wall=1")
    said = await page.inner_text(".facts")
    for number in ("50 % 1/2", "1/4"):
        assert number in said.replace("\n", " "), said
    assert await page.locator(".mark.broken").count() == 1
    assert await page.locator(".mark.well").count() == 1
    assert await page.locator("header, form").count() == 0
    await page.clock.install()
    await page.reload()
    await office.tour.change_stop(2, status="completed", arrived_at=at, outcome_at=at)
    await page.clock.fast_forward(31_000)
    await until(page, "document.querySelectorAll('.mark.well').length === 2")  # on a wall nobody asks for it
    assert await shut_out(page, f"{office.url}/desk/board") == {}
    assert page.wrong == []


async def test_a_browser_is_told_by_choice(browser: Any, office: Office, tmp_path: Path) -> None:
    sealer = open_sealer("", tmp_path)  # with the key of the office
    settings, secrets = {"contact": "mailto:soporte@tienda.example"}, sealer.seal({"key": new_key()})
    await put_channel(
        office.pool, account_id=office.account_id, channel="push", enabled=True, settings=settings, secrets=secrets
    )
    page = await office.sit(browser, permissions=["notifications"])
    await page.context.add_init_script(SUBSCRIBE.replace("PUSH_SERVICE", "'https://push.example'"))
    await page.goto(f"{office.url}/desk/alerts")
    await page.get_by_role("button", name="Tell this browser").click()
    await page.get_by_text("This browser tells of what hurries").wait_for()
    assert await office.pool.fetchval("SELECT language FROM desk_push") == "en"
    assert await shut_out(page, page.url) == {}
    await page.get_by_role("button", name="Tell this browser", pressed=False).click()
    await until(page, "document.getElementById('push').getAttribute('aria-pressed') === 'true'")
    await page.get_by_role("button", name="Tell this browser", pressed=True).click()
    await until(page, "document.getElementById('push').getAttribute('aria-pressed') === 'false'")
    assert await office.pool.fetchval("SELECT count(*) FROM desk_push") == 0
    assert page.wrong == []
