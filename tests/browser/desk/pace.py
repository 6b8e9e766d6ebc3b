"""`make desk-pace`: the map with a fleet that moves, and many desks on one process; a measurement, it asserts nothing.

Vans get another place at a steady rate, as a tracker writes and tells them. Of the page: the share of its main thread
that is busy, by the clock and by the processor (they differ where other work waits for the same one), and how old a
place in view is when the page has it; of the server, the processor it takes beside, and what each of many desks adds.
Each with all of the fleet in view, and with some twentieth of it.
"""

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yarl

from tests.browser.desk.conftest import Office
from tests.browser.waiting import until

VANS = int(os.environ.get("VANS", "5000"))
UPDATES_PER_S = int(os.environ.get("UPDATES", "500"))
DESKS = int(os.environ.get("DESKS", "100"))
WATCHED_S = 20.0
STEP_S = 0.1

_FLEET = """
WITH made AS (
    INSERT INTO driver (account_id, lane, external_id, name)
    SELECT $1, 0, 'van-' || n, 'Van ' || n FROM generate_series(1, $2::int) AS n RETURNING id)
INSERT INTO live (lane, driver_id, account_id, recorded_at, received_at, lat_e6, lon_e6, speed_mps, heading_deg)
SELECT 0, id, $1, now(), now(), 6250000 + (random() * 200000 - 100000)::int,
       -75570000 + (random() * 200000 - 100000)::int, 8, random() * 360 FROM made RETURNING driver_id
"""
_MOVE = """
UPDATE live SET recorded_at = now(), received_at = now(), lon_e6 = lon_e6 + 200,
       heading_deg = (heading_deg + 10)::int % 360
 WHERE lane = 0 AND driver_id = ANY ($1::bigint[])
"""

WORLD, PART = "-180,-90,180,90", "-75.595,6.225,-75.545,6.275"

_AGES = """
(view) => { window.ages = []; window.others = 0;
  const [west, south, east, north] = view.split(",").map(Number);
  const stream = new EventSource(`/v1/positions/stream?view=${view}`);
  stream.addEventListener("changed", (event) => { for (const one of JSON.parse(event.data).features) {
    const [lon, lat] = one.geometry.coordinates;
    if (west <= lon && lon <= east && south <= lat && lat <= north)
      window.ages.push(Date.now() - Date.parse(one.properties.recorded_at));
    else window.others += 1; } }); }
"""

_READERS = r"""
import asyncio, sys
host, port, count, seconds, view = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]
cookie = sys.stdin.readline().strip()
async def read():
    reader, writer = await asyncio.open_connection(host, port)
    ask = "GET /v1/positions/stream?view=%s HTTP/1.1\r\nHost: x\r\nCookie: reparto=%s\r\n\r\n" % (view, cookie)
    writer.write(ask.encode())
    got = 0
    try:
        async with asyncio.timeout(seconds):
            while block := await reader.read(1 << 16):
                got += len(block)
    except TimeoutError:
        pass
    writer.close()
    return got
async def main():
    got = await asyncio.gather(*(read() for _ in range(count)))
    print(sum(one > max(got) / 2 for one in got), "of", count, "had all of it,", max(got), "bytes")
asyncio.run(main())
"""


@pytest.fixture(scope="session")
def composed() -> Sequence[str]:
    """As a browser does: a map that is copied out of the card for every picture is what a test of a page can afford."""
    return ()


@pytest.mark.parametrize("view", [WORLD, PART], ids=["all", "part"])
async def test_many_desks_follow_a_fleet(browser: Any, office: Office, capsys: Any, view: str) -> None:
    drivers = [row["driver_id"] for row in await office.pool.fetch(_FLEET, office.account_id, VANS)]
    page = await office.sit(browser)
    cookie = next(one["value"] for one in await page.context.cookies() if one["name"] == "reparto")
    url = yarl.URL(office.url)
    cpu_s, memory_b = {}, {}
    for desks in (1, DESKS):
        asked = (str(url.host), str(url.port), str(desks), str(WATCHED_S + 5), view)
        readers = await asyncio.create_subprocess_exec(sys.executable, "-c", _READERS, *asked, stdin=PIPE, stdout=PIPE)
        assert readers.stdin is not None
        readers.stdin.write(f"{cookie}\n".encode())
        await asyncio.sleep(4)
        before_s = time.process_time()
        await move(office, drivers)
        cpu_s[desks], memory_b[desks] = time.process_time() - before_s, resident_b()
        got, _ = await readers.communicate()
        with capsys.disabled():
            share = cpu_s[desks] / WATCHED_S
            print(f"\n{desks} desks: server and writer {share:.0%} of a core; {got.decode().strip()}")
    each = DESKS - 1
    with capsys.disabled():
        print(f"each more: {(cpu_s[DESKS] - cpu_s[1]) / WATCHED_S / each:.2%} of a core,", end=" ")
        print(f"{(memory_b[DESKS] - memory_b[1]) / each / 1024:.0f} kB")


@pytest.mark.parametrize("view", [WORLD, PART], ids=["all", "part"])
async def test_a_fleet_moves(browser: Any, office: Office, capsys: Any, view: str) -> None:
    rows = await office.pool.fetch(_FLEET, office.account_id, VANS)
    drivers = [row["driver_id"] for row in rows]
    page, other = await office.sit(browser), await office.sit(browser, "viewer")
    await page.goto(f"{office.url}/desk")
    await page.wait_for_selector("#map canvas")
    await until(page, "document.querySelector('#more').textContent.length > 0")
    if view == PART:
        await page.click("#vans button")  # the map goes near it
    await other.goto(f"{office.url}/desk/find")
    await other.evaluate(_AGES, view)  # beside: the page that is measured shall do only what it does
    await page.bring_to_front()
    line = await page.context.new_cdp_session(page)
    await line.send("Performance.enable")
    before, thread_s, cpu_s, begun_s = await tasks(line), await thread(line), time.process_time(), time.monotonic()
    await move(office, drivers)
    took_s, cpu_s = time.monotonic() - begun_s, time.process_time() - cpu_s
    busy, worked = (await tasks(line) - before) / took_s, (await thread(line) - thread_s) / took_s
    ages, others = np.array(await other.evaluate("window.ages")) / 1000, await other.evaluate("window.others")
    with capsys.disabled():
        print(f"\n{VANS} vans, {(len(ages) + others) / took_s:.0f} updates/s", end=" ")
        print(f"({len(ages) / took_s:.0f} in view) for {took_s:.0f} s at {datetime.now(UTC):%H:%M}")
        print(f"main thread: {busy:.0%} busy by the clock, {worked:.0%} of a core")
        print("age of a place: " + ", ".join(f"{q}: {np.percentile(ages, int(q)):.2f} s" for q in ("50", "95", "100")))
        print(f"server with two streams, and the writer: {cpu_s / took_s:.0%} of a core")
    assert page.wrong == []


def resident_b() -> int:
    """Read how much memory this process has, bytes."""
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


async def tasks(line: Any) -> float:
    """Read how long the page's main thread was busy so far, seconds."""
    told = await line.send("Performance.getMetrics")
    return float(next(one["value"] for one in told["metrics"] if one["name"] == "TaskDuration"))


async def thread(line: Any) -> float:
    """Read how long the page's main thread had a processor so far, seconds."""
    told = await line.send("Performance.getMetrics")
    return float(next(one["value"] for one in told["metrics"] if one["name"] == "ThreadTime"))


async def move(office: Office, drivers: list[int]) -> None:
    """Move vans one after the other, as many as the time that went by asks for."""
    begun_s, moved = time.monotonic(), 0
    while (gone_s := time.monotonic() - begun_s) < WATCHED_S:
        due = round(UPDATES_PER_S * gone_s)
        some = [drivers[n % len(drivers)] for n in range(moved, due)]
        moved = due
        if some:
            await office.pool.execute(_MOVE, some)
            told = " ".join(f"{office.account_id}:{one}:0" for one in some[:300])
            await office.pool.execute("SELECT pg_notify('reparto_live', $1)", told)
        await asyncio.sleep(STEP_S)
