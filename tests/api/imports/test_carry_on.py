"""Imports that take longer than a request, and processes that end in the middle of one."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from api.http.config import ApiConfig
from api.imports import carry_on, endpoints, orders
from api.imports.carry_on import MOST_TRIES, import_job
from api.imports.steps import HOLD_S
from api.routes.roads import RouteTools
from sql.config import DatabaseConfig
from sql.imports.imports import drop_rows_of_words, end_import, put_back, take_import
from sql.pool import Pool
from tests.api.imports.conftest import counts
from work.imports.upkeep import KEPT, import_retention_job
from work.roads.choose import STRAIGHT

HEAD = "pedido;nombre;direccion;fecha\n"
JOB = import_job(STRAIGHT, ApiConfig())


def rows(count: int, day: str = "1/12/2026") -> str:
    return "".join(f"p-{one};A;C;{day}\n" for one in range(count))


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests leave all to the role, which does an order at a time."""
    monkeypatch.setattr(endpoints, "SOON_S", -1.0)
    monkeypatch.setattr(orders, "AT_ONCE", 1)


async def forgotten(pool: Pool) -> None:
    """Nobody is heard of any more."""
    await pool.execute("UPDATE import SET held_until = now() - interval '1 second' WHERE held_until IS NOT NULL")


async def test_what_a_request_has_no_time_for_the_role_does(send: Any, ask: Any, pool: Pool, slowly: None) -> None:
    sent = await send(HEAD + rows(30))
    assert (sent["state"], sent["progress"], sent["verdicts"]) == ("running", 0.0, [])
    assert await JOB.do(pool) is True
    done = await ask("GET", f"/v1/imports/{sent['id']}")
    assert (done["state"], done["progress"], counts(done)) == ("done", 1.0, (30, 0, 0, 0))
    assert [one["row"] for one in done["verdicts"]] == [*range(2, 32)]
    assert await JOB.do(pool) is False


async def test_the_same_file_twice_while_it_waits_is_one_import(send: Any, slowly: None) -> None:
    first = await send(HEAD + rows(3))
    assert (await send(HEAD + rows(3)))["id"] == first["id"]
    assert (await send(HEAD + rows(3), dry_run="true"))["id"] != first["id"]
    assert (await send(HEAD + rows(3), date="2026-12-01"))["id"] != first["id"]


async def test_so_many_may_wait(send: Any, monkeypatch: pytest.MonkeyPatch, slowly: None) -> None:
    monkeypatch.setattr(endpoints, "MOST_WAITING", 2)
    for count in (1, 2):
        await send(HEAD + rows(count))
    problem = await send(HEAD + rows(3), status=429)
    assert "not done yet" in problem["detail"]


async def test_who_waited_longest_comes_first(
    send: Any, pool: Pool, slowly: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carry_on, "TURN_S", -1.0)
    first, second = [(await send(HEAD + rows(count)))["id"] for count in (3, 4)]
    turns = []
    for _ in range(4):
        row = await take_import(pool, hold_s=HOLD_S)
        assert row is not None
        turns.append(f"im_{row.id}")
        await carry_on.carry_on(RouteTools(pool=pool, roads=STRAIGHT, config=ApiConfig()), row, within_s=-1.0)
    assert turns == [first, second, first, second]


async def test_an_import_gets_on_however_long_its_rows_take_to_open(
    send: Any, ask: Any, pool: Pool, slowly: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = carry_on._steps

    def slow(*args: Any) -> Any:
        time.sleep(0.2)
        return opened(*args)

    sent = await send(HEAD + rows(2))
    monkeypatch.setattr(carry_on, "_steps", slow)
    monkeypatch.setattr(carry_on, "TURN_S", 0.1)
    for _ in range(2):
        await JOB.do(pool)
    assert (await ask("GET", f"/v1/imports/{sent['id']}"))["state"] == "done"


async def test_accounts_have_their_turns(
    send: Any, client: Any, bearer: Any, other_account: Any, pool: Pool, slowly: None
) -> None:
    """An account with many that wait holds up its own alone."""
    for count in (3, 4, 5):
        await send(HEAD + rows(count))
    answer = await client.post(
        "/v1/imports?kind=orders", data=(HEAD + rows(3)).encode(), headers=bearer(other_account.dispatcher_key)
    )
    other = (await answer.json())["id"]
    turns = []
    for _ in range(4):
        row = await take_import(pool, hold_s=HOLD_S)
        assert row is not None
        turns.append(f"im_{row.id}")
        if len(turns) == 3:
            await end_import(pool, row, state="done")
        else:
            await put_back(pool, row)
    assert turns == ["im_1", other, "im_2", other]


WORKER = """
import asyncio, sys
from api.http.config import ApiConfig
from api.imports import orders
from api.imports.carry_on import import_job
from sql.config import DatabaseConfig
from sql.pool import create_pool
from work.roads.choose import STRAIGHT

orders.AT_ONCE = 1

async def main():
    async with await create_pool(DatabaseConfig(database_url=sys.argv[1]), connections=2) as pool:
        while await import_job(STRAIGHT, ApiConfig()).do(pool):
            pass

asyncio.run(main())
"""


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not await holds():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("kind", ["orders", "routes"])
async def test_a_worker_that_is_killed_leaves_nothing_out_and_nothing_twice(
    send: Any, ask: Any, pool: Pool, database: DatabaseConfig, slowly: None, kind: str
) -> None:
    if kind == "orders":
        text = HEAD + rows(200)
    else:
        one = "R{0};p-{0};A;6,24{1:02d};-75,56;1/12/2026;8:00;America/Bogota\n"
        text = "ruta;pedido;nombre;lat;lon;fecha;salida;zona horaria\n" + "".join(one.format(n, n) for n in range(60))
    sent = await send(text, kind=kind)
    total, kills = sent["rows"], 0
    for share in (0.1, 0.4, 0.7):
        worker = subprocess.Popen([sys.executable, "-c", WORKER, database.database_url])
        await until(partial(pool.fetchval, "SELECT step >= $1 FROM import", int(share * total)))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        step, judged = await pool.fetchrow("SELECT step, (SELECT count(*) FROM import_row) FROM import")
        made = await pool.fetchval("SELECT count(*) FROM " + {"orders": "delivery_order", "routes": "route"}[kind])
        assert step == judged == made
        kills += step < total
        await forgotten(pool)
    assert kills
    while await JOB.do(pool):
        pass
    done = await ask("GET", f"/v1/imports/{sent['id']}")
    assert (done["state"], counts(done)) == ("done", (total, 0, 0, 0))


async def test_a_process_that_was_given_up_changes_nothing_any_more(
    send: Any, ask: Any, pool: Pool, slowly: None
) -> None:
    sent = await send(HEAD + rows(5))
    await forgotten(pool)
    lost = await take_import(pool, hold_s=HOLD_S)
    assert lost is not None
    assert await take_import(pool, hold_s=HOLD_S) is None
    await forgotten(pool)
    assert await JOB.do(pool)
    await carry_on.carry_on(RouteTools(pool=pool, roads=STRAIGHT, config=ApiConfig()), lost, within_s=9.0)
    done = await ask("GET", f"/v1/imports/{sent['id']}")
    assert (done["state"], counts(done)) == ("done", (5, 0, 0, 0))


async def test_what_ends_processes_again_and_again_is_given_up(send: Any, ask: Any, pool: Pool, slowly: None) -> None:
    sent = await send(HEAD + rows(5))
    for _ in range(MOST_TRIES):
        await forgotten(pool)
        assert await take_import(pool, hold_s=HOLD_S) is not None
    await forgotten(pool)
    assert await JOB.do(pool)
    failed = await ask("GET", f"/v1/imports/{sent['id']}")
    assert (failed["state"], "again and again" in failed["why"]) == ("failed", True)
    assert await pool.fetchval("SELECT sheet FROM import") is None


async def test_imports_go_after_a_month(send: Any, ask: Any, pool: Pool) -> None:
    sent = await send(HEAD + rows(3) + "x;;;\n")
    retention = import_retention_job()
    await pool.execute("UPDATE import SET created_at = now() - $1::interval", KEPT - timedelta(hours=1))
    await retention.do(pool)
    assert await ask("GET", f"/v1/imports/{sent['id']}")
    await pool.execute("UPDATE import SET created_at = now() - $1::interval", KEPT + timedelta(hours=1))
    await retention.do(pool)
    await ask("GET", f"/v1/imports/{sent['id']}", status=404)
    assert await pool.fetchval("SELECT count(*) FROM import_row") == 0


async def test_an_erasure_takes_rejected_rows_along(send: Any, ask: Any, pool: Pool) -> None:
    sent = await send("pedido;nombre;direccion;telefono\n1;Ana Paz;C;\n2;Luis;Calle 1;300 111 22-33\n3;Eva;C;\n")
    assert sent["rejected"] == 3
    done = await ask("POST", "/v1/erasures", {"contact": "3001112233"})
    assert done["erased"]["imports"] == 1
    assert await pool.fetch("SELECT number FROM import_row ORDER BY number") == [(2,), (4,)]
    async with pool.acquire() as db:
        account_id = await db.fetchval("SELECT account_id FROM import")
        assert await drop_rows_of_words(db, account_id, words=["ANA PAZ", ""], phones=[], at_most=9) == 1
