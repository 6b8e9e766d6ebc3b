"""`reparto export file`: a file comes whole, or not at all."""

import argparse
import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from reparto.command import CannotRun
from reparto.data import exporter


def asked_for(server: TestServer, file: str, output: Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    exporter.add_parser(parser.add_subparsers())
    words = ["export", "file", file, "--from", "2026-03-01", "--driver", "ana", "--output", str(output)]
    return parser.parse_args([*words, "--url", str(server.make_url("")), "--key", "k"])


async def answer(request: web.Request) -> web.StreamResponse:
    if request.match_info["file"] == "stops.pdf":
        return web.json_response({"detail": "There is no such file of stops."}, status=404)
    said = dict(request.query)
    assert said == {"from": "2026-03-01", "driver": "ana"}
    assert request.headers["Authorization"] == "Bearer k"
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"half")
    if request.match_info["file"] == "torn.csv":
        assert request.transport is not None
        request.transport.abort()
        return response
    await response.write(b" and half")
    return response


async def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_get("/v1/exports/{file}", answer)
    async with TestServer(app) as server:
        whole = tmp_path / "march.csv"
        assert await asyncio.to_thread(exporter.run_file, asked_for(server, "stops.csv", whole)) == 0
        assert whole.read_bytes() == b"half and half"
        whole.write_bytes(b"of before")
        for file, why in (("torn.csv", "not to the end"), ("stops.pdf", "no such file of stops")):
            with pytest.raises(CannotRun, match=why):
                await asyncio.to_thread(exporter.run_file, asked_for(server, file, whole))
            assert [path.name for path in tmp_path.iterdir()] == ["march.csv"]
            assert whole.read_bytes() == b"of before"
