"""HEAD is answered as GET is, without a body (RFC 9110, 9.1)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.fleet import positions
from api.http.itself import health
from api.recipient import stream as tracking
from api.tracking_page import endpoints as tracking_page
from tests.api.tour_rows import Tour


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    modules = (health, tracking, tracking_page, positions)
    return [*app_parts, *(module.operations.add_to for module in modules)]


async def test_head_is_answered_as_get_is_without_a_body(client: Any, account: Any, pool: Any) -> None:
    tour = await Tour.put(pool, account.id, start_at=datetime.now(UTC))
    known, unknown = tour.tokens[0], "unknown-token-unknown"
    for path, status in (
        *((f"/t/{known}", 200), (f"/v1/track/{known}", 200), (f"/t/{unknown}", 404), (f"/v1/track/{unknown}", 404)),
        *(("/health/live", 200), ("/health/ready", 200), ("/openapi.json", 200), ("/v1/positions", 200)),
        *(("/v1/account", 200), ("/v1/drivers/none", 404)),
    ):
        got = await client.get(path, headers=account.headers)
        asked = await client.head(path, headers=account.headers)
        assert (got.status, asked.status, await asked.read()) == (status, status, b""), path
        for name in ("Content-Type", "ETag", "Cache-Control", "Content-Length"):
            if name != "Content-Length" or not path.startswith("/t/"):  # a page has its own nonce, and the time
                assert got.headers.get(name) == asked.headers.get(name), (path, name)


async def test_head_needs_the_same_right(client: Any) -> None:
    assert (await client.head("/v1/positions")).status == 401


async def test_a_stream_that_head_asks_for_ends_at_once(client: Any, account: Any, pool: Any) -> None:
    tour = await Tour.put(pool, account.id, start_at=datetime.now(UTC) - timedelta(hours=1))
    for path in (f"/v1/track/{tour.tokens[0]}/stream", "/v1/positions/stream"):
        response = await client.head(path, headers=account.headers)
        assert (response.status, response.content_type, await response.read()) == (200, "text/event-stream", b"")
    assert (await client.head("/v1/track/unknown-token-unknown/stream")).status == 404
