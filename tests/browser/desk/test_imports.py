"""A sheet is imported from the desk: looked at first, then sent; what is wrong is said, and comes back as a file."""

from typing import Any

import pytest

from api.http.config import ApiConfig
from api.imports import endpoints
from api.imports.carry_on import import_job
from api.pages.catalog import LANGUAGES, day_texts
from tests.browser.desk.conftest import PHONE, Office
from tests.browser.desk.every_page import WROTE
from tests.browser.desk.looks import ASIDE, picture, shut_out_here
from tests.browser.waiting import until
from work.imports.headings import SYNONYMS
from work.roads.choose import STRAIGHT

SHEET = """Nº pedido;Cliente;Dirección;Fecha;Horario;Vendedor
001;Ana Restrepo;Calle 1 # 2-3;25/12/2026;;X
002;Luis Gómez;Calle 2;31/02/2026;;Y
"""


def file(text: str = SHEET) -> dict[str, Any]:
    return {"name": "mañana.csv", "mimeType": "text/csv", "buffer": text.encode("cp1252")}


async def orders(office: Office) -> list[str]:
    return [row["external_id"] for row in await office.pool.fetch("SELECT external_id FROM delivery_order")]


async def test_a_sheet_is_looked_at_then_imported(browser: Any, office: Office) -> None:
    page = await office.sit(browser)
    await page.goto(f"{office.url}/desk")
    await page.get_by_role("link", name="Import a sheet").click()
    await page.get_by_label("File").set_input_files(file())
    await page.get_by_role("button", name="Look at it").click()
    await page.get_by_role("button", name="Import it").wait_for()
    said = await page.inner_text("#looked")
    assert "Nothing was changed" in said
    assert "Fecha: there is no such day" in said
    assert "Vendedor: is not read" in said
    assert "Rows that are taken, but look at them" in said
    assert "its place is not known" in said
    assert await orders(office) == []
    await picture(page, "import-looked")
    await page.get_by_role("button", name="Import it").click()
    await page.wait_for_url("**/desk/imports/im_2?lang=en")
    assert await orders(office) == ["001"]
    assert await page.locator("#became .facts dd").all_inner_texts() == ["1", "0", "0", "1"]
    async with page.expect_download() as waits:
        await page.get_by_role("link", name="Fetch these rows").click()
    assert (await waits.value).suggested_filename == "im_2-errors.csv"
    await page.get_by_role("link", name="Import another one").click()
    assert await page.locator(".found li").count() == 2
    assert page.wrong == []


async def test_what_cannot_be_read_is_said_and_the_form_stays(browser: Any, office: Office) -> None:
    page = await office.sit(browser, lang="es", **PHONE)
    await page.goto(f"{office.url}/desk/imports")
    await page.get_by_label("Archivo").set_input_files(file("foo;bar\n1;2\n"))
    await page.get_by_role("button", name="Revisarla").click()
    await until(page, "!document.querySelector('#told').hidden")
    assert "Hacen falta un número de pedido" in await page.inner_text("#told")
    assert await page.get_by_role("button", name="Importarla").is_hidden()
    assert await page.locator("#columns label span").all_inner_texts() == ["foo", "bar"]
    await page.get_by_label("Archivo").set_input_files(file())
    assert await page.locator("#columns").is_hidden()
    await page.get_by_role("button", name="Revisarla").click()
    await page.get_by_role("button", name="Importarla").wait_for()
    assert await shut_out_here(page) == {}
    said = await page.inner_text("#looked")
    assert "Fecha: ese día no existe" in said
    assert "Vendedor: no se lee" in said
    assert await page.locator('#looked [lang="en"]').count() == 0
    await page.get_by_label("Archivo").set_input_files(file("%PDF-1.7"))
    await page.get_by_role("button", name="Revisarla").click()
    await until(page, "document.querySelector('#told').textContent.includes('Esto es un PDF')")
    await page.get_by_label("Archivo").set_input_files(file())
    await page.get_by_role("button", name="Revisarla").click()
    await page.get_by_role("button", name="Importarla").wait_for()
    await page.get_by_label("Qué son sus filas").select_option("routes")  # what was looked at is not what would be sent
    assert await page.get_by_role("button", name="Importarla").is_hidden()


async def test_somebody_says_what_a_column_is_and_that_is_remembered(browser: Any, office: Office) -> None:
    page = await office.sit(browser)
    await page.goto(f"{office.url}/desk/imports")
    text = SHEET.replace("Cliente;", "Quién;").replace("Nº pedido;", "Folio;").replace("Vendedor", "Orden")
    await page.get_by_label("File").set_input_files(file(text))
    await page.get_by_role("button", name="Look at it").click()
    await page.get_by_label("Orden").select_option(label="not read")
    await page.get_by_role("button", name="Look at it").click()
    await page.get_by_label("Quién").select_option(label="Name")
    await picture(page, "import-columns")
    assert await shut_out_here(page) == {}
    await page.get_by_role("button", name="Look at it").click()
    await page.get_by_role("button", name="Import it").click()
    await page.wait_for_url("**/desk/imports/im_2?lang=en")
    assert await orders(office) == ["001"]
    kept = await office.pool.fetchval("SELECT mapping FROM import_mapping")
    assert kept == {"quien": "name", "orden": None}


async def test_where_depots_do_not_say_it_somebody_says_the_time_zone(browser: Any, office: Office) -> None:
    page = await office.sit(browser, timezone_id="America/Bogota")
    await page.goto(f"{office.url}/desk/imports")
    zone = page.get_by_label("Time zone")
    assert await zone.input_value() == "America/Bogota"
    await page.get_by_label("File").set_input_files(file(SHEET.replace("2026;;X", "2026;9-13;X")))
    await zone.select_option("America/Mexico_City")
    await page.get_by_role("button", name="Look at it").click()
    await page.get_by_role("button", name="Import it").click()
    await page.wait_for_url("**/desk/imports/im_2?lang=en")
    windows = await office.pool.fetchval("SELECT body -> 'windows' FROM delivery_order")
    assert [one["start"] for one in windows] == ["2026-12-25T09:00:00-06:00"]

    for name, of, offered in (("uno", "America/Bogota", None), ("dos", "America/Lima", "that of each row's depot")):
        depot = {"name": name, "lat": 4.65, "lon": -74.1, "timezone": of}
        await page.evaluate(WROTE, ["PUT", f"/v1/depots/{name}", depot])
        await page.goto(f"{office.url}/desk/imports")
        assert await zone.count() == (offered is not None)
        if offered:
            assert await zone.locator("option:checked").inner_text() == offered
    assert page.wrong == []


async def test_what_is_wrong_with_rows_is_read_without_scrolling_aside(browser: Any, office: Office) -> None:
    page = await office.sit(browser, lang="es", **PHONE)
    await page.goto(f"{office.url}/desk/imports")
    bad = "003;Eva;Calle 3;24/12/2026;un rato por la tarde;Z\n" + f"{'N' * 60};Eva;Calle 3;31/02/2026;;Z\n"
    await page.get_by_label("Archivo").set_input_files(file(SHEET + bad))
    await page.get_by_role("button", name="Revisarla").click()
    await page.get_by_role("button", name="Importarla").wait_for()
    assert await page.locator("#looked .wide").evaluate_all(ASIDE) == [0, 0]


def test_every_field_has_its_words() -> None:
    fields = {field for names in SYNONYMS.values() for field in names}
    assert all(set(day_texts(language)["import_field"]) == fields for language in LANGUAGES)


async def test_a_long_one_is_followed_until_it_is_over(
    browser: Any, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "SOON_S", -1.0)
    page = await office.sit(browser)
    await page.goto(f"{office.url}/desk/imports")
    await page.get_by_label("File").set_input_files(file())
    await page.get_by_role("button", name="Look at it").click()
    await until(page, "document.querySelector('#looked').textContent.includes('under way')")
    assert await import_job(STRAIGHT, ApiConfig()).do(office.pool)
    await page.get_by_role("button", name="Import it").wait_for()
    await page.get_by_role("button", name="Import it").click()
    await page.wait_for_url("**/desk/imports/im_2?lang=en")
    assert await import_job(STRAIGHT, ApiConfig()).do(office.pool)
    await until(page, "document.querySelector('#became .tag').textContent === 'done'")
    assert await orders(office) == ["001"]


async def test_a_viewer_sees_what_was_imported_and_sends_nothing(browser: Any, office: Office) -> None:
    page = await office.sit(browser, "viewer", lang="pt")
    await page.goto(f"{office.url}/desk/imports")
    assert "Nada foi importado ainda" in await page.inner_text("main")
    assert await page.locator("form#import").count() == 0
    response = await page.goto(f"{office.url}/desk/imports/im_9")
    assert response.status == 404
