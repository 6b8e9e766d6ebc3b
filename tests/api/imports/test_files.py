"""What comes as a file, who may send it, and what is kept of it."""

import random
import threading
from typing import Any

import pytest

from api.imports import endpoints
from sql.imports.imports import add_mapping, read_mapping
from sql.pool import Pool
from tests.api.imports.conftest import counts
from tests.work.imports.books import with_part, workbook
from work.imports.sheet import PlanSheet

SHEET = "pedido;nombre;direccion;fecha\n1;A;C;1/12/2026\n"


@pytest.mark.parametrize(
    ("content", "status", "type_", "words"),
    [
        (b"", 422, "unreadable-file", "nothing in the file"),
        (b"%PDF-1.7", 415, "unsupported-media-type", "a PDF"),
        (b"\0\1\2", 415, "unsupported-media-type", "no text file"),
        (b"PK\x03\x04" + bytes(50), 422, "unreadable-file", "damaged"),
        (b"foo;bar\n1;2\n", 422, "unreadable-file", "none of its headings is known"),
        (b"pedido;nombre;direccion\n", 422, "unreadable-file", "no row below the headings"),
        (b"x" * 300_001, 413, "too-large", "300000 bytes"),
        (SHEET.encode() + b"1;A;C;1/12/2026\n" * 2_005, 413, "too-large", "at most 2000"),
        (SHEET.encode() + b"1;A;C;1/12/2026\n" * 3_000, 413, "too-large", "more than 2000 rows"),
        (
            with_part(workbook([["a"]]), "xl/worksheets/sheet1.xml", b"<x>" + b"0" * 100_000_000),
            *(413, "too-large", "unpacks to more"),
        ),
    ],
)
async def test_a_file_that_nobody_can_read_is_refused_in_words(
    send: Any, pool: Pool, content: bytes, status: int, type_: str, words: str
) -> None:
    problem = await send(content, status=status)
    assert (problem["type"], words in problem["detail"]) == (type_, True), problem
    assert await pool.fetchval("SELECT count(*) FROM import") == 0


async def test_a_file_is_refused_in_the_language_that_is_asked_for(send: Any) -> None:
    problem = await send(b"%PDF-1.7", status=415, lang="es")
    assert problem["detail"] == "Esto es un PDF, no una planilla. Envía CSV, XLSX, XLS u ODS."
    problem = await send("foo;bar\n1;2\n", status=422, lang="pt")
    assert problem["errors"] == [{"at": one, "why": "não se entende"} for one in ("foo", "bar")]
    problem = await send(b"%PDF-1.7", status=415, lang="qu")
    assert problem["detail"].startswith("This is a PDF")


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ({"kind": "cats"}, "kind"),
        ({"dry_run": "maybe"}, "dry_run"),
        ({"mapping": "[1]"}, "mapping"),
        ({"mapping": '{"a": "b"}'}, "mapping"),
        ({"mapping": '{"a": "route"}'}, "mapping"),
        ({"mapping": "[" * 1_500}, "mapping"),
        ({"date": "ayer"}, "date"),
        ({"timezone": "Marte"}, "timezone"),
    ],
)
async def test_what_is_asked_of_it_must_be_usable(send: Any, query: dict[str, str], at: str) -> None:
    problem = await send(SHEET, status=422, **query)
    assert [error["at"] for error in problem["errors"]] == [at]


async def test_a_body_is_a_file_too(client: Any, account: Any, ask: Any) -> None:
    headers = {
        **account.headers,
        "Content-Type": "text/csv",
        "Content-Disposition": "attachment; filename*=utf-8''ma%C3%B1ana.csv",
    }
    response = await client.post("/v1/imports?kind=orders", data=SHEET.encode(), headers=headers)
    done = await response.json()
    assert (done["file"], counts(done)) == ("mañana.csv", (1, 0, 0, 0))


async def test_who_may_send_and_who_may_read(
    client: Any, account: Any, other_account: Any, send: Any, bearer: Any
) -> None:
    done = await send(SHEET)
    for key, post, get in (
        (account.viewer_key, 403, 200),
        (account.dispatcher_key, 202, 200),
        (other_account.viewer_key, 403, 404),
    ):
        response = await client.post("/v1/imports?kind=orders", data=SHEET.encode(), headers=bearer(key))
        assert response.status == post
        for path in ("", "/errors.csv"):
            assert (await client.get(f"/v1/imports/{done['id']}{path}", headers=bearer(key))).status == get


async def test_an_import_is_in_the_audit_log_once(send: Any, pool: Pool) -> None:
    done = await send(SHEET)
    rows = await pool.fetch("SELECT thing, after FROM audit_entry WHERE operation = 'POST /v1/imports'")
    after = {"kind": "orders", "dry_run": False, "rows": 1}
    assert [(row["thing"], row["after"]) for row in rows] == [({"id": done["id"]}, after)]


async def test_nothing_of_good_rows_is_kept(send: Any, pool: Pool) -> None:
    await send(SHEET + "2;Eva Secreta;;31/02/2026\n")
    kept = await pool.fetch("SELECT number, cells FROM import_row ORDER BY number")
    assert [(row["number"], row["cells"]) for row in kept] == [(2, None), (3, ["2", "Eva Secreta", "", "31/02/2026"])]
    assert await pool.fetchval("SELECT sheet FROM import") is None


async def test_whatever_bytes_come_the_answer_is_in_words(client: Any, account: Any, ask: Any) -> None:
    """Damaged workbooks and texts, by the same luck every time."""
    luck = random.Random(1)
    whole = [workbook([["pedido", "nombre", "direccion", "fecha"], [1, "A", "C", "1/12/2026"]]), SHEET.encode() * 50]
    for turn in range(24):
        damaged = bytearray(whole[turn % 2])
        for _ in range(luck.choice([1, 3, 30, 300])):
            damaged[luck.randrange(len(damaged))] = luck.randrange(256)
        content = bytes(damaged[: luck.choice([len(damaged), luck.randrange(len(damaged))])])
        query = {"kind": luck.choice(["orders", "routes"]), "dry_run": luck.choice(["true", "false"])}
        response = await client.post("/v1/imports", data=content, params=query, headers=account.headers)
        assert response.status in (202, 413, 415, 422), await response.text()
        assert await response.json(content_type=None)


@pytest.mark.parametrize("text", ["", "a\0b", "\u202e🚚" * 80, "0001-01-01", "9999-12-31", "nan", '{"":""}', '{"a":1}'])
async def test_whatever_is_asked_of_it_the_answer_is_in_words(client: Any, account: Any, ask: Any, text: str) -> None:
    for name in ("kind", "dry_run", "mapping", "date", "timezone"):
        query = {"kind": "orders", name: text}
        response = await client.post("/v1/imports", data=SHEET.encode(), params=query, headers=account.headers)
        assert response.status in (202, 422), (name, await response.text())


@pytest.mark.parametrize("name", ["idna''a", "undefined''a", "punycode''a-%FF", "utf-8''%FF"])
async def test_whatever_letters_a_name_is_in_the_file_is_read(client: Any, account: Any, ask: Any, name: str) -> None:
    headers = account.headers | {"Content-Disposition": f"attachment; filename*={name}", "Content-Type": "text/csv"}
    response = await client.post("/v1/imports?kind=orders", data=SHEET.encode(), headers=headers)
    assert response.status == 202, await response.text()


async def test_nobody_waits_for_a_sheet_to_be_packed(send: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    packed, threads = endpoints.packed, []

    def watched(sheet: PlanSheet) -> bytes:
        threads.append(threading.current_thread())
        return packed(sheet)

    monkeypatch.setattr(endpoints, "packed", watched)
    await send(SHEET)
    assert threads
    assert threading.main_thread() not in threads


async def test_an_account_says_something_of_so_many_headings(pool: Pool, account: Any) -> None:
    for turn in range(6):
        said = {f"{turn} {n}": "name" for n in range(200)} | {"Nro": "external_id"}
        await add_mapping(pool, account.id, "orders", said)
        known = await read_mapping(pool, account.id, "orders")
        assert known.items() >= said.items()
        assert len(known) <= 1_000
