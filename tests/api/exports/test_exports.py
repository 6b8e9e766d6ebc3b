"""Exports: every thing in every kind of file, read back as other programs read it."""

import asyncio
import csv
import io
import json
import math
import struct
import sys
import threading
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import aiohttp
import arro3.io as arrow_io
import pytest

from api.exports import endpoints, things, xlsx
from api.exports.columns import columns
from api.exports.endpoints import FORMS
from api.exports.things import THINGS
from api.exports.xlsx import Workbook
from api.http.app_keys import POOL
from sql.pool import Pool
from tests.api.tour_rows import Tour

NINE = datetime(2026, 3, 2, 14, tzinfo=UTC)
"""09:00 in Bogotá."""

DAY = {"from": "2026-03-02", "to": "2026-03-02"}
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_GPX = "{http://www.topografix.com/GPX/1/1}"
_KML = "{http://www.opengis.net/kml/2.2}"
_GX = "{http://www.google.com/kml/ext/2.2}"
EVERY = [(name, form) for name, thing in THINGS.items() for form in thing.forms if form in FORMS]


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, endpoints.operations.add_to]


@pytest.fixture
async def tour(pool: Pool, account: Any) -> Tour:
    """A tour of which there is something of everything."""
    tour = await Tour.put(pool, account.id, start_at=NINE, stops=3, driver="=HYPERLINK(1)")
    await tour.change_stop(0, name="@SUM(A1)\x0b", address="Cra. 46 # 52-10 <&>", phone="+573001112233")
    await tour.change_stop(1, name="-2+3", cash_amount=85_000, cash_currency="COP", instructions="Línea 1\nLínea 2")
    await tour.visit(0, NINE + timedelta(minutes=10), NINE + timedelta(minutes=14))
    await tour.keep_pings([NINE + timedelta(seconds=10 * n) for n in range(5)])
    await tour.keep_pings([NINE + timedelta(seconds=55)], believed=False)
    await pool.execute(
        """INSERT INTO message (account_id, route_id, stop_id, attempt, kind, channel, address, locale, state,
                                happened_at, next_try_at, expires_at, created_at, sent_at, parts, price)
           VALUES ($1, $2, $3, 1, 'delivered', 'sms', '+573001112233', 'es', 'sent', $4, $4, $4, $4, $4, 2, 0.5)""",
        *(account.id, tour.route_id, tour.stop_ids[0], NINE),
    )
    await pool.execute(
        """INSERT INTO proof (account_id, driver_id, upload_id, stop_id, kind, state, said_at, said_lat, said_lon,
                              sha256)
           VALUES ($1, $2, gen_random_uuid(), $3, 'photo', 'stored', $4, 6.25, -75.57, '\\x00ff')""",
        *(account.id, tour.driver_id, tour.stop_ids[0], NINE),
    )
    await pool.execute(
        """INSERT INTO eta_told (route_id, stop_id, bucket, account_id, driver_id, as_of, expected, low, high, spread_s,
                                 on_route, came_at)
           SELECT $1, $2, 0, $3, $4, at, at, at, at, 60, true, at + interval '1 minute'
             FROM (SELECT $5::timestamptz AS at) AS one""",
        *(tour.route_id, tour.stop_ids[0], account.id, tour.driver_id, NINE),
    )
    await pool.execute(
        """INSERT INTO delivery_order (account_id, external_id, state, quality, lat, lon, earliest, latest, body)
           SELECT $1, 'ped-' || n, 'ready', 'given', 6.25, -75.57, date '2026-03-01', date '2026-03-02',
                  jsonb_build_object('name', '\tAna', 'phone', '+57300', 'kind', 'delivery')
             FROM generate_series(1, 3) AS n""",
        account.id,
    )
    await pool.execute(
        """INSERT INTO event (account_id, seq, fact_id, revision, state, type, occurred_at, known_at, late, data)
           SELECT $1, n, gen_random_uuid(), 1, 'asserted', 'route.started', at, at + make_interval(hours => n - 10),
                  false, '{"a": 1}'
             FROM generate_series(1, 40) AS n, (SELECT $2::timestamptz AS at) AS one""",
        *(account.id, NINE),
    )
    await pool.execute("UPDATE account SET events_numbered = 40 WHERE id = $1", account.id)
    return tour


async def export(client: Any, account: Any, file: str, /, status: int = 200, **query: str) -> bytes:
    response = await client.get(f"/v1/exports/{file}", params=DAY | query, headers=account.headers)
    content: bytes = await response.read()
    assert response.status == status, content
    return content


async def table(client: Any, account: Any, name: str, /, **query: str) -> list[dict[str, str]]:
    text = (await export(client, account, f"{name}.csv", **query)).decode()
    return list(csv.DictReader(io.StringIO(text)))


def sheets(content: bytes) -> list[list[list[Any]]]:
    """The cells of every sheet of a workbook, as its parts name them."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert parts.testzip() is None
        assert parts.namelist()[0] == "[Content_Types].xml"
        book = ET.fromstring(parts.read("xl/_rels/workbook.xml.rels"))
        assert {f"xl/{one.get('Target')}" for one in book} < set(parts.namelist())
        names = sorted(name for name in parts.namelist() if "/sheet" in name)
        return [[_cells(row) for row in ET.fromstring(parts.read(name)).iter(f"{_SHEET}row")] for name in names]


def _cells(row: ET.Element) -> list[Any]:
    cells: list[Any] = []
    for cell in row:
        text, value = cell.find(f"{_SHEET}is/{_SHEET}t"), cell.find(f"{_SHEET}v")
        if text is not None:
            cells.append(text.text or "")
        elif value is None or value.text is None:
            cells.append(None)
        else:
            cells.append(bool(int(value.text)) if cell.get("t") == "b" else float(value.text))
    return cells


def rows_in(form: str, content: bytes) -> int:
    """How many rows a file holds: drawn pings, marked places, features, lines."""
    if form == "csv":
        return len(list(csv.reader(io.StringIO(content.decode())))) - 1
    if form == "xlsx":
        return sum(len(sheet) - 1 for sheet in sheets(content))
    if form == "parquet":
        return arrow_io.read_parquet(io.BytesIO(content)).read_all().num_rows
    if form == "geojson":
        return len(json.loads(content)["features"])
    root = ET.fromstring(content)
    of = {"gpx": ("wpt", "trkpt"), "kml": ("Point", "coord")}[form]
    return sum(one.tag.rpartition("}")[2] in of for one in root.iter())


HELD = {"routes": 1, "stops": 3, "visits": 1, "proofs": 1, "messages": 1, "orders": 3, "events": 19, "track": 6}


@pytest.mark.parametrize(("name", "form"), EVERY)
async def test_everything_is_in_every_kind_of_file(
    client: Any, account: Any, other_account: Any, tour: Tour, name: str, form: str
) -> None:
    content = await export(client, account, f"{name}.{form}")
    drawn = 5 if (name, form) in (("track", "gpx"), ("track", "kml")) else HELD.get(name)
    rows = rows_in(form, content)
    assert rows == drawn if drawn else rows > 0
    nothing = await export(client, other_account, f"{name}.{form}")
    names = [column.name for column in THINGS[name].table]
    if name not in HELD:
        return  # a report of nothing has its line of totals
    assert rows_in(form, nothing) == 0
    if form == "csv":
        assert nothing.decode() == ",".join(names) + "\r\n"
    if form == "xlsx":
        assert sheets(nothing) == [[names]]
    if form == "parquet":
        held = arrow_io.read_parquet(io.BytesIO(nothing)).schema
        assert [one for one in held.names if one != "geometry"] == names


async def test_columns_hold_what_the_api_shows(client: Any, account: Any, tour: Tour) -> None:
    (route,) = await table(client, account, "routes")
    assert (route["id"], route["driver_id"], route["date"]) == (
        f"rt_{tour.route_id}",
        f"dr_{tour.driver_id}",
        "2026-03-02",
    )
    assert (route["start_at"], route["stops"]) == ("2026-03-02T09:00:00.000-05:00", "3")
    first, second, _ = await table(client, account, "stops")
    assert (first["arrived_at"], first["status"], first["removed"]) == (
        "2026-03-02T09:10:00.000-05:00",
        "arrived",
        "false",
    )
    assert (second["cash_amount"], second["cash_currency"], second["arrived_at"]) == ("85000.0", "COP", "")
    assert second["instructions"] == "Línea 1\nLínea 2"
    (message,) = await table(client, account, "messages")
    assert (message["to"], message["parts"], message["price"]) == ("+573001112233", "2", "0.5")
    (proof,) = await table(client, account, "proofs")
    assert (proof["sha256"], proof["lat"], proof["taken_at"]) == ("00ff", "6.25", "2026-03-02T09:00:00.000-05:00")
    event = (await table(client, account, "events"))[0]
    assert (event["known_at"], event["data"]) == ("2026-03-02T05:00:00.000Z", '{"a":1}')
    pings = await table(client, account, "track")
    assert [ping["believed"] for ping in pings] == ["true"] * 5 + ["false"]
    assert (pings[0]["route_id"], pings[0]["time"]) == (f"rt_{tour.route_id}", "2026-03-02T14:00:00.000Z")
    (accurate, *_) = await table(client, account, "report-eta-accuracy", driver="driver of tour-1")
    assert (accurate["lead_min"], accurate["n"], accurate["mae_s"]) == ("0-15", "1", "60.0")
    (punctual, *_) = await table(client, account, "report-punctuality")
    assert (punctual["by"], punctual["stops"], punctual["otif_share"]) == ("all", "3", "")


async def test_no_cell_is_a_formula(client: Any, account: Any, tour: Tour) -> None:
    """In CSV an apostrophe says so; a workbook has types. Numbers of phones stay what they are."""
    (route,) = await table(client, account, "routes")
    assert route["driver_name"] == "'=HYPERLINK(1)"
    stops = await table(client, account, "stops")
    assert [stop["name"] for stop in stops] == ["'@SUM(A1)\x0b", "'-2+3", "Taller Laureles"]
    assert stops[0]["phone"] == "+573001112233"
    orders = await table(client, account, "orders")
    assert orders[0]["name"] == "'\tAna"
    (sheet,) = sheets(await export(client, account, "stops.xlsx"))
    names = sheet[0].index("name")
    assert [row[names] for row in sheet[1:]] == ["@SUM(A1)", "-2+3", "Taller Laureles"]
    assert sheet[1][sheet[0].index("address")] == "Cra. 46 # 52-10 <&>"
    assert sheet[1][sheet[0].index("date")] == (date(2026, 3, 2) - date(1899, 12, 30)).days


async def test_maps_draw_tours_and_places(client: Any, account: Any, pool: Pool, tour: Tour) -> None:
    features = json.loads(await export(client, account, "routes.geojson"))["features"]
    assert len(features[0]["geometry"]["coordinates"]) == 9
    assert "path" not in features[0]["properties"]
    features = json.loads(await export(client, account, "stops.geojson"))["features"]
    assert features[0]["geometry"]["coordinates"] == [features[0]["properties"][name] for name in ("lon", "lat")]
    second = await Tour.put(pool, account.id, start_at=NINE + timedelta(hours=1), external_id="tour-2", stops=1)
    await second.keep_pings([NINE + timedelta(hours=1, seconds=10 * n) for n in range(3)])
    gpx = ET.fromstring(await export(client, account, "track.gpx"))
    drives = [len(list(drive.iter(f"{_GPX}trkpt"))) for drive in gpx.iter(f"{_GPX}trk")]
    assert drives == [5, 3]
    kml = ET.fromstring(await export(client, account, "track.kml"))
    marks = [one.findtext(f"{_KML}name") for one in kml.iter(f"{_KML}Placemark")]
    assert marks == [f"rt_{tour.route_id}", f"rt_{second.route_id}"]
    assert [len(list(one.iter(f"{_GX}coord"))) for one in kml.iter(f"{_KML}Placemark")] == [5, 3]
    stops = ET.fromstring(await export(client, account, "stops.gpx", driver="driver of tour-1"))
    assert [one.findtext(f"{_GPX}name") for one in stops] == ["@SUM(A1)", "-2+3", "Taller Laureles"]


async def test_parquet_has_types_and_places(
    client: Any, account: Any, pool: Pool, tour: Tour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(things, "PAGE", 2)  # more pieces
    file = arrow_io.read_parquet(io.BytesIO(await export(client, account, "track.parquet")))
    table = file.read_all()
    assert str(table.schema.field("time").type).strip() == 'arro3.core.DataType<Timestamp(ms, "UTC")>'
    columns_of = {name: table.column(name).to_pylist() for name in table.column_names}
    assert columns_of["believed"] == [True] * 5 + [False]
    assert columns_of["time"][1] - columns_of["time"][0] == timedelta(seconds=10)
    assert columns_of["route_id"] == [f"rt_{tour.route_id}"] * 6
    point = struct.unpack("<BIdd", columns_of["geometry"][0])
    assert point == (1, 1, columns_of["lon"][0], columns_of["lat"][0])
    content = await export(client, account, "stops.parquet")
    assert b'"primary_column":"geometry"' in content
    assert b'"primary_column"' not in await export(client, account, "events.parquet")
    stops = arrow_io.read_parquet(io.BytesIO(content)).read_all()
    assert stops.column("name").to_pylist()[1] == "-2+3"
    assert stops.column("date").to_pylist()[0] == date(2026, 3, 2)
    assert stops.column("window_start").to_pylist() == [None] * 3


async def test_without_its_library_parquet_says_what_to_install(
    client: Any, account: Any, pool: Pool, tour: Tour, refused: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "api.exports.parquet", raising=False)
    monkeypatch.setitem(sys.modules, "arro3.io", None)
    response = await client.get("/v1/exports/stops.parquet", params=DAY, headers=account.headers)
    assert "reparto[parquet]" in (await refused(response, 404))["detail"]
    assert await pool.fetchval("SELECT count(*) FROM audit_entry") == 0
    assert client.app[endpoints._LEDGER].total == 0


async def test_pieces_join_without_a_seam(
    client: Any, account: Any, pool: Pool, tour: Tour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many rows are read at once."""
    await Tour.put(pool, account.id, start_at=NINE + timedelta(hours=1), external_id="tour-2", stops=2)
    files = ("stops.csv", "stops.geojson", "stops.kml", "orders.csv", "events.csv", "track.csv", "track.gpx")
    whole = [await export(client, account, file) for file in files]
    cells = sheets(await export(client, account, "track.xlsx"))
    monkeypatch.setattr(things, "TOURS_AT_ONCE", 1)
    monkeypatch.setattr(things, "PAGE", 2)
    assert [await export(client, account, file) for file in files] == whole
    assert rows_in("kml", await export(client, account, "track.kml")) == 5
    assert sheets(await export(client, account, "track.xlsx")) == cells


async def test_orders_and_events_have_days_of_their_own(client: Any, account: Any, tour: Tour) -> None:
    assert len(await table(client, account, "orders", **{"from": "2026-02-20", "to": "2026-03-01"})) == 3
    assert len(await table(client, account, "orders", **{"from": "2026-02-20", "to": "2026-02-28"})) == 0
    assert len(await table(client, account, "orders", **{"from": "2026-03-03", "to": "2026-03-09"})) == 0
    hours = {"from": "2026-03-02T15:00:00Z", "to": "2026-03-02T18:00:00Z"}
    events = await table(client, account, "events", **hours)
    assert [event["seq"] for event in events] == ["11", "12", "13"]
    assert len(await table(client, account, "events", **{"from": "2026-02-20", "to": "2026-02-21"})) == 0
    assert len(await table(client, account, "events", **{"from": "2026-03-01", "to": "2026-03-05"})) == 40


async def test_only_who_reads_messages_elsewhere_exports_them(
    client: Any, account: Any, tour: Tour, bearer: Any
) -> None:
    viewer = bearer(account.viewer_key)
    for name in THINGS:
        response = await client.get(f"/v1/exports/{name}.csv", params=DAY, headers=viewer)
        assert response.status == (403 if name == "messages" else 200), name
    assert (await client.get("/v1/exports/stops.csv")).status == 401


async def test_that_people_were_exported_is_noted(client: Any, account: Any, pool: Pool, tour: Tour) -> None:
    await export(client, account, "report-cash.xlsx")
    await client.head("/v1/exports/stops.csv", params=DAY, headers=account.headers)
    assert await pool.fetchval("SELECT count(*) FROM audit_entry") == 0
    await export(client, account, "stops.csv", driver="driver of tour-1")
    entry = await pool.fetchrow("SELECT operation, thing, after FROM audit_entry")
    assert entry["operation"] == "GET /v1/exports/{export}.{format}"
    assert entry["thing"] == {"export": "stops", "format": "csv"}
    assert entry["after"] == DAY | {"driver": "driver of tour-1"}


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("messages.kml", "messages.csv, messages.xlsx"),
        ("stops.pdf", "stops.csv, stops.xlsx"),
        ("report-cash.geojson", "report-cash.csv, report-cash.xlsx"),
        ("nothing.csv", "routes, stops, visits"),
        ("a.stops.csv", "routes, stops, visits"),
    ],
)
async def test_what_there_is_is_named(client: Any, account: Any, refused: Any, file: str, said: str) -> None:
    response = await client.get(f"/v1/exports/{file}", params=DAY, headers=account.headers)
    problem = await refused(response, 404)
    assert said in problem["detail"]


@pytest.mark.parametrize("name", ["orders", "events", "report-eta-accuracy"])
async def test_what_says_nothing_of_it_is_refused(client: Any, account: Any, refused: Any, name: str) -> None:
    response = await client.get(f"/v1/exports/{name}.csv", params=DAY | {"depot": "x"}, headers=account.headers)
    await refused(response, 422, "depot")


async def test_a_file_that_ends_early_does_not_look_whole(
    client: Any, account: Any, tour: Tour, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def torn(asked: Any) -> AsyncIterator[list[list[Any]]]:
        assert asked.form in THINGS["stops"].forms
        yield []
        raise ConnectionError

    monkeypatch.setattr(endpoints, "THINGS", {"stops": replace(THINGS["stops"], read=torn)})
    for form in THINGS["stops"].forms:
        response = await client.get(f"/v1/exports/stops.{form}", params=DAY, headers=account.headers)
        assert response.status == 200
        with pytest.raises(aiohttp.ClientError):
            await response.read()
    await asyncio.sleep(0.3)
    assert "parquet" not in {thread.name for thread in threading.enumerate()}


async def test_one_account_has_some_of_them_at_most(client: Any, account: Any, tour: Tour, refused: Any) -> None:
    ledger = client.app[endpoints._LEDGER]
    with ledger.held([("account", account.id)], endpoints.OF_ONE):
        response = await client.get("/v1/exports/stops.csv", params=DAY, headers=account.headers)
        await refused(response, 429)
        assert response.headers["Retry-After"]
    await export(client, account, "stops.csv")
    assert ledger.total == 0


async def test_a_reader_that_is_slow_holds_no_connection(
    client: Any, account: Any, pool: Pool, tour: Tour, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []

    async def noted(asked: Any) -> AsyncIterator[list[list[Any]]]:
        async for rows in THINGS["stops"].read(asked):
            yield rows
            taken.append(pool.get_size() - pool.get_idle_size())

    monkeypatch.setattr(endpoints, "THINGS", {"stops": replace(THINGS["stops"], read=noted)})
    await export(client, account, "stops.csv")
    assert taken == [0]
    assert client.app[POOL] is pool


def test_a_long_workbook_is_never_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on on the next sheet, and pieces are as small at its end as at its begin."""
    monkeypatch.setattr(xlsx, "ROWS_A_SHEET", 5_000)
    book = Workbook("stops", columns("name n:i"))
    pieces = [book.begin()]
    for n in range(12):
        pieces.append(book.rows([[f"{n}-{k} áé", k] for k in range(1_000)]))
        assert len(pieces[-1]) < 40_000
    whole = b"".join([*pieces, book.end()])
    read = sheets(whole)
    assert [len(sheet) for sheet in read] == [4_001, 4_001, 4_001]
    assert {tuple(sheet[0]) for sheet in read} == {("name", "n")}
    assert read[-1][-1] == ["11-999 áé", 999.0]


def test_a_cell_without_a_value_is_empty() -> None:
    """A spreadsheet knows no number that is none, and calls a file with one damaged."""
    book = Workbook("stops", columns("name n:f"))
    (sheet,) = sheets(book.begin() + book.rows([[None, math.nan], ["", math.inf], ["x", 0.1]]) + book.end())
    assert sheet[1:] == [[None, None], ["", None], ["x", 0.1]]
