from typing import Any

import pytest

from api.http.itself import health
from sql.pool import Pool


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, health.operations.add_to]


async def test_a_process_that_answers_lives(client: Any) -> None:
    response = await client.get("/health/live")
    assert (response.status, await response.json()) == (200, {"status": "ok"})


async def test_with_its_database_and_schema_it_is_ready(client: Any) -> None:
    assert (await client.get("/health/ready")).status == 200


async def test_a_newer_schema_is_as_good(client: Any, pool: Pool) -> None:
    await pool.execute("INSERT INTO migration (number, name) VALUES (9999, 'of the next release')")
    assert (await client.get("/health/ready")).status == 200


async def test_a_missing_migration_is_named(client: Any, pool: Pool) -> None:
    await pool.execute("DELETE FROM migration")
    response = await client.get("/health/ready")
    assert response.status == 503
    assert "reparto migrate" in (await response.json())["detail"]


async def test_without_a_database_it_lives_and_is_not_ready(client: Any, pool: Pool) -> None:
    await pool.close()
    assert (await client.get("/health/live")).status == 200
    response = await client.get("/health/ready")
    assert response.status == 503
    assert "database does not answer" in (await response.json())["detail"]
