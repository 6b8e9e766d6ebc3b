"""A body is read whatever tool wrote it: a byte order mark before it is passed over at every door (RFC 8259, 8.1)."""

import gzip
import json
from codecs import BOM_UTF8

import pytest

from tests.api.conftest import say_events
from tests.api.driver.driver_day import event

JSON = {"Content-Type": "application/json; charset=utf-8"}


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, say_events]


def marked(body) -> bytes:
    return BOM_UTF8 + json.dumps(body).encode()


async def test_a_route_with_a_byte_order_mark_is_read(client, account, tour):
    body = {**tour, "driver": None}
    put = await client.put("/v1/routes/tour-1", data=marked(body), headers={**account.headers, **JSON})
    assert put.status == 201
    packed = {**account.headers, **JSON, "Content-Encoding": "gzip"}
    again = await client.put("/v1/routes/tour-1", data=gzip.compress(marked(body)), headers=packed)
    assert (await again.json())["version"] == (await put.json())["version"]


async def test_events_with_a_byte_order_mark_are_read(client, phone):
    said = marked({"events": [event("shift_started", 0)]})
    headers = {"Authorization": f"Bearer {phone.token}", **JSON}
    response = await client.post("/v1/driver/events", data=said, headers=headers)
    assert [one["result"] for one in (await response.json())["results"]] == ["applied"]
