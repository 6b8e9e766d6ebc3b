"""Orders, shifts and plans forget people: by age, and when somebody asks."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from api.fleet import erasures
from api.http.app_keys import PROOFS
from sql.pool import Pool
from tests.api.planning.conftest import DAY, DEPOT, some_orders
from tests.api.proofs.test_erasure import where
from work.planning import upkeep
from work.planning.upkeep import planning_retention_jobs
from work.proofs.config import ProofConfig
from work.proofs.store import open_proof_store
from work.retention.guard import RetentionGuard
from work.upkeep.config import RetentionConfig
from work.upkeep.retention import retention_guard

Call = Callable[..., Awaitable[Any]]

WHO = {
    "name": "Zoraida Quispe",
    "phone": "+57 (300) 999-8877",
    "email": "Zoraida@Example.com",
    "address": "Calle Zorzal 12",
    "instructions": "timbre zumba",
    "parcels": [{"barcode": "ZED-1", "description": "zapatos", "quantity": 2}],
    "source": "tienda zorro",
    "cash_on_delivery": {"amount": 12.5, "currency": "COP"},
}
NEEDLES = ("zoraida", "999-8877", "3009998877", "zorzal", "zumba", "zed-1", "zapatos", "zorro")


@pytest.fixture
async def app_parts(app_parts: list[Any], tmp_path: Path) -> AsyncIterator[list[Any]]:
    async with open_proof_store(ProofConfig(), folder=tmp_path / "blobs") as store:

        def put(app: web.Application) -> None:
            app[PROOFS] = store

        yield [*app_parts, put, erasures.operations.add_to]


@pytest.mark.parametrize("contact", ["+573009998877", "ZORAIDA@example.com"])
async def test_nothing_names_a_recipient_whose_orders_were_erased(
    call: Call, pool: Pool, day: None, planned: Call, contact: str
) -> None:
    free, on_route = ({**one, **WHO} for one in some_orders(2))
    other = {**some_orders(3)[2], "phone": "+573001112233"}
    await call("POST", "/v1/orders", {"orders": [on_route, other]})
    plan = await planned()
    await call("POST", f"/v1/plans/{plan['id']}/publish")
    await call("POST", "/v1/orders", {"orders": [free]})
    later = await planned()
    account_id = await pool.fetchval("SELECT min(account_id) FROM delivery_order")
    await pool.execute(
        "INSERT INTO address_seen VALUES ($1, 'calle zorzal 12', 'tel 009998877', 'pin', 0, 6, -75, now()),"
        " ($1, 'calle zorzal 12', '', 'proof', 1, 6, -75, now()),"
        " ($1, 'calle otra 1', 'tel 1', 'pin', 0, 6, -75, now())",
        account_id,
    )
    await pool.execute(
        "INSERT INTO geocode_answer VALUES ($1, 'photon', 'calle zorzal 12', 6, -75, 'roof', now())", account_id
    )
    assert await where(pool, *NEEDLES) >= {"delivery_order.body", "stop.name"}

    made = await call("POST", "/v1/erasures", {"contact": contact}, status=201)
    assert (made["erased"]["orders"], made["erased"]["stops"], made["remains"]["orders"]) == (2, 1, 2)
    assert made["erased"]["addresses"] == 3
    assert await pool.fetchval("SELECT count(*) FROM address_seen") == 1
    assert await where(pool, *NEEDLES) == set()
    gone = await call("GET", f"/v1/orders/{free['external_id']}")
    assert (gone["state"], gone["order"], gone["quality"]) == ("cancelled", None, "none")
    kept = await call("GET", f"/v1/orders/{on_route['external_id']}")
    assert (kept["state"], kept["order"]) == ("assigned", None)
    assert (await call("GET", f"/v1/orders/{other['external_id']}"))["order"]["phone"] == other["phone"]
    assert (await call("GET", "/v1/orders"))["next"] is None
    money = "SELECT body -> 'cash_on_delivery' ->> 'amount' FROM delivery_order WHERE external_id = $1"
    assert await pool.fetchval(money, on_route["external_id"]) == "12.5"
    await call("POST", f"/v1/plans/{later['id']}/publish", status=409)  # nobody knows any more whom it is for
    again = await call("PUT", f"/v1/orders/{free['external_id']}", {k: v for k, v in other.items() if k[:2] != "ex"})
    assert again["state"] == "ready"


async def test_the_order_of_a_stop_goes_with_it(call: Call, pool: Pool, day: None, planned: Call) -> None:
    await call("POST", "/v1/orders", {"orders": [{**some_orders(1)[0], **WHO}]})
    plan = await planned()
    await call("POST", f"/v1/plans/{plan['id']}/publish")
    stop = await pool.fetchval("SELECT id FROM stop")
    made = await call("POST", "/v1/erasures", {"stop": f"st_{stop}"}, status=201)
    assert made["erased"]["orders"] == 1
    assert await where(pool, *NEEDLES) == set()


async def test_no_shift_and_no_plan_names_a_driver_who_was_erased(
    call: Call, pool: Pool, day: None, planned: Call
) -> None:
    await call("POST", "/v1/orders", {"orders": some_orders(6)})
    plan = await planned(shifts=["turno-van-2"])
    assert [tour["driver"] for tour in plan["tours"]] == ["luis"]
    assert await where(pool, "luis") == {"driver.external_id", "driver.name"}
    made = await call("POST", "/v1/erasures", {"driver": "luis"}, status=201)
    assert made["erased"]["shifts"] == 1
    assert await where(pool, "luis") == set()
    shifts = (await call("GET", f"/v1/shifts?date={DAY}"))["shifts"]
    assert [shift["driver"] for shift in shifts] == ["ana", None]
    assert [tour["driver"] for tour in (await call("GET", f"/v1/plans/{plan['id']}"))["tours"]] == [None]


async def _put(call: Call, pool: Pool, days: list[int]) -> None:
    await call("PUT", "/v1/depots/centro", DEPOT)
    await call("PUT", "/v1/vehicles/van", {})
    for ago in days:
        on = (datetime.now(UTC) - timedelta(days=ago)).date().isoformat()
        await call("PUT", f"/v1/orders/o{ago}", {"name": "A", "address": "Calle 1", "earliest": on, "latest": on})
        hours = {"start_at": f"{on}T13:00:00Z", "end_at": f"{on}T21:00:00Z"}
        await call("PUT", f"/v1/shifts/s{ago}", {"date": on, "vehicle": "van", "depot": "centro", **hours})
        await call("POST", "/v1/plans", {"date": on, "depot": "centro"})


async def _forget(pool: Pool, guard: RetentionGuard) -> None:
    for job in planning_retention_jobs(guard):
        for _ in range(100):
            if not await job.do(pool):
                break
        else:
            raise AssertionError("it does not end")


async def _left(pool: Pool) -> list[int]:
    tables = ("delivery_order", "plan", "plan_resource WHERE kind = 'shift'")
    return [await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables]


async def test_orders_plans_and_shifts_have_an_end(call: Call, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "_AT_ONCE", 1)
    monkeypatch.setattr(upkeep, "_PLANS_AT_ONCE", 1)
    await _put(call, pool, [70, 65, 62, 58, 0])
    config = RetentionConfig(people_retention_days=60, retention_most_days=30)
    await _forget(pool, retention_guard(config, proof_retention_days=100))
    assert await _left(pool) == [2, 2, 2]
    assert await pool.fetchval("SELECT count(*) FROM plan_resource") == 4  # the van and the depot tell of nobody


async def test_deleting_them_asks_twice(call: Call, pool: Pool) -> None:
    await _put(call, pool, [70, 0])
    config = RetentionConfig(people_retention_days=2, retention_most_days=30)
    guard = retention_guard(config, proof_retention_days=100)
    await _forget(pool, guard)
    assert await _left(pool) == [2, 2, 2]
    async with pool.acquire() as db:
        held = {one.name: one for one in await guard.forecast(db) if one.name in ("orders", "plans")}
    assert all(one.why_held for one in held.values())
    assert {name: one.things for name, one in held.items()} == {"orders": 1, "plans": 2}
    async with pool.acquire() as db:
        await guard.confirm(db)
    await _forget(pool, guard)
    assert await _left(pool) == [1, 1, 1]
