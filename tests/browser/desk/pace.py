"""`make desk-pace`: the map with a fleet that moves; a measurement, it asserts nothing.

Vans get another place at a steady rate, as a tracker writes and tells them. Of the page: the share of its main thread
that is busy, and how old a place is when the page has it; of the server, the processor it takes beside.
"""

import asyncio
import os
import time
from datetime import UTC, datetime
from typing import Any

import numpy as np

from tests.browser.desk.conftest import Office
from tests.browser.waiting import until

VANS = int(os.environ.get("VANS", "5000"))
UPDATES_PER_S = int(os.environ.get("UPDATES", "500"))
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
_AGES = """
() => { window.ages = []; const stream = new EventSource("/v1/positions/stream");
  stream.addEventListener("changed", (event) => { for (const one of JSON.parse(event.data).features)
    window.ages.push(Date.now() - Date.parse(one.properties.recorded_at)); }); }
"""


async def test_a_fleet_moves(browser: Any, office: Office, capsys: Any) -> None:
    rows = await office.pool.fetch(_FLEET, office.account_id, VANS)
    drivers = [row["driver_id"] for row in rows]
    page, other = await office.sit(browser), await office.sit(browser, "viewer")
    await page.goto(f"{office.url}/desk")
    await page.wait_for_selector("#map canvas")
    await until(page, "document.querySelector('#more').textContent.length > 0")
    await other.goto(f"{office.url}/desk/find")
    await other.evaluate(_AGES)  # beside: the page that is measured shall do only what it does
    await page.bring_to_front()
    line = await page.context.new_cdp_session(page)
    await line.send("Performance.enable")
    before, cpu_s, begun_s = await tasks(line), time.process_time(), time.monotonic()
    await move(office, drivers)
    took_s, cpu_s = time.monotonic() - begun_s, time.process_time() - cpu_s
    busy = (await tasks(line) - before) / took_s
    ages = np.array(await other.evaluate("window.ages")) / 1000
    with capsys.disabled():
        print(f"\n{VANS} vans, {len(ages) / took_s:.0f} updates/s for {took_s:.0f} s at {datetime.now(UTC):%H:%M}")
        print(f"main thread: {busy:.0%} busy")
        print("age of a place: " + ", ".join(f"{q}: {np.percentile(ages, int(q)):.2f} s" for q in ("50", "95", "100")))
        print(f"server with two streams, and the writer: {cpu_s / took_s:.0%} of a core")
    assert page.wrong == []


async def tasks(line: Any) -> float:
    """Read how long the page's main thread was busy so far, seconds."""
    told = await line.send("Performance.getMetrics")
    return float(next(one["value"] for one in told["metrics"] if one["name"] == "TaskDuration"))


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
