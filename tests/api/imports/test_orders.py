"""A planner's sheet of orders."""

import csv
import io
from datetime import date
from typing import Any

import pytest

from sql.pool import Pool
from tests.api.imports.conftest import counts, verdicts
from tests.work.imports.books import workbook

SHEET = """Nº pedido;Cliente;Dirección;Latitud;Longitud;Teléfono;Fecha;Horario;Vendedor
001;Ana Restrepo;Calle 1 # 2-3;6,2482;-75,5678;+57 300 111;25/12/2026;9-13;X
002;Luis Gómez;Calle 2;;;301;25/12/2026;;Y
003;Eva;Calle 3;6,25;-75,56;302;31/02/2026;noche;=1+1
004;;Calle 4;6,25;-75,56;303;25/12/2026;;
"""


async def orders_of(ask: Any) -> dict[str, Any]:
    return {one["external_id"]: one for one in (await ask("GET", "/v1/orders"))["orders"]}


async def test_good_rows_become_orders_and_bad_ones_say_why(send: Any, ask: Any) -> None:
    done = await send(SHEET.encode("cp1252"))
    assert (done["state"], done["progress"], done["rows"], done["file"]) == ("done", 1.0, 4, "mañana.csv")
    assert verdicts(done) == [
        (2, "001", "created"),
        (3, "002", "created"),
        (4, "003", "rejected"),
        (5, "004", "rejected"),
    ]
    assert counts(done) == (2, 0, 0, 2)
    assert [one["errors"] for one in done["verdicts"][2:]] == [
        [
            {"at": "Fecha", "why": "there is no such day"},
        ],
        [{"at": "Cliente", "why": "is missing"}],
    ]
    assert [one["warnings"] for one in done["verdicts"]] == [
        [],
        [{"at": "Latitud", "why": "its place is not known"}],
        [],
        [],
    ]
    assert done["notes"] == [{"at": "Vendedor", "why": "is not read"}]
    assert done["columns"][:2] == [
        {"heading": "Nº pedido", "field": "external_id"},
        {"heading": "Cliente", "field": "name"},
    ]
    orders = await orders_of(ask)
    assert orders.keys() == {"001", "002"}
    ana, luis = orders["001"], orders["002"]
    assert (ana["state"], ana["place"]) == ("ready", {"lat": 6.2482, "lon": -75.5678})
    assert ana["order"]["windows"] == [{"start": "2026-12-25T09:00:00-05:00", "end": "2026-12-25T13:00:00-05:00"}]
    assert (luis["state"], luis["why"]) == ("received", "its place is not known")


async def test_the_same_file_again_changes_nothing(send: Any, ask: Any) -> None:
    first = await send(SHEET)
    before = await orders_of(ask)
    again = await send(SHEET)
    assert (again["id"] != first["id"], counts(again)) == (True, (0, 0, 2, 2))
    assert await orders_of(ask) == before
    other = await send(SHEET.replace("Calle 2", "Calle 22"))
    assert verdicts(other)[:2] == [(2, "001", "unchanged"), (3, "002", "updated")]


async def test_a_dry_run_says_the_same_and_changes_nothing(send: Any, ask: Any, pool: Pool) -> None:
    tried = await send(SHEET, dry_run="true")
    assert (tried["dry_run"], await orders_of(ask)) == (True, {})
    done = await send(SHEET)
    assert (counts(tried), tried["verdicts"]) == (counts(done), done["verdicts"])
    changed = SHEET.replace("Calle 2", "Calle 22")
    before = await orders_of(ask)
    tried = await send(changed, dry_run="true")
    assert await orders_of(ask) == before
    assert tried["verdicts"] == (await send(changed))["verdicts"]


async def test_an_order_on_a_route_is_unchanged_if_it_is_the_same(send: Any, ask: Any, pool: Pool, tour: Any) -> None:
    await send(SHEET)
    await ask("PUT", "/v1/routes/r", tour)
    await pool.execute(
        "UPDATE delivery_order SET state = 'assigned', route_id = (SELECT id FROM route) WHERE external_id = '001'"
    )
    assert verdicts(await send(SHEET))[0] == (2, "001", "unchanged")
    (row, *_) = (await send(SHEET.replace("Calle 1 #", "Calle 9 #")))["verdicts"]
    why = "is on a route already, and not as it is here"
    assert (row["verdict"], row["errors"]) == ("rejected", [{"at": "Nº pedido", "why": why}])


async def test_two_rows_of_one_order_are_both_rejected(send: Any, ask: Any) -> None:
    done = await send("pedido;nombre;direccion;fecha\n1;A;C;1/12/2026\n2;B;C;1/12/2026\n1;Z;C;1/12/2026\n")
    assert counts(done) == (1, 0, 0, 2)
    assert (await orders_of(ask)).keys() == {"2"}


@pytest.mark.parametrize(
    ("head", "cell", "at", "why"),
    [
        ("correo", "no", "correo", ""),
        ("peso", "-3", "peso", ""),
        ("prioridad", "200", "prioridad", ""),
        ("cobro (COP)", "-5", "cobro (COP)", ""),
        ("bultos", "0", "bultos", ""),
        ("nota", "x" * 3_000, "nota", ""),
        ("coordenadas", "95, 10", "coordenadas", ""),
        ("fecha desde", "2/12/2026", "fecha", "before earliest"),
    ],
)
async def test_what_the_api_refuses_is_named_by_its_heading(send: Any, head: str, cell: str, at: str, why: str) -> None:
    done = await send(f"pedido;nombre;direccion;fecha;{head}\n1;A;C;1/12/2026;{cell}\n")
    ((error,),) = [one["errors"] for one in done["verdicts"]]
    assert (error["at"], why in error["why"]) == (at, True)


async def test_a_workbook_with_its_own_days_and_numbers(send: Any, ask: Any) -> None:
    def write(book: Any, page: Any) -> None:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        page.write(0, 0, "Pedidos de mañana")
        page.write_row(
            2, 0, ["Pedido", "Cliente", "Dirección", "Celular", "Fecha", "Apertura", "Cierre", "Cobro", "Moneda"]
        )
        page.write_row(3, 0, [1001, "Ana", "Calle 1", 3001112233, None, 0.375, 0.5, 12500.5, "COP"])
        page.write_datetime(3, 4, date(2026, 12, 25), day)

    done = await send(workbook(write), name="mañana.xlsx")
    assert verdicts(done) == [(4, "1001", "created")]
    order = (await orders_of(ask))["1001"]["order"]
    assert (order["phone"], order["cash_on_delivery"]["amount"]) == ("3001112233", 12_500.5)
    assert order["windows"] == [{"start": "2026-12-25T09:00:00-05:00", "end": "2026-12-25T12:00:00-05:00"}]


async def test_what_is_asked_beside_the_file(send: Any, ask: Any) -> None:
    text = "pedido;nombre;direccion;horario\n1;A;C;9-13\n"
    done = await send(text, date="2026-12-25", timezone="America/Lima")
    assert counts(done) == (1, 0, 0, 0)
    order = (await orders_of(ask))["1"]["order"]
    assert order["windows"][0]["start"] == "2026-12-25T09:00:00-05:00"


async def test_a_mapping_is_remembered_but_of_a_dry_run(send: Any, ask: Any, pool: Pool) -> None:
    text = "Nro. Guía;Quién;Sitio;Entrega\n1;A;C;1/12/2026\n"
    said = '{"NRO GUIA": "external_id", "quien": "name", "Sitio": "address", "Entrega": "date"}'
    problem = await send(text, status=422)
    assert problem["type"] == "unreadable-file"
    assert "Quién, Sitio, Entrega" in problem["detail"]
    assert counts(await send(text, mapping=said, dry_run="true")) == (1, 0, 0, 0)
    await send(text, status=422)
    assert counts(await send(text, mapping=said)) == (1, 0, 0, 0)
    assert counts(await send(text)) == (0, 0, 1, 0)
    assert counts(await send(text, mapping='{"Entrega": null}', date="2026-12-02")) == (0, 1, 0, 0)


async def test_the_error_file_has_what_was_rejected_and_is_read_again(
    send: Any, ask: Any, client: Any, account: Any
) -> None:
    done = await send(SHEET)
    response = await client.get(f"/v1/imports/{done['id']}/errors.csv", headers=account.headers)
    assert response.headers["Content-Disposition"] == f'attachment; filename="{done["id"]}-errors.csv"'
    content = await response.read()
    head = await client.head(f"/v1/imports/{done['id']}/errors.csv", headers=account.headers)
    assert (head.status, await head.read()) == (200, b"")
    text = content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert rows[0] == ["row", "why", *SHEET.splitlines()[0].split(";")]
    assert [row[:4] for row in rows[1:]] == [
        ["4", "Fecha: there is no such day", "003", "Eva"],
        ["5", "Cliente: is missing", "004", ""],
    ]
    assert rows[1][-1] == "'=1+1"
    response = await client.get(f"/v1/imports/{done['id']}/errors.csv?lang=es", headers=account.headers)
    assert "Fecha: ese día no existe" in await response.text("utf-8-sig")
    mended = text.replace("31/02/2026", "24/12/2026").replace("noche", "9-13").replace("004;;", "004;Paz;")
    assert counts(await send(mended)) == (2, 0, 0, 0)
    assert set(await orders_of(ask)) == {"001", "002", "003", "004"}


async def test_pages_and_lists(send: Any, ask: Any) -> None:
    rows = "".join(f"{one};A;C;1/12/2026\n" for one in range(1, 121))
    done = await send(f"pedido;nombre;direccion;fecha\n{rows}121;;;\n")
    assert (len(done["verdicts"]), counts(done)) == (100, (120, 0, 0, 1))
    rest = await ask("GET", f"/v1/imports/{done['id']}", cursor=done["next"])
    assert ([one["row"] for one in rest["verdicts"]], rest["next"]) == ([*range(102, 123)], None)
    (rejected,) = (await ask("GET", f"/v1/imports/{done['id']}", verdict="rejected"))["verdicts"]
    assert rejected["row"] == 122
    second = await send(SHEET)
    listed = await ask("GET", "/v1/imports", limit="1")
    assert [one["id"] for one in listed["imports"]] == [second["id"]]
    listed = await ask("GET", "/v1/imports", cursor=listed["next"])
    assert ([one["id"] for one in listed["imports"]], listed["next"]) == ([done["id"]], None)
