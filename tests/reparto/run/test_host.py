"""The header `Host`, which links begin with where nothing else is set."""

import pytest
from aiohttp.test_utils import TestClient, TestServer

from reparto.run.system import create_system_app
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig

GOOD = ["reparto.example", "REPARTO:8080", "10.0.0.7:80", "[::1]:8080", "reparto_api:", "[fe80::1%25eth0]"]
BAD = ["", "[", "[::1", "[::g]", "x:99999", "x:http", "x:-1", "a b", "a/b", "a?b", "user@x", 'x"><script>', "\u0663"]


@pytest.mark.parametrize(("host", "status"), [*((host, 200) for host in GOOD), *((host, 400) for host in BAD)])
async def test_a_host_that_no_link_can_begin_with_is_refused(database: DatabaseConfig, host: str, status: int) -> None:
    app = create_system_app(Settings(), database)
    async with TestClient(TestServer(app)) as client:
        answer = await client.get("/health/live", headers={"Host": host})
        assert answer.status == status
        if status == 400:
            assert (await answer.json(content_type="application/problem+json"))["type"] == "bad-request"
