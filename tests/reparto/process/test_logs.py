"""Logs: one object a line, nothing in them that is a secret or a place."""

import json
import logging

import pytest
from aiohttp import ClientSession, web

from api.http.auth import INGEST_TOKEN_PREFIX, KEY_PREFIX
from reparto.process.logs import JsonLines, PlainLines, blacked_out, configure
from reparto.process.serve import bind, serving

SECRET = "Zk3-" + "x_9A" * 9 + "pQ7"


def record_of(message: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    exc_info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("ingest.track.tracker", logging.WARNING, "x.py", 1, message, args, exc_info)


def test_a_line_is_one_json_object() -> None:
    line = JsonLines("track").format(record_of("took %d blocks\nof lane %d", 3, 7))
    assert "\n" not in line
    assert json.loads(line) | {"at": ""} == {
        "at": "",
        "level": "warning",
        "role": "track",
        "logger": "ingest.track.tracker",
        "message": "took 3 blocks\nof lane 7",
    }


def test_an_error_brings_its_traceback() -> None:
    try:
        raise ValueError("columns differ in length")
    except ValueError as error:
        record = record_of("the fold failed", error=error)
    assert "columns differ in length" in json.loads(JsonLines("track").format(record))["error"]
    assert "test_logs.py" in PlainLines("track").format(record)


def test_a_traceback_names_the_files_of_the_doors() -> None:
    text = 'File "/srv/reparto/ingest/work.py", line 53\nFile "/srv/reparto/ingest/decode/osmand.py", line 7'
    assert blacked_out(text) == text


@pytest.mark.parametrize(
    "text",
    [
        KEY_PREFIX + SECRET,
        f"GET /ingest/{INGEST_TOKEN_PREFIX}{SECRET}/osmand?id=1",
        "GET /ingest/GEHEIM/osmand",
        "GET /t/GEHEIM?lang=es",
        "GET /v1/track/GEHEIM/stream",
        "Authorization: Bearer GEHEIM",
        "Authorization: Basic R0VIRUlN",
        "postgresql://reparto:GEHEIM@db.example.com/reparto",
        "duplicate key\nDETAIL:  Key (lane, lat_e6, lon_e6)=(3, GEHEIM, GEHEIM) already exists.",
    ],
)
def test_secrets_are_blacked_out(text: str) -> None:
    shown = blacked_out(f"failed: {text}")
    assert not any(secret in shown for secret in ("GEHEIM", "R0VIRUlN", "rpk_", "rpi_"))
    assert shown.startswith("failed: ")


@pytest.mark.parametrize("place", ["-74.08175", "4.609710", "(-103.349609375, 20.67)"])
def test_places_are_blacked_out(place: str) -> None:
    assert "[number]" in blacked_out(f"cannot snap {place}")


@pytest.mark.parametrize(
    "text",
    [
        "took 12.5 ms",
        "3,412 pings in 1.25 s",
        "migration 0001_first.sql",
        "version 18.6",
        "http://127.0.0.1:8080",
        "/t/{token}",
    ],
)
def test_counts_and_durations_stay(text: str) -> None:
    assert blacked_out(text) == text


@pytest.mark.parametrize(("level", "routes"), [("INFO", ["/t/{token}", "-"]), ("DEBUG", ["/t/{token}", "/good", "-"])])
async def test_requests_are_named_by_their_route(
    caplog: pytest.LogCaptureFixture, level: str, routes: list[str]
) -> None:
    async def gone(request: web.Request) -> web.Response:
        return web.Response(status=410)

    async def good(request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/t/{token}", gone)
    app.router.add_get("/good", good)
    caplog.set_level(level, logger="reparto.access")
    with bind("127.0.0.1:0", "REPARTO_LISTEN") as listener:
        async with serving(app, listener) as url, ClientSession() as client:
            for path in ("/t/GEHEIM", "/good?token=GEHEIM", "/GEHEIM"):
                async with client.get(url + path):
                    pass
    said = [record.getMessage() for record in caplog.records if record.name == "reparto.access"]
    assert [line.split()[1] for line in said] == routes


def test_a_clients_damaged_body_is_no_error_of_ours() -> None:
    """aiohttp reads on after an early answer and calls what it meets there unhandled."""
    server = logging.getLogger("aiohttp.server")
    configure("INFO", "ingest")
    kept = [
        server.filter(server.makeRecord("aiohttp.server", logging.ERROR, "x.py", 1, "Unhandled exception", (), info))
        for error in (web.RequestPayloadError("Can not decode content-encoding: gzip"), RuntimeError("ours"))
        for info in [(type(error), error, None)]
    ]
    assert [bool(one) for one in kept] == [False, True]
