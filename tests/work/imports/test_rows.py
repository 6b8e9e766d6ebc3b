"""A planner's sheet becomes bodies of orders and of routes."""

import re
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from work.imports import columns
from work.imports.columns import KnownDepot, SheetColumns, SheetNote, Surroundings, understood
from work.imports.headings import LONGEST_HEADING, SYNONYMS, HeadingError, Kind, plain
from work.imports.orders import OrderSaid, order_of
from work.imports.routes import RouteSaid, route_of, tours_in
from work.imports.sheet import PlanSheet
from work.imports.text_file import read_text

CENTRO = KnownDepot(external_id="centro", name="Bodega Centro", lat=6.24, lon=-75.57, timezone="America/Bogota")
NORTE = KnownDepot(external_id="norte", name="Bodega Norte", lat=19.4, lon=-99.1, timezone="America/Mexico_City")
AROUND = Surroundings(language="es", timezone=None, on=None, depots=[CENTRO])


def sheet_of(text: str) -> PlanSheet:
    return read_text(text.encode(), most_rows=100)


def columns_of(text: str, kind: Kind = "orders", around: Surroundings = AROUND, **mapping: str | None) -> SheetColumns:
    return understood(sheet_of(text), kind, {plain(name): field for name, field in mapping.items()}, around)


def orders_of(text: str, around: Surroundings = AROUND) -> list[OrderSaid]:
    return [order_of(row, around) for row in columns_of(text, "orders", around).rows(sheet_of(text))]


def routes_of(text: str, around: Surroundings = AROUND) -> list[RouteSaid]:
    rows = columns_of(text, "routes", around).rows(sheet_of(text))
    return [route_of(tour, around) for tour in tours_in(rows)]


def wrong(said: OrderSaid) -> dict[str, str]:
    return {error.at: error.why for error in said.row.errors}


SHEET = """Pedidos de mañana
Nº PEDIDO;Cliente;Dirección;Ciudad;Código postal;Coordenadas;Teléfono;Fecha;Horario;Valor a cobrar (COP);Peso (kg);\
Guía;Prueba;Bodega;Vendedor
00123;Ana Restrepo;Calle 1 # 2-3;Medellín;050012;6,248, -75,567;'+57 300 111;25/12/2026;9-13;12.500,00;1,5;\
A1 A2;foto y firma;bodega centro;X
00124;Luis;Calle 2;;;;300;04/12/2026;8 a 12, 14-16;3.000;2;;;;
"""


def test_a_sheet_of_orders() -> None:
    columns = columns_of(SHEET)
    assert columns.notes == [SheetNote(at="Vendedor", why="is not read")]
    ana, luis = orders_of(SHEET)
    assert (ana.row.number, ana.external_id, wrong(ana)) == (3, "00123", {})
    assert ana.body == {
        "name": "Ana Restrepo",
        "address": "Calle 1 # 2-3, Medellín, 050012",
        "lat": 6.248,
        "lon": -75.567,
        "phone": "+57 300 111",
        "windows": [{"start": "2026-12-25T09:00:00-05:00", "end": "2026-12-25T13:00:00-05:00"}],
        "load": {"kg": 1.5},
        "skills": [],
        "depot": "centro",
        "earliest": "2026-12-25",
        "latest": "2026-12-25",
        "parcels": [{"barcode": "A1"}, {"barcode": "A2"}],
        "cash_on_delivery": {"amount": 12_500.0, "currency": "COP"},
        "proof": ["photo", "signature"],
    }
    assert (luis.body["cash_on_delivery"]["amount"], len(luis.body["windows"])) == (3_000.0, 2)


HEAD = "pedido;nombre;direccion"


@pytest.mark.parametrize(
    ("more", "cells", "field", "why"),
    [
        ("fecha", "31/02/2026", "date", "no such day"),
        ("fecha;horario", "1/12/2026;noche", "window", "must be a window"),
        ("horario", "9-13", "window", "on which day"),
        ("fecha;apertura", "1/12/2026;9:00", "window_end", "is missing"),
        ("coordenadas", "por ahí", "place", "must be lat and lon"),
        ("lat;lon", "6,2;", "lon", "is missing"),
        ("cobro", "12.500", "cash", "in which currency"),
        ("bodega", "sur", "depot", "there is no depot 'sur'"),
        ("prueba", "danza", "proof", "is not understood"),
        ("tipo de servicio", "regalo", "kind", "it may be delivery, pickup"),
        ("guia;bultos", "A1 A2;3", "quantity", "there are 2 barcodes"),
        ("bultos", "2,5", "quantity", "must be a whole number"),
        ("zona horaria", "America/Nada", "timezone", "there is no time zone"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_field(more: str, cells: str, field: str, why: str) -> None:
    (said,) = orders_of(f"{HEAD};{more}\n1;Ana;Calle 1;{cells}\n")
    assert list(wrong(said)) == [field]
    assert why in wrong(said)[field]


def test_times_are_of_the_zone_that_is_named_or_that_of_the_depots() -> None:
    text = f"{HEAD};bodega;fecha;horario\n1;Ana;Calle 1;norte;1/12/2026;9-13\n2;Luis;Calle 2;;1/12/2026;9-13\n"

    def starts(timezone: str | None, *depots: KnownDepot) -> list[str]:
        around = Surroundings(language="es", timezone=timezone, on=None, depots=depots)
        return [
            said.body["windows"][0]["start"][-6:] if "windows" in said.body else wrong(said)["window"][:22]
            for said in orders_of(text, around)
        ]

    assert starts(None, CENTRO, NORTE) == ["-06:00", "in which time zone? Nam"[:22]]
    assert starts(None, NORTE) == ["-06:00", "-06:00"]
    assert starts("America/Lima", CENTRO, NORTE) == ["-05:00", "-05:00"]


def test_a_day_for_rows_that_name_none() -> None:
    around = Surroundings(language="es", timezone=None, on=date(2026, 12, 1), depots=[CENTRO])
    first, second = orders_of(f"{HEAD};fecha;apertura;cierre\n1;A;C;;9:00;13:00\n2;B;C;2/12/2026;;\n", around)
    assert (first.body["earliest"], first.body["windows"][0]["start"]) == ("2026-12-01", "2026-12-01T09:00:00-05:00")
    assert second.body["latest"] == "2026-12-02"


def test_a_window_of_every_day_that_an_order_may_come_on() -> None:
    (said,) = orders_of(f"{HEAD};fecha desde;fecha hasta;horario\n1;A;C;1/12/2026;3/12/2026;9-13\n")
    assert [one["start"][:10] for one in said.body["windows"]] == ["2026-12-01", "2026-12-02", "2026-12-03"]


@pytest.mark.parametrize(("language", "day"), [("es", "2026-04-03"), ("pt", "2026-04-03"), ("en", "2026-03-04")])
def test_days_that_can_be_read_in_two_ways_are_read_as_the_account_does_and_that_is_said(
    language: str, day: str
) -> None:
    around = Surroundings(language=language, timezone=None, on=None, depots=[])
    text = f"{HEAD};fecha\n1;Ana;Calle 1;03/04/2026\n"
    assert orders_of(text, around)[0].body["earliest"] == day
    (note,) = columns_of(text, around=around).notes
    assert (note.at, "03/04/2026 is read" in note.why) == ("fecha", True)


def test_swapped_columns_of_degrees_are_swapped_back() -> None:
    text = f"{HEAD};lat;lon\n1;Ana;Calle 1;-99.13;19.43\n2;Luis;Calle 2;-89.2;13.7\n"
    assert [(one.body["lat"], one.body["lon"]) for one in orders_of(text)] == [(19.43, -99.13), (13.7, -89.2)]
    assert columns_of(text).notes == [SheetNote(at="lat", why="holds longitudes: both are swapped")]


@pytest.mark.parametrize(
    "cell", ["6.2482,-75.5678", "(6,2482; -75,5678)", "https://maps.google.com/?q=6.2482,-75.5678"]
)
def test_a_place_in_one_cell(cell: str) -> None:
    (said,) = orders_of(f'{HEAD}\tcoordenadas\n1\tAna\tCalle\t"{cell}"\n'.replace(";", "\t", 2))
    assert (said.body["lat"], said.body["lon"]) == (6.2482, -75.5678)


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("foo;bar", "none of its headings is known"),
        ("pedido;nombre;zona", "no column is address or place or lat; these are not understood: zona"),
        ("pedido;orden;nombre;direccion", "'pedido', 'orden' are both external_id"),
        (f"{HEAD};fecha\n1;a;b;25/12/2026\n2;a;b;12/25/2026", "the column 'fecha' is not clear"),
    ],
)
def test_headings_that_are_not_understood_are_said(head: str, why: str) -> None:
    with pytest.raises(HeadingError, match=why):
        columns_of(f"{head}\n")


def test_a_mapping_comes_before_the_table_of_words() -> None:
    columns = columns_of("pedido;orden;nombre;Sitio\n", orden=None, sitio="address")
    assert columns.headings.fields == ["external_id", None, "name", "address"]


def test_a_word_is_for_one_field_and_every_field_is_understood_by_its_own_name() -> None:
    for names in SYNONYMS.values():
        known: dict[str, str] = {}
        for field, words in names.items():
            for word in (*words.split("|"), field):
                assert known.setdefault(plain(word), field) == field, word


ROUTES = """Ruta;Secuencia;Conductor;Fecha;Salida;Bodega;Pedido;Cliente;Lat;Lon;Horario
R1;2;ana;1/12/2026;8:00;centro;p-2;Luis;6,25;-75,56;14-16
R1;1;;;;;p-1;Ana;6,24;-75,57;
R2;;luis;1/12/2026;7:30;;p-3;Eva;6,26;-75,55;
"""


def test_a_sheet_of_routes() -> None:
    first, second = routes_of(ROUTES)
    assert (first.external_id, first.errors, [row.number for row in first.stops]) == ("R1", [], [3, 2])
    window = {"start": "2026-12-01T14:00:00-05:00", "end": "2026-12-01T16:00:00-05:00"}
    assert first.body == {
        "driver": "ana",
        "date": "2026-12-01",
        "timezone": "America/Bogota",
        "start_at": "2026-12-01T08:00:00-05:00",
        "depot": {"name": "Bodega Centro", "lat": 6.24, "lon": -75.57},
        "stops": [
            {"external_id": "p-1", "kind": "delivery", "name": "Ana", "lat": 6.24, "lon": -75.57},
            {"external_id": "p-2", "kind": "delivery", "name": "Luis", "lat": 6.25, "lon": -75.56, "window": window},
        ],
    }
    assert (second.external_id, second.body["driver"]) == ("R2", "luis")


def test_the_file_that_the_command_reads_is_read_too() -> None:
    text = (
        "route,driver,timezone,start_at,stop,kind,name,address,lat,lon,planned_arrival,service_s,barcodes\n"
        "MON-7,rosa,America/Mexico_City,2026-03-02 08:00,,depot,Bodega Norte,,20.7101,-103.3924,,,\n"
        "MON-7,,,,1041,delivery,Rosa Medina,Av. México 2310,20.6811,-103.3790,2026-03-02 08:21,120,a b\n"
    )
    (said,) = routes_of(text)
    assert said.errors == []
    assert said.body["depot"] == {"name": "Bodega Norte", "lat": 20.7101, "lon": -103.3924}
    (stop,) = said.body["stops"]
    assert (stop["planned_arrival"], stop["service_s"]) == ("2026-03-02T08:21:00-06:00", 120.0)
    assert stop["parcels"] == [{"barcode": "a"}, {"barcode": "b"}]


@pytest.mark.parametrize(
    ("change", "row", "field", "why"),
    [
        ({"R1;1;": "R1;2;"}, 3, "seq", "is that of row 2"),
        ({"R1;1;": "R1;;"}, 3, "seq", "is missing"),
        ({"R1;1;;": "R1;1;eva;"}, 3, "driver", "row 2 of the same route says 'ana'"),
        ({";8:00;": ";;"}, 2, "start_at", "is needed"),
        ({";centro;": ";sur;"}, 2, "depot", "there is no depot 'sur'"),
        ({"14-16": "9-10, 14-16"}, 2, "window", "one window"),
        ({"R2;;": ";;"}, 4, "route", "is missing"),
    ],
)
def test_a_route_says_which_row_is_wrong(change: dict[str, str], row: int, field: str, why: str) -> None:
    text = ROUTES
    for was, now in change.items():
        text = text.replace(was, now)
    found: list[tuple[int, Any]] = [(row.number, error) for said in routes_of(text) for row, error in said.errors]
    assert [(number, error.at) for number, error in found] == [(row, field)]
    assert why in found[0][1].why


def test_the_page_shows_the_table_of_words() -> None:
    page = (Path(__file__).parents[3] / "docs/howto/imports.md").read_text()
    parts = re.split(r"^### Of (\w+)$", page, flags=re.MULTILINE)[1:]
    told = {
        part: dict(re.findall(r"^\| `(\w+)` \| [^|]*\| ([^|]+) \|$", text, re.MULTILINE))
        for part, text in zip(parts[::2], parts[1::2], strict=True)
    }
    for kind, names in SYNONYMS.items():
        ours = {field: ", ".join(words.split("|")) for field, words in names.items()}
        assert told["both"] | told[kind] == ours


def test_headings_without_end_take_no_time() -> None:
    text = ";".join(["pedido;nombre;direccion", *["(" * 5_000] * 150])
    began_s = time.process_time()
    columns = columns_of(f"{text}\n1;A;C\n")
    assert time.process_time() - began_s < 2
    assert max(map(len, columns.headings.names)) == LONGEST_HEADING


LIGATURE = "\ufdfa" * 5_000


def test_a_day_that_is_none_costs_nothing() -> None:
    """A letter that stands for eighteen is written as all of them where texts are compared."""
    text = "pedido;nombre;direccion;fecha;ventana\n" + f"1;A;C;{LIGATURE};{LIGATURE}\n" * 90
    began_s = time.process_time()
    found = orders_of(text)
    assert time.process_time() - began_s < 0.3
    assert all({"fecha", "ventana"} & {one.row.heading(at) for at in wrong(one)} for one in found)


def test_depots_are_found_by_name_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(columns, "plain", lambda text: written.append(text) or plain(text))
    depots = [replace(CENTRO, external_id=f"d{n}", name=f"Bodega Número {n}") for n in range(100)]
    text = "pedido;nombre;direccion;fecha;bodega\n" + "1;A;C;1/12/2026;bodega numero 7\n" * 90
    found = orders_of(text, replace(AROUND, depots=depots))
    assert {one.body["depot"] for one in found} == {"d7"}
    assert len(written) <= 2 * len(depots) + len(found)


def test_a_list_of_proofs_without_end_is_refused_at_once() -> None:
    (one,) = orders_of("pedido;nombre;direccion;fecha;prueba\n1;A;C;1/12/2026;" + "x," * 2_400)
    assert list(wrong(one)) == ["proof"]
    assert len(one.row.errors) == 1
