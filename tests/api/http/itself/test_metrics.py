import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.http.itself import metrics
from sql.pool import Pool


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    def time_answers(app: Any) -> None:
        app.middlewares.insert(0, metrics.timing)

    return [time_answers, *app_parts, metrics.operations.add_to]


async def measured(client: Any, name: str, **labels: str) -> float:
    response = await client.get("/metrics")
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    samples = [
        sample.value
        for family in text_string_to_metric_families(await response.text())
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return samples[0] if samples else math.nan


async def test_the_inbox_is_measured(client: Any, pool: Pool) -> None:
    assert await measured(client, "reparto_inbox_pings") == 0
    assert await measured(client, "reparto_inbox_oldest_seconds") == 0
    for age_s, pings in ((90, 10), (30, 32)):
        await pool.execute(
            "INSERT INTO inbox (lane, received_at, pings, body) VALUES (1, $1, $2, '')",
            datetime.now(UTC) - timedelta(seconds=age_s),
            pings,
        )
    assert await measured(client, "reparto_inbox_pings") == 42
    assert 90 <= await measured(client, "reparto_inbox_oldest_seconds") < 120


async def test_what_waits_to_be_folded_is_measured(client: Any, pool: Pool, account: Any) -> None:
    assert await measured(client, "reparto_tracks_unsettled") == 0
    at = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
    tracks: list[tuple[int, Any, Any, Any]] = [
        (1, at, at, None),  # settled
        (2, at - timedelta(minutes=5), at, None),
        (3, at, at, at - timedelta(minutes=10)),  # to be folded again
    ]
    for driver_id, folded_until, head_at, rerun_from in tracks:
        await pool.execute(
            "INSERT INTO track (lane, driver_id, account_id, folded_until, head_at, rerun_from)"
            " VALUES (1, $1, $2, $3, $4, $5)",
            driver_id,
            account.id,
            folded_until,
            head_at,
            rerun_from,
        )
    assert await measured(client, "reparto_tracks_unsettled") == 2
    assert await measured(client, "reparto_tracker_lag_seconds") == 600
    # never folded, and nothing stored to fold
    await pool.execute("INSERT INTO track (lane, driver_id, account_id, head_at) VALUES (1, 4, $1, $2)", account.id, at)
    await pool.execute(
        "INSERT INTO track (lane, driver_id, account_id, rerun_from) VALUES (1, 5, $1, $2)", account.id, at
    )
    assert await measured(client, "reparto_tracker_lag_seconds") == 86_400


async def test_answers_are_timed_by_operation_not_by_path(client: Any, account: Any) -> None:
    before = await measured(client, "reparto_http_seconds_count", operation="GET /v1/drivers", status="2xx")
    await client.get("/v1/drivers", headers=account.headers)
    await client.get("/v1/drivers?limit=1", headers=account.headers)
    await client.get("/v1/drivers")
    count = await measured(client, "reparto_http_seconds_count", operation="GET /v1/drivers", status="2xx")
    assert count - (0 if math.isnan(before) else before) == 2
    assert await measured(client, "reparto_http_seconds_count", operation="GET /v1/drivers", status="4xx") >= 1


async def test_paths_that_do_not_exist_are_one(client: Any) -> None:
    for path in ("/wp-login.php", "/.env"):
        await client.get(path)
    assert await measured(client, "reparto_http_seconds_count", operation="unknown", status="4xx") >= 2


async def test_without_a_database_metrics_say_so(client: Any, pool: Pool) -> None:
    assert await measured(client, "reparto_database_up") == 1
    await pool.close()
    assert await measured(client, "reparto_database_up") == 0
