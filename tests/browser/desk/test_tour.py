"""A dispatcher changes a tour: they see what it costs before it counts, and nobody undoes another one's work unseen."""

from typing import Any

from tests.api.tour_rows import Tour
from tests.browser.desk.conftest import PHONE, Office, tell
from tests.browser.desk.looks import picture, shut_out, shut_out_here
from tests.browser.waiting import until


async def order_of(office: Office) -> list[str]:
    rows = await office.pool.fetch(
        "SELECT external_id FROM stop WHERE route_id = $1 AND removed_at IS NULL ORDER BY seq", office.tour.route_id
    )
    return [row["external_id"] for row in rows]


async def test_two_dispatchers_bring_one_tour_into_other_orders_and_nothing_is_lost(
    browser: Any, office: Office
) -> None:
    await tell(office)
    url = f"{office.url}/desk/tours/rt_{office.tour.route_id}?lang=en"
    ana, beto = await office.sit(browser), await office.sit(browser, "admin")
    for page in (ana, beto):
        await page.goto(url)
    assert await order_of(office) == ["4711", "stop-1", "stop-2", "stop-3"]
    third = ana.locator("#ahead li").nth(2)
    await third.locator("[data-move='-1']").focus()
    await ana.keyboard.press("Alt+ArrowUp")
    await ana.keyboard.press("Alt+ArrowUp")
    await until(ana, "document.getElementById('cost-said').textContent.includes('The tour ends')")
    assert "Stops after their window: 0 (so far 0)" in await ana.inner_text("#cost-said")
    assert await order_of(office) == ["4711", "stop-1", "stop-2", "stop-3"]  # nothing counts yet
    await picture(ana, "tour-cost")
    await (
        beto.locator("#ahead li").nth(0).drag_to(beto.locator("#ahead li").nth(2), target_position={"x": 300, "y": 45})
    )
    await beto.wait_for_selector("#cost:not([hidden])")
    await ana.click("#apply")
    await ana.wait_for_selector("#told:not([hidden])")
    assert await order_of(office) == ["4711", "stop-3", "stop-1", "stop-2"]
    meant = await beto.locator("#ahead li").evaluate_all("rows => rows.map(row => row.dataset.stop)")
    await beto.click("#apply")
    await until(beto, "document.getElementById('told').textContent.includes('Somebody changed this')")
    assert await order_of(office) == ["4711", "stop-3", "stop-1", "stop-2"]
    assert await beto.locator("#ahead li").evaluate_all("rows => rows.map(row => row.dataset.stop)") == meant
    await ana.fill(".notes textarea", "Ana calls at ten.")
    await ana.click(".notes button")
    await until(ana, "document.querySelector('.notes .body').textContent === 'Ana calls at ten.'")
    await ana.select_option("[name=driver]", "")
    await ana.click("[data-act*='/assign'] button")
    await until(ana, "document.querySelector('.facts dd').textContent === 'nobody yet'")
    assert "2 × Caja" in await ana.inner_text("main")  # the failed one is still in the van
    noted = [row["operation"] for row in await office.pool.fetch("SELECT operation FROM audit_entry ORDER BY id")]
    route = "/v1/routes/{route}"
    assert noted == [f"PUT {route}/sequence", f"POST {route}/notes", f"POST {route}/assign"]
    assert ana.wrong == []


async def test_nobody_is_shut_out_of_a_tour_and_viewers_change_nothing(browser: Any, office: Office) -> None:
    await tell(office)
    path = f"{office.url}/desk/tours/rt_{office.tour.route_id}"
    page = await office.sit(browser, "viewer", lang="pt", color_scheme="dark")
    assert await shut_out(page, path) == {}
    assert await page.locator("[data-act], [data-move]").count() == 0
    phone = await office.sit(browser, lang="es", **PHONE)
    assert await shut_out(phone, path) == {}
    support = await office.sit(browser, "support")
    await support.goto(path)
    assert "This is not for your role" in await support.inner_text("main")
    assert page.wrong == phone.wrong == []


async def drag(page: Any, line: Any, grip: Any, onto: Any, *, at: float = 0.5) -> None:
    """Drag by a finger onto something that may come into sight only then; `at`: which part of its height."""
    start = await grip.bounding_box()
    x, y = start["x"] + 20, start["y"] + 20
    await line.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    await line.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y + 5}]})
    end = await onto.bounding_box()
    for part in (0.3, 0.6, 0.8, 1.0):
        point = {"x": x, "y": y + part * (end["y"] + end["height"] * at - y)}
        await line.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    await line.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


async def test_a_finger_drags_a_stop_by_its_grip_within_its_tour_and_to_another_one(
    browser: Any, office: Office
) -> None:
    others = {"start_at": office.tour.start_at, "external_id": "sur-2", "driver": "Luis Díaz"}
    other = await Tour.put(office.pool, office.account_id, **others)
    await office.pool.execute("UPDATE stop SET external_id = 'b-' || seq WHERE route_id = $1", other.route_id)
    page = await office.sit(browser, **PHONE)
    await page.goto(f"{office.url}/desk/tours/rt_{office.tour.route_id}?lang=en")
    line, rows, grips = await page.context.new_cdp_session(page), page.locator("#ahead li"), page.locator(".grip")
    await rows.nth(0).evaluate("row => row.scrollIntoView({ block: 'center' })")
    await drag(page, line, grips.nth(0), page.locator("#move label"))
    await until(page, "document.querySelectorAll('#move-said li').length >= 3")
    assert "sur-2 ends" in await page.inner_text("#move-said")
    await picture(page, "tour-finger")
    assert await page.is_hidden("#cost")  # on the way down it passed others
    assert await page.locator("#ahead li strong").all_inner_texts() == ["4711", "stop-1", "stop-2", "stop-3"]
    await page.click("#move-undo")
    await rows.nth(0).evaluate("row => row.scrollIntoView({ block: 'start' })")
    await drag(page, line, grips.nth(0), rows.nth(1), at=0.75)
    await until(page, "document.getElementById('cost-said').textContent.includes('The tour ends')")
    meant = await page.locator("#ahead li strong").all_inner_texts()
    assert meant == ["stop-1", "4711", "stop-2", "stop-3"]
    assert await page.is_hidden("#move")
    await page.click("#apply")
    await page.wait_for_selector("#told:not([hidden])")
    assert await order_of(office) == meant
    assert page.wrong == []


async def test_a_van_breaks_down_and_another_one_takes_its_stops(browser: Any, office: Office) -> None:
    others = {"start_at": office.tour.start_at, "external_id": "sur-2", "driver": "Luis Díaz"}
    other = await Tour.put(office.pool, office.account_id, **others)
    await office.pool.execute("UPDATE stop SET external_id = 'b-' || seq WHERE route_id = $1", other.route_id)
    url = f"{office.url}/desk/tours/rt_{office.tour.route_id}?lang=en"
    ana, beto = await office.sit(browser), await office.sit(browser, "admin")
    for page in (ana, beto):
        await page.goto(url)
    row, tours = beto.locator("#ahead li").nth(1), beto.locator("#move label")
    await row.hover()
    await beto.mouse.down()
    await row.hover(position={"x": 300, "y": 20})
    await tours.nth(0).hover()
    await beto.mouse.up()
    await until(beto, "document.querySelectorAll('#move-said li').length >= 3")
    meant = await beto.locator("#ahead li").evaluate_all("rows => rows.map(row => row.dataset.stop)")
    assert meant == [f"st_{one}" for one in office.tour.stop_ids]  # on the way down it passed others
    await ana.click("#all")
    await ana.keyboard.press("Space")
    await until(ana, "document.querySelectorAll('#move-said li').length >= 4")
    said = await ana.inner_text("#move-said")
    assert "norte-1 has no stop ahead any more." in said
    assert "sur-2 ends" in said
    assert "The van fetches what Marta Quintero · norte-1 has aboard" in said
    await picture(ana, "tour-move")
    assert await shut_out_here(ana) == {}
    assert await order_of(office) == ["4711", "stop-1", "stop-2", "stop-3"]
    await beto.click("#move-apply")
    await beto.wait_for_selector("#told:not([hidden])")
    assert await order_of(office) == ["4711", "stop-2", "stop-3"]
    await ana.click("#move-apply")
    await until(ana, "document.getElementById('told').textContent.includes('Somebody changed this')")
    assert await ana.locator("[name=moved]:checked").count() == 4  # what was meant stays
    assert await order_of(office) == ["4711", "stop-2", "stop-3"]
    page = await beto.inner_text("main")
    assert "NOW ON: SUR-2 · LUIS DÍAZ" in page.upper()
    assert "sur-2 · Luis Díaz comes to fetch it." in page  # still aboard of the first van
    await beto.goto(f"{office.url}/desk/tours/rt_{other.route_id}?lang=en")
    assert "Parcels are with: Marta Quintero · norte-1" in await beto.inner_text("#ahead")
    await picture(beto, "tour-fetches")
    assert beto.wrong == []
