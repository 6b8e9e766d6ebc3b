"""Geofences: drawn on the map, typed, seen again, changed and ended."""

from typing import Any

from sql.account.geofences import list_geofences
from tests.browser.desk.conftest import PHONE, Office
from tests.browser.desk.looks import picture, shut_out_here
from tests.browser.waiting import until

FENCES = "/desk/settings/fences?lang="


async def opened(office: Office, page: Any, language: str = "en") -> None:
    await page.goto(f"{office.url}{FENCES}{language}")
    await page.wait_for_selector("[data-tool=area]:enabled")


async def middle(page: Any) -> tuple[float, float]:
    """Give the middle of the map, with all of it in sight."""
    await page.locator("#map").scroll_into_view_if_needed()
    box = await page.locator("#map").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def saved(page: Any) -> None:
    async with page.expect_event("load"):
        await page.get_by_role("button", name="Save").click()
    await page.wait_for_selector("[data-tool=area]:enabled")


async def kept(office: Office) -> list[tuple[str, int, Any]]:
    rows = await list_geofences(office.pool, account_id=office.account_id, after=0, limit=9)
    return [(row.external_id, row.version, row.feature) for row in rows]


async def test_a_fence_is_drawn_seen_again_changed_and_ended(browser: Any, office: Office) -> None:
    page = await office.sit(browser)
    page.on("dialog", lambda dialog: dialog.accept())
    await opened(office, page)
    await page.fill("#name", "Patio norte")
    await page.click("[data-tool=area]")
    x, y = await middle(page)
    for east, south in ((-90, -60), (90, -60), (90, 80), (-90, 80), (-90, 80)):
        await page.mouse.click(x + east, y + south)
    await until(page, "document.querySelector('#geometry').value.split('\\n').length === 4")
    await picture(page, "fences-drawn")
    assert await shut_out_here(page) == {}
    await saved(page)
    [(name, version, feature)] = await kept(office)
    ring = feature["geometry"]["coordinates"][0]
    assert (name, version, feature["properties"]) == ("Patio norte", 1, {"name": "Patio norte"})
    assert (len(ring), feature["geometry"]["type"]) == (5, "Polygon")
    assert (len({lon for lon, _ in ring}), len({lat for _, lat in ring})) == (2, 2)
    await page.locator("#form-title:text-is('Patio norte')").wait_for()  # it is open again

    lines = await page.input_value("#geometry")
    x, y = await middle(page)
    await picture(page, "fences-kept")
    await page.mouse.move(x + 20, y + 20)
    await page.mouse.down()
    await page.mouse.move(x + 60, y + 10, steps=4)
    await page.mouse.up()
    await until(page, "was => document.querySelector('#geometry').value !== was", lines)
    await picture(page, "fences-held")
    await saved(page)
    [(_, version, feature)] = await kept(office)
    assert (version, feature["geometry"]["coordinates"][0][0][0] > ring[0][0]) == (2, True)

    async with page.expect_event("load"):
        await page.get_by_role("button", name="Remove: Patio norte").click()
    assert await kept(office) == []
    assert page.wrong == []


async def test_a_circle_by_touch_and_by_keyboard(browser: Any, office: Office) -> None:
    page = await office.sit(browser, lang="es", color_scheme="dark", **PHONE)
    await opened(office, page, "es")
    await page.tap("[data-tool=circle]")
    x, y = await middle(page)
    await page.touchscreen.tap(x, y)
    await page.touchscreen.tap(x + 80, y)
    await until(page, "document.querySelector('#kind').value === 'circle'")
    radius_m = float(await page.input_value("#reach"))
    assert radius_m > 20
    await page.fill("#reach", str(radius_m / 2))
    await page.fill("#name", "Plaza/1")
    await picture(page, "fences-circle")
    assert await shut_out_here(page) == {}
    async with page.expect_event("load"):
        await page.press("#name", "Enter")
    [(name, _, feature)] = await kept(office)
    assert (name, feature["properties"]) == ("Plaza-1", {"name": "Plaza/1", "radius_m": radius_m / 2})
    lon, lat = feature["geometry"]["coordinates"]
    assert (abs(lon + 75.57) < 0.05, abs(lat - 6.25) < 0.05) == (True, True)

    await page.goto(f"{office.url}{FENCES}es")
    await page.wait_for_selector("[data-tool=area]:enabled")
    await page.fill("#name", "Plaza-1")
    await page.fill("#geometry", "-75.57 6.24\n-75.56 6.25\n-75.57 6.25, 4")
    await page.get_by_role("button", name="Guardar").click()
    await page.get_by_text("Estos puntos no hacen").wait_for()
    await page.fill("#geometry", "-75.57 6.24\n-75.56 6.25\n-75.57, 6.25")
    await page.get_by_role("button", name="Guardar").click()
    await page.get_by_text("Ya hay una con este id externo").wait_for()
    assert page.wrong == []
