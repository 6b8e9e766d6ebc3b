from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.fleet import quarantine
from sql.inbox.quarantine import Quarantined, put_quarantined
from sql.pool import Pool

THEN = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, quarantine.operations.add_to]


async def put(pool: Pool, account_id: int, n: int = 1, body: bytes = b"{broken") -> None:
    messages = [
        Quarantined(
            account_id=account_id,
            driver_id=4,
            device_id=None,
            received_at=THEN + timedelta(seconds=place),
            source="osmand",
            reason="not-json",
            detail="ends too early",
            body=body,
        )
        for place in range(n)
    ]
    async with pool.acquire() as db:
        await put_quarantined(db, messages)


async def test_a_message_nobody_could_use_is_there_with_its_reason(client: Any, account: Any, pool: Pool) -> None:
    await put(pool, account.id)
    page = await (await client.get("/v1/quarantine", headers=account.headers)).json()
    (message,) = page["quarantined"]
    assert message.pop("id").startswith("qu_")
    assert message == {
        "driver_id": "dr_4",
        "device_id": None,
        "received_at": "2026-03-02T13:00:00Z",
        "source": "osmand",
        "reason": "not-json",
        "detail": "ends too early",
        "size_bytes": 7,
        "body": "{broken",
    }
    assert page["next"] is None


async def test_what_is_no_text_is_shown_as_far_as_it_goes(client: Any, account: Any, pool: Pool) -> None:
    await put(pool, account.id, body=b"a\xff\x00" + b"z" * 50_000)
    (message,) = (await (await client.get("/v1/quarantine", headers=account.headers)).json())["quarantined"]
    assert message["size_bytes"] == 50_003
    assert message["body"].startswith("a\ufffd\x00zzz")
    assert len(message["body"]) == quarantine.SHOWN_BYTES


async def test_the_newest_come_first_in_pages(client: Any, account: Any, pool: Pool) -> None:
    await put(pool, account.id, n=5)
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        response = await client.get(f"/v1/quarantine?limit=2&cursor={cursor}", headers=account.headers)
        page = await response.json()
        seen += [message["received_at"] for message in page["quarantined"]]
        cursor = page["next"]
    assert seen == [f"2026-03-02T13:00:0{second}Z" for second in (4, 3, 2, 1, 0)]


async def test_another_account_s_messages_are_not_there(
    client: Any, account: Any, other_account: Any, pool: Pool
) -> None:
    await put(pool, account.id)
    page = await (await client.get("/v1/quarantine", headers=other_account.headers)).json()
    assert page == {"quarantined": [], "next": None}
