"""Addresses are answered as they were meant: what people paste ends in a slash or a space, or has two slashes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from api.http.itself import health
from api.http.read import paths
from api.recipient import stream as tracking
from api.tracking_page import endpoints as tracking_page
from tests.api.tour_rows import Tour


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, *(module.operations.add_to for module in (health, tracking, tracking_page)), paths.add_to]


@pytest.fixture
def client(client: Any) -> Any:
    """Asks for paths as they are written; two slashes would make a host else."""
    client.server.skip_url_asserts = True
    return client


@pytest.mark.parametrize("end", ["/", "//", "%20", "%20/", "/%20", "%0A"])
async def test_a_slash_or_a_space_at_the_end_means_nothing(client: Any, account: Any, pool: Any, end: str) -> None:
    tour = await Tour.put(pool, account.id, start_at=datetime.now(UTC))
    for path in (f"/t/{tour.tokens[0]}", f"/v1/track/{tour.tokens[0]}", "/health/live", "/v1/account"):
        for method in ("GET", "HEAD"):
            response = await client.request(method, path + end, headers=account.headers)
            assert response.status == 200, (method, path)
    assert (await client.get("/v1/nothing" + end)).status == 404
    assert (await client.put("/health/live" + end)).status == 405


async def test_what_is_written_comes_in_with_its_body_and_query(client: Any, account: Any) -> None:
    for path, status in (("/v1/drivers/", 201), ("//v1//drivers", 409)):
        body = {"external_id": "ana", "name": "Ana"}
        response = await client.post(path, json=body, headers=account.headers)
        assert response.status == status
    listed = await client.get("/v1/drivers/?limit=0", headers=account.headers)
    assert listed.status == 422


async def test_names_have_no_spaces_around_them(client: Any, account: Any, make_driver: Any) -> None:
    driver = (await make_driver(client, account.key))["id"]
    for path in (f"/v1/drivers/{driver}%20/devices", f"/v1/drivers/%20{driver}/devices/"):
        assert (await client.get(path, headers=account.headers)).status == 200
