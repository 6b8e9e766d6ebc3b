"""An SOS is never lost: it is a fact when the phone has its answer, whatever else is wrong with its message."""

import time
from typing import Any

import pytest

from sql.pool import Pool
from tests.ingest.doors.phones import Client, Phone

LAT, LON = 19.432608, -99.133209


async def facts(pool: Pool) -> list[Any]:
    return await pool.fetch(
        "SELECT type, state, late, occurred_at, route_id, data FROM event WHERE type LIKE 'driver.%' ORDER BY id"
    )


async def send(client: Client, phone: Phone, **form: Any) -> None:
    response = await client.post(f"/ingest/{phone.ingest_token}/osmand", data={k: str(v) for k, v in form.items()})
    assert response.status == 200


async def test_an_sos_is_told_with_its_place(client: Client, phone: Phone, pool: Pool) -> None:
    at = int(time.time()) - 5
    await send(client, phone, id=1, lat=LAT, lon=LON, timestamp=at, batt=50, alarm="sos")
    (fact,) = await facts(pool)
    assert (fact["type"], fact["state"], fact["late"]) == ("driver.sos", "asserted", False)
    assert fact["occurred_at"].timestamp() == at
    assert fact["data"] == {
        "alarm": "sos", "device_id": f"dv_{phone.id}", "battery": 0.5, "lat": LAT, "lon": LON, "place": "alarm",
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"lat": LAT, "lon": LON, "valid": "false"},
        {"lat": 91, "lon": LON},
        {"lat": 0, "lon": 0},
        {"lat": LAT},
        {"timestamp": "yesterday"},
        {"timestamp": 5},
        {"timestamp": 4_000_000_000},
        {"lat": "x", "lon": "y", "batt": "?"},
    ],
)
async def test_an_sos_is_told_whatever_its_fix_is(client: Client, phone: Phone, pool: Pool, wrong: Any) -> None:
    before = time.time() - 1
    await send(client, phone, id=1, alarm="SOS", **wrong)
    (fact,) = await facts(pool)
    assert fact["type"] == "driver.sos"
    assert before <= fact["occurred_at"].timestamp() <= time.time() + 1
    assert fact["data"] == {"alarm": "sos", "device_id": f"dv_{phone.id}"}


async def test_without_a_place_the_last_one_is_told_and_how_old_it_was(
    client: Client, phone: Phone, pool: Pool
) -> None:
    now = int(time.time())
    await pool.execute(
        "INSERT INTO live (lane, driver_id, account_id, recorded_at, received_at, lat_e6, lon_e6, route_id)"
        " VALUES ($1, $2, $3, to_timestamp($4), to_timestamp($4), 19000000, -99000000, 7)",
        *(phone.lane, phone.driver_id, phone.account_id, now - 300),
    )
    await send(client, phone, id=1, timestamp=now, alarm="sos")
    (fact,) = await facts(pool)
    assert fact["route_id"] == 7
    told = {name: fact["data"][name] for name in ("lat", "lon", "place", "place_age_s")}
    assert told == {"lat": 19.0, "lon": -99.0, "place": "last", "place_age_s": 300.0}


async def test_the_same_message_sent_again_is_the_same_alarm(client: Client, phone: Phone, pool: Pool) -> None:
    at = int(time.time())
    for timestamp in (at, at, at - 60):
        await send(client, phone, id=1, timestamp=timestamp, alarm="sos")
    assert len(await facts(pool)) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"alarm": "sos"},
        {"device_id": "1", "location": {"extras": {"alarm": "sos"}, "coords": {"latitude": LAT, "longitude": LON}}},
        {"location": {"alarm": "sos"}},
        {"location": None, "extras": {"alarm": "sos"}},
    ],
)
async def test_the_json_of_traccar_client_9_may_have_it_in_several_places(
    client: Client, phone: Phone, pool: Pool, body: Any
) -> None:
    assert (await client.post(f"/ingest/{phone.ingest_token}/osmand", json=body)).status == 200
    assert [fact["type"] for fact in await facts(pool)] == ["driver.sos"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("lowBattery", "lowBattery"), ("fallDown", "fallDown"), ("true", "general"), ("x" * 99, "x" * 32),
        ("1", "general"), ("\0sos\0", None), (" sos ", None),
    ],
)  # fmt: skip
async def test_other_alarms_are_told_as_they_are_called(
    client: Client, phone: Phone, pool: Pool, said: str, told: str | None
) -> None:
    await send(client, phone, id=1, alarm=said)
    (fact,) = await facts(pool)
    assert (fact["type"], fact["data"]["alarm"]) == (("driver.sos", "sos") if told is None else ("driver.alarm", told))


@pytest.mark.parametrize("said", ["", "false", "0", " "])
async def test_no_alarm_is_none(client: Client, phone: Phone, pool: Pool, said: str) -> None:
    await send(client, phone, id=1, alarm=said)
    assert await facts(pool) == []
