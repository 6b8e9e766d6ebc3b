"""A planner's sheet of routes."""

from typing import Any

import pytest

from sql.pool import Pool
from tests.api.imports.conftest import counts, verdicts

SHEET = """Ruta;Secuencia;Conductor;Fecha;Salida;Bodega;Pedido;Cliente;Dirección;Lat;Lon;Horario
R1;2;ana;25/12/2026;8:00;centro;p-2;Luis;Calle 2;6,2482;-75,5678;14-16
R1;1;;;;;p-1;Ana;Calle 1;6,2461;-75,5684;
R2;;;25/12/2026;7:30;centro;p-3;Eva;Calle 3;6,2487;-75,5655;
"""


@pytest.fixture(autouse=True)
async def ana(make_driver: Any, client: Any, account: Any) -> None:
    await make_driver(client, account.key, "ana")


async def test_rows_of_a_route_are_its_stops(send: Any, ask: Any) -> None:
    done = await send(SHEET, kind="routes")
    assert verdicts(done) == [(2, "R1", "created"), (3, "R1", "created"), (4, "R2", "created")]
    route = await ask("GET", "/v1/routes/R1")
    assert [stop["external_id"] for stop in route["stops"]] == ["p-1", "p-2"]
    assert (route["driver"]["external_id"] if isinstance(route["driver"], dict) else route["driver"]) == "ana"
    again = await send(SHEET, kind="routes")
    assert counts(again) == (0, 0, 3, 0)
    assert (await ask("GET", "/v1/routes/R1"))["version"] == route["version"]
    other = await send(SHEET.replace("Calle 2", "Calle 22"), kind="routes")
    assert counts(other) == (0, 2, 1, 0)


async def test_a_dry_run_of_routes_changes_nothing(send: Any, ask: Any, pool: Pool) -> None:
    tried = await send(SHEET, kind="routes", dry_run="1")
    assert (await ask("GET", "/v1/routes"))["routes"] == []
    assert await pool.fetchval("SELECT count(*) FROM stop") == 0
    assert tried["verdicts"] == (await send(SHEET, kind="routes"))["verdicts"]


@pytest.mark.parametrize(
    ("was", "now", "row", "at", "why"),
    [
        ("14-16", "noche", 2, "Horario", "must be a window"),
        (";ana;", ";nadie;", 2, "Conductor", "there is no driver 'nadie'"),
        ("p-1;Ana", "p-2;Ana", 2, "Pedido", "another stop of this route has the same one"),
        ("6,2461;-75,5684", "6,2461;", 3, "Lon", "is missing"),
        ("p-1;Ana", "p-1;", 3, "Cliente", "is missing"),
        (";p-1;", ";;", 3, "Pedido", "is missing"),
        ("-75,5684", "-15,5", 3, "Lat", "km"),
    ],
)
async def test_a_route_with_a_bad_row_is_rejected_whole(
    send: Any, ask: Any, was: str, now: str, row: int, at: str, why: str
) -> None:
    done = await send(SHEET.replace(was, now), kind="routes")
    assert [verdict for _, _, verdict in verdicts(done)] == ["rejected", "rejected", "created"]
    errors = {one["row"]: one["errors"][0] for one in done["verdicts"] if one["errors"]}
    assert errors[row]["at"] == at
    assert why in errors[row]["why"]
    assert all(error["at"] == at or "its route is not taken: see row" in error["why"] for error in errors.values())
    assert [one["external_id"] for one in (await ask("GET", "/v1/routes"))["routes"]] == ["R2"]


async def test_a_cancelled_route_is_not_put_again(send: Any, ask: Any, pool: Pool) -> None:
    await send(SHEET, kind="routes")
    await pool.execute("UPDATE route SET status = 'cancelled' WHERE external_id = 'R1'")
    done = await send(SHEET.replace("Calle 2", "Calle 22"), kind="routes")
    assert counts(done) == (0, 0, 1, 2)
    assert "was cancelled" in done["verdicts"][0]["errors"][0]["why"]


async def test_one_of_our_own_ids_is_no_name_of_a_route(send: Any, ask: Any) -> None:
    done = await send(SHEET.replace("R1;", "rt_1;"), kind="routes")
    assert counts(done) == (1, 0, 0, 2)
    assert "own ids" in done["verdicts"][0]["errors"][0]["why"]


async def test_what_looks_like_a_mistake_is_taken_with_a_warning(send: Any, ask: Any) -> None:
    arrivals = {"Horario": "Llegada", "14-16": "9:00", "-75,5684;": "-75,5684;10:00"}
    text = SHEET
    for was, now in arrivals.items():
        text = text.replace(was, now)
    done = await send(text, kind="routes")
    assert counts(done) == (3, 0, 0, 0)
    said = {one["row"]: one["warnings"] for one in done["verdicts"] if one["warnings"]}
    assert {row: [warning["at"] for warning in warnings] for row, warnings in said.items()} == {2: ["Llegada"]}
