"""What one account sets strangely is refused, and where it is there all the same it silences no other account."""

from typing import Any

import pytest

from sql.messages.setup import put_kind
from tests.api.messages.conftest import ANA
from work.messages.deciding.take_up import expand


@pytest.mark.parametrize(
    ("path", "body", "at"),
    [
        (
            "/v1/account/messages/approaching",
            {"quiet_hours": {"start": "21:00\n", "end": "08:00"}},
            "/quiet_hours/start",
        ),
        ("/v1/account/messages/approaching", {"channels_by_country": {"CO\n": ["sms"]}}, "/channels_by_country/CO\n"),
    ],
)
async def test_a_line_break_at_the_end_is_no_time_and_no_country(
    desk: Any, refused: Any, path: str, body: Any, at: str
) -> None:
    response = await desk.client.put(path, json=body, headers=desk.account.headers)
    await refused(response, 422, at)


async def test_no_site_of_a_widget_and_no_code_ends_in_a_line_break(desk: Any, refused: Any) -> None:
    for change in (
        {"widget_sites": ["https://a.example\n"]},
        {"colours": {"primary": "#0b7285\n"}},
        {"failure_reasons": [{"code": "x\n", "text": "X"}]},
    ):
        await refused(await desk.client.patch("/v1/account", json=change, headers=desk.account.headers), 422)


async def test_an_account_whose_messages_cannot_be_made_silences_no_other(
    desk: Any, client: Any, put_route: Any, other_account: Any, sms: Any, pool: Any
) -> None:
    await desk.by_sms(sms)
    await desk.only("approaching")
    for account in (other_account, desk.account):  # whose notices come first
        await put_route(client, account.key)
        await pool.execute("DELETE FROM notice WHERE kind <> 'approaching'")
        await pool.execute(
            "INSERT INTO notice (account_id, route_id, stop_id, kind, happened_at)"
            " SELECT account_id, route_id, id, 'approaching', now() FROM stop WHERE seq = 0 AND account_id = $1",
            account.id,
        )
    await client.put("/v1/account/channels/log", json={}, headers=other_account.headers)
    strange = {"enabled": True, "channels": ["log"], "quiet_hours": {"start": "strange", "end": "08:00"}}
    await put_kind(pool, account_id=other_account.id, kind="approaching", settings=strange)
    with pytest.raises(Exception, match="quiet_hours"):
        await expand(pool, now=pool.clock.now())
    made = await pool.fetch("SELECT account_id, address FROM message")
    assert [(one["account_id"], one["address"]) for one in made] == [(desk.account.id, ANA)]
    assert await pool.fetchval("SELECT array_agg(DISTINCT account_id) FROM notice") == [other_account.id], (
        "none is lost"
    )
