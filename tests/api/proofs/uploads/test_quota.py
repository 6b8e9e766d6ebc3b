"""What one driver may reserve."""

import asyncio
from uuid import uuid4

import pytest

from work.proofs.config import ProofConfig

UPLOADS = "/v1/driver/uploads"


@pytest.fixture
def proof_config() -> ProofConfig:
    return ProofConfig(max_upload_bytes=1000, driver_open_upload_bytes=2500, driver_day_upload_bytes=6000)


async def _begin(client, phone, length=1000):
    headers = {**phone.headers, "Upload-Length": str(length), "Upload-Metadata": phone.metadata()}
    return await client.post(UPLOADS, headers=headers)


async def test_bytes_are_reserved_when_an_upload_begins(client, phone, refused):
    made = await asyncio.gather(*(_begin(client, phone) for _ in range(6)))
    assert sorted(response.status for response in made) == [201, 201, 429, 429, 429, 429]
    over = next(response for response in made if response.status == 429)
    assert over.headers["Retry-After"]
    assert (await refused(over, 429))["type"] == "upload-quota"
    assert (await _begin(client, phone, 500)).status == 201


async def test_what_is_given_up_is_free_again_but_for_the_bytes_that_came(client, phone, begin, append, refused):
    for _ in range(6):
        path = await begin(phone, 1000)
        assert (await append(phone, path, 0, b"x" * 900)).status == 204
        assert (await client.delete(path, headers=phone.headers)).status == 204
    response = await _begin(client, phone)
    assert "24 hours" in (await refused(response, 429))["detail"]
    assert (await _begin(client, phone, 600)).status == 201


async def test_beginning_again_reserves_nothing_more(client, phone, begin):
    upload_id = str(uuid4())
    paths = {await begin(phone, 1000, upload_id=upload_id) for _ in range(5)}
    assert len(paths) == 1


async def test_the_quota_is_each_drivers_own(client, account, phone, make_phone, begin):
    for _ in range(2):
        await begin(phone, 1000)
    await begin(await make_phone(client, account.key, "ben"), 1000)
