"""What one request of a phone can cost: no more than what it says and what was said of its stops."""

import io
import json
import uuid
from typing import Any

import pytest

from sql.pool import Db
from sql.queries import load
from tests.api.conftest import say_events
from tests.api.driver.driver_day import event, number


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, say_events]


def _rows(node: dict[str, Any]) -> float:
    """Add up the rows that every step of a plan gave and threw away."""
    mine: float = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return mine + sum(map(_rows, node.get("Plans", ())))


async def _work(db: Db, module: str, name: str, *values: str) -> float:
    await db.execute(f"PREPARE asked AS {load(module)[name]}")
    plan = await db.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE asked ({', '.join(values)})")
    await db.execute("DEALLOCATE asked")
    return _rows(json.loads(plan)[0]["Plan"])


async def test_all_that_was_said_of_a_stop_is_walked_through_once(phone, pool):
    """A phone that says a thing again and again, each time as another event, must not stop its stop for ever."""
    stop_id = number(phone.stops[0])
    await phone.say(event("note", 1, phone.stops[0]))
    async with pool.acquire() as db:
        await db.execute(
            "INSERT INTO driver_event (driver_id, id, account_id, lane, device_id, type, route_id, stop_id,"
            " occurred_at, effective) SELECT driver_id, gen_random_uuid(), account_id, lane, device_id, 'arrived',"
            " route_id, stop_id, occurred_at + make_interval(secs => n / 10.0), false"
            " FROM driver_event, generate_series(1, 2000) AS n"
        )
        await db.execute("ANALYZE driver_event")
        assert await _work(db, "sql.delivery.stop_states", "judge_stop_events", f"'{{{stop_id}}}'", "5") < 50 * 2000
    assert await phone.outcome(event("completed", 300, phone.stops[0])) == [("applied", None)]
    assert await pool.fetchval("SELECT count(*) FROM driver_event WHERE NOT effective") == 0


async def test_a_batch_takes_as_many_statements_whatever_it_names(phone, pool):
    """The lane is held meanwhile: nobody else's pings are tracked."""
    taken: list[int] = []
    connections = [await pool.acquire() for _ in range(pool.get_max_size())]
    for connection in connections:
        connection.add_query_logger(lambda query: taken.append(1))
        await pool.release(connection)

    def batch(minute, events, proofs):
        named = [[{"upload_id": str(uuid.uuid4()), "kind": "photo"} for _ in range(proofs)] for _ in range(events)]
        done = [event("completed", minute + n / 10, phone.stops[n % 4], proofs=one) for n, one in enumerate(named)]
        return [*done, *(event("route_started", minute + n) for n in range(events))]

    needed = []
    for minute, events, proofs in ((1, 4, 1), (10, 4, 1), (20, 90, 20)):  # the first one does, and learns types
        taken.clear()
        await phone.say(*batch(minute, events, proofs))
        needed.append(len(taken))
    assert needed[2] <= needed[1]
    assert await pool.fetchval("SELECT count(*) FROM proof WHERE event_id IS NOT NULL") == 1_808


@pytest.mark.parametrize("before", [b"", b"\x81\xa4data"])
async def test_few_of_many_mistakes_are_named(client, phone, bearer, before):
    """Two bytes of a mistake would else be answered with a hundred."""
    many = 200_000
    body = b"\x81\xa6events\x91" + before + b"\xdd" + many.to_bytes(4, "big") + b"\xc4\x00" * many
    headers = bearer(phone.token) | {"Content-Type": "application/msgpack"}
    response = await client.post("/v1/driver/events", data=io.BytesIO(body), headers=headers)
    assert response.status == 200
    assert len(await response.read()) < 10_000
