"""A machine whose clock is a week off: whatever a link, a code, a key or a tour's hours allow, it allows just so."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sql.pool import Pool
from tests.api.driver.driver_day import event
from tests.api.portal.conftest import Recipient
from work.feed.closing import CLOSE_TOURS


async def test_what_a_link_and_a_code_allow(recipient: Recipient, misdated: Any) -> None:
    start = datetime.now(UTC) + timedelta(hours=1)
    slot = await recipient.slot(start, express=True)
    code = await recipient.code(recipient.ana)
    with misdated():
        page = await recipient.client.get(f"/t/{recipient.ana}")
        options = await recipient.options(recipient.ana)
        changed = await recipient.post(recipient.ana, "slot", {"slot_id": slot}, **code)
    assert page.status == 200
    assert [one["id"] for one in options["slot"]["slots"]] == [slot]
    assert changed.status == 200, await changed.text()


async def test_what_the_hours_of_a_tour_and_of_a_key_allow(recipient: Recipient, pool: Pool, misdated: Any) -> None:
    said = event("completed", 1, recipient.phone.stops[0])
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    with misdated():
        while await CLOSE_TOURS.do(pool):
            pass
        (route,) = (await recipient.manifest())["routes"]
        outcome = await recipient.phone.outcome(said)
        key = {"role": "viewer", "label": "for an hour", "expires_at": soon}
        made = await recipient.client.post("/v1/keys", json=key, headers=recipient.account.headers)
    assert {stop["status"] for stop in route["stops"]} == {"pending"}
    assert outcome == [("applied", None)]
    assert made.status == 201, await made.text()
