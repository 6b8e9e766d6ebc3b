"""A process attacked in every way at once takes no more memory than its settings add up to."""

import asyncio
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from api.proofs.uploads.form import FORMS_AT_ONCE
from reparto.child import Child, free_port
from reparto.client.client import Client
from reparto.simulate.fleet import GUADALAJARA, enlist, make_trip, route_of_tour
from sql.config import DatabaseConfig
from tests.work.proofs.test_room import bomb
from work.proofs.room import most_bytes
from work.proofs.store import IMAGE_WORKERS

MB = 2**20
BODIES, BODY, UPLOAD, PIXELS, SEATS = 24 * MB, 1 * MB, 3 * MB, 6_000_000, 200
DECODED = 30
"""Bytes that one byte of JSON becomes at most: `[[],[],…`, three for a list of 88."""

SEAT = 64 * 1024
"""A socket or stream with what it has under way in the kernel's and aiohttp's hands."""

FORM, FILES = 1 * MB, 4
LOOKS = 60
"""How often memory is looked at, ten times a second; more often where a machine is slow to come to the pictures."""

BOMB = bomb(2_000, 1_900)


@pytest.fixture
async def up(tmp_path: Path, database: DatabaseConfig) -> AsyncIterator[tuple[Child, str, Path]]:
    """`reparto up` with small settings, its address, and its data directory."""
    listen = f"127.0.0.1:{free_port()}"
    settings = {
        "DATABASE_URL": database.database_url,
        "DATA_DIR": str(tmp_path / "data"),
        "LISTEN": listen,
        "BODY_BYTES_AT_ONCE": str(BODIES),
        "MAX_BODY_BYTES": str(BODY),
        "MAX_PING_BYTES": str(BODY),
        "MAX_UPLOAD_BYTES": str(UPLOAD),
        "MAX_PHOTO_PIXELS": str(PIXELS),
        "WEBSOCKET_CLIENTS": str(SEATS),
        "STREAM_CLIENTS": str(SEATS),
    }
    child = Child("up", settings={f"REPARTO_{name}": to for name, to in settings.items()}, log=tmp_path / "up.log")
    try:
        await child.ready(f"http://{listen}")
        yield child, f"http://{listen}", tmp_path / "data"
    finally:
        await asyncio.to_thread(child.stop)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
async def test_memory_is_what_the_settings_add_up_to(up: tuple[Child, str, Path]) -> None:
    child, url, data_dir = up
    tokens, stops, link = await _let_in(url, (data_dir / "admin.key").read_text().strip())
    before = _rss(child.pid)
    peak, pictures_peak = before, 0
    async with (
        aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0)) as session,
        asyncio.TaskGroup() as tasks,
    ):
        attacks = [
            tasks.create_task(_again_and_again(one, session, token, stop, link))
            for token, stop in zip(tokens, stops, strict=True)
            for one, times in ((_stalled, 12), (_nested, 4), (_frame, 8), (_stream, 8), (_form, 4), (_picture, 2))
            for _ in range(times)
        ]
        for look in itertools.count():
            if look >= LOOKS and pictures_peak:
                break
            await asyncio.sleep(0.1)
            peak = max(peak, _rss(child.pid))
            pictures_peak = max(pictures_peak, sum(map(_rss, _children(child.pid, "work.proofs.child"))))
        for task in attacks:
            task.cancel()
    print(f"{(peak - before) / MB:.0f} MB, pictures {pictures_peak / MB:.0f} MB")
    most = BODIES + DECODED * BODY + FORMS_AT_ONCE * FORM + FILES * IMAGE_WORKERS * UPLOAD + 2 * SEATS * SEAT
    assert peak - before <= most, f"{(peak - before) / MB:.0f} MB of {most / MB:.0f}"
    # `up` looks into files itself, and so does its worker
    most_pictures = 2 * most_bytes(IMAGE_WORKERS, max_pixels=PIXELS, max_file_bytes=UPLOAD)
    assert pictures_peak <= most_pictures, f"{pictures_peak / MB:.0f} MB of {most_pictures / MB:.0f}"
    async with aiohttp.ClientSession(url) as session, session.get("/health/ready") as response:
        assert response.status == 200


async def _let_in(url: str, key: str) -> tuple[list[str], list[str], str]:
    """Make some phones, each with a tour; give their tokens, a stop of each, and a link of the last."""
    trip = make_trip(1, city=GUADALAJARA, stops=3, every_s=60.0)
    tokens, stops, link = [], [], ""
    async with Client(url, key) as client:
        for number in range(4):
            name = f"greedy-{number}"
            tokens.append((await enlist(client, name, name))[2])
            route = route_of_tour(trip.tour, name, driver=name, leaves_ms=round(time.time() * 1000), city=GUADALAJARA)
            stop = (await client.put_route(route))["stops"][0]
            stops.append(stop["id"])
            link = stop["tracking_url"].rpartition("/")[2]
    return tokens, stops, link


async def _again_and_again(attack, session, token: str, stop: str, link: str) -> None:
    while True:
        with suppress(aiohttp.ClientError, OSError):
            await attack(session, {"Authorization": f"Bearer {token}"}, stop, link)
        await asyncio.sleep(0.02)


async def _stalled(session, phone, stop: str, link: str) -> None:
    async def body():
        yield b" " * (BODY - 10)
        await asyncio.sleep(60)

    async with session.post("/v1/pings", data=body(), headers=phone):
        pass


async def _nested(session, phone, stop: str, link: str) -> None:
    async with session.post("/v1/driver/events", data=b"[" + b"[]," * 300_000 + b"[]]", headers=phone):
        pass


async def _frame(session, phone, stop: str, link: str) -> None:
    async with session.ws_connect("/v1/pings/ws", headers=phone, max_msg_size=0) as socket:
        socket._writer.transport.write(b"\x81\xff" + (BODY - 1).to_bytes(8) + bytes(4) + b" " * (BODY - 100))
        await asyncio.sleep(60)


async def _stream(session, phone, stop: str, link: str) -> None:
    async with session.get(f"/v1/track/{link}/stream") as response:
        while await response.content.readany():
            pass


async def _form(session, phone, stop: str, link: str) -> None:
    async def body():
        yield b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + b" " * (UPLOAD - 10)
        await asyncio.sleep(60)

    headers = {**phone, "Content-Type": "multipart/form-data; boundary=x"}
    async with session.post("/v1/driver/proofs", data=body(), headers=headers):
        pass


async def _picture(session, phone, stop: str, link: str) -> None:
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in (("stop_id", stop), ("kind", "photo")):
        form.add_field(name, value)
    form.add_field("file", BOMB + os.urandom(4), filename="x.png")
    async with session.post("/v1/driver/proofs", data=form, headers=phone):
        pass


def _rss(pid: int) -> int:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _children(pid: int, of: str) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if of in (stat.parent / "cmdline").read_text() and parent == pid:
                found.append(int(stat.parent.name))
    return found
