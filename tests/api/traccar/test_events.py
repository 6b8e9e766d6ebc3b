"""Events: of Traccar's types, each told once."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from api.traccar.events import TOLD_AFTER
from api.traccar.words import time_text
from sql.feed.events import number_events
from sql.pool import Pool
from tests.api.tour_rows import Tour
from tests.api.traccar.conftest import OF_PYTRACCAR, Traccar

pytestmark = OF_PYTRACCAR

NOW = datetime.now(UTC).replace(microsecond=0)


async def happen(
    tour: Tour, kind: str, *, known_at: datetime, occurred_at: datetime | None = None, **more: Any
) -> None:
    """Write an entry of the feed, and number it."""
    said = {"state": "asserted", "revision": 1, "geofence_id": None, "data": {}, "fact": None, **more}
    await tour.pool.execute(
        "INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, lane, driver_id, late,"
        " geofence_id, data) VALUES ($1, coalesce($10, gen_random_uuid()), $2, $3, $4, $5, $6, $7, $8, false, $9, $11)",
        *(tour.account_id, said["revision"], said["state"], kind, occurred_at or known_at, known_at),
        *(tour.lane, tour.driver_id, said["geofence_id"], said["fact"], said["data"]),
    )
    async with tour.pool.acquire() as db:
        await number_events(db)


@pytest.fixture
async def ana(pool: Pool, account: Any) -> Tour:
    return await Tour.put(pool, account.id, start_at=NOW, driver="Ana")


async def test_what_traccar_has_a_type_for_is_told_and_nothing_else(traccar: Traccar, account: Any, ana: Tour) -> None:
    at = NOW - timedelta(hours=1)
    await happen(ana, "driver.silent", known_at=at, occurred_at=at - timedelta(minutes=9))
    await happen(ana, "stop.arrived", known_at=at)
    await happen(ana, "driver.seen", known_at=at)
    await happen(ana, "geofence.entered", known_at=at, geofence_id=7)
    await happen(ana, "geofence.crossed", known_at=at, geofence_id=8)
    await happen(ana, "geofence.exited", known_at=at, geofence_id=7)
    await happen(ana, "driver.sos", known_at=at, data={"alarm": "sos"})
    await happen(ana, "driver.alarm", known_at=at, data={"alarm": "lowBattery"})
    async with traccar(account.viewer_key) as api:
        events = await api.get_reports_events(devices=[ana.driver_id])
        alarms = await api.get_reports_events(devices=[ana.driver_id], event_types=["alarm", "ignitionOn"])
        none = await api.get_reports_events(devices=[ana.driver_id], event_types=["ignitionOn"])
        others = await api.get_reports_events(devices=[ana.driver_id + 1])
    assert [(one["type"], one["geofenceId"], one["attributes"]) for one in events] == [
        ("deviceOffline", 0, {}),
        ("deviceOnline", 0, {}),
        ("geofenceEnter", 7, {}),
        ("geofenceExit", 7, {}),
        ("alarm", 0, {"alarm": "sos"}),
        ("alarm", 0, {"alarm": "lowBattery"}),
    ]
    assert events[0]["eventTime"] == time_text(at - timedelta(minutes=9))
    assert {(one["deviceId"], one["positionId"], one["maintenanceId"]) for one in events} == {(ana.driver_id, 0, 0)}
    assert len({one["id"] for one in events}) == 6
    assert all(0 < one["id"] < 2**53 for one in events)
    assert (alarms, none, others) == (events[4:], [], [])


async def asked(client: Any, account: Any, since: datetime, until: datetime, **more: str) -> Any:
    query = {"from": since.isoformat(), "to": until.isoformat(), **more}
    async with client.get("/api/reports/events", params=query, headers=account.headers) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def test_stretches_of_time_tell_every_event_once(client: Any, account: Any, ana: Tour) -> None:
    """Also one that can be read only after a stretch that it became known in, and one that happened long before."""
    bounds = [NOW - timedelta(minutes=10 - n) for n in range(6)]
    await happen(ana, "driver.seen", known_at=bounds[1] - TOLD_AFTER / 2, occurred_at=NOW - timedelta(days=20))
    for n in range(4):
        await happen(ana, "driver.silent", known_at=bounds[n] + timedelta(seconds=20))
    told = [await asked(client, account, since, until) for since, until in pairwise(bounds)]
    assert [[one["type"] for one in some] for some in told] == [
        ["deviceOffline"],
        ["deviceOnline", "deviceOffline"],
        ["deviceOffline"],
        ["deviceOffline"],
        [],
    ]


async def test_the_feed_is_searched_from_wherever_it_begins(client: Any, account: Any, ana: Tour) -> None:
    times = [NOW - timedelta(days=20) + timedelta(hours=n) for n in range(100)]
    for at in times:
        await happen(ana, "driver.seen", known_at=at)
    for begins in (0, 1, 40, 97):
        await ana.pool.execute("DELETE FROM event WHERE seq <= $1", begins)
        await ana.pool.execute("UPDATE account SET events_dropped = $2 WHERE id = $1", account.id, begins)
        for n in (0, 1, 50, 98):
            since = times[n] + TOLD_AFTER
            found = await asked(client, account, since, since + timedelta(hours=2))
            wanted = [time_text(at) for at in times[max(n, begins) : n + 2]]
            assert [one["eventTime"] for one in found] == wanted, (begins, n)


async def test_what_was_taken_back_is_not_told_and_what_was_corrected_once(
    client: Any, account: Any, ana: Tour, pool: Pool
) -> None:
    at = NOW - timedelta(hours=1)
    for fact, states in (("1" * 32, ["asserted", "retracted"]), ("2" * 32, ["asserted", "corrected"])):
        for revision, state in enumerate(states, 1):
            known_at, occurred_at = at + timedelta(minutes=revision), at - timedelta(minutes=revision)
            more = {"fact": fact, "revision": revision, "state": state, "geofence_id": 5}
            await happen(ana, "geofence.entered", known_at=known_at, occurred_at=occurred_at, **more)
    (event,) = await asked(client, account, at, NOW)
    assert event["eventTime"] == time_text(at - timedelta(minutes=2))
    assert await asked(client, account, at + timedelta(seconds=90), NOW) == []


async def test_only_of_one_s_own_account(client: Any, other_account: Any, ana: Tour) -> None:
    await happen(ana, "driver.seen", known_at=NOW - timedelta(hours=1))
    day = NOW - timedelta(days=1)
    assert await asked(client, other_account, day, NOW) == []
    assert await asked(client, other_account, day, NOW, deviceId=str(ana.driver_id)) == []


async def test_all_events_and_groups(client: Any, account: Any, ana: Tour) -> None:
    await happen(ana, "driver.seen", known_at=NOW - timedelta(hours=1))
    day = NOW - timedelta(days=1)
    assert len(await asked(client, account, day, NOW, type="allEvents")) == 1
    assert await asked(client, account, day, NOW, groupId="1") == []
    assert len(await asked(client, account, day, NOW, groupId="1", deviceId=str(ana.driver_id))) == 1


async def test_too_many_events_are_refused_with_the_time_until_which_to_ask(
    client: Any, account: Any, ana: Tour
) -> None:
    times = [NOW - timedelta(hours=2) + timedelta(minutes=n) for n in range(25)]
    for at in times:
        await happen(ana, "driver.seen", known_at=at)
    query = {"from": (NOW - timedelta(days=1)).isoformat(), "to": NOW.isoformat()}
    async with client.get("/api/reports/events", params=query, headers=account.headers) as response:
        assert response.status == 422
        why = (await response.json())["errors"][0]["why"]
    until = times[20] + TOLD_AFTER
    assert time_text(until) in why
    assert len(await asked(client, account, NOW - timedelta(days=1), until)) == 20


@pytest.mark.parametrize(
    "query", ["", "from=2026-03-02T08:00:00Z", "from=2026-03-02T08:00:00Z&to=2026-05-02T08:00:00Z"]
)
async def test_a_report_is_of_a_stretch_of_time(client: Any, account: Any, query: str) -> None:
    async with client.get(f"/api/reports/events?{query}", headers=account.headers) as response:
        assert response.status == 422
