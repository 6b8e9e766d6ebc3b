"""Dispatchers and drivers note something of a tour; whoever looks at it next reads it, and it goes with its people."""

from datetime import timedelta

import pytest

from api.dispatch import notes
from sql.delivery.notes import drop_notes_of_driver, drop_notes_of_words
from tests.api.tour_rows import Tour


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, notes.operations.add_to]


async def test_notes_of_dispatchers_and_drivers_stand_together(client, account, other_account, pool, refused):
    now = pool.clock.now()
    tour = await Tour.put(pool, account.id, start_at=now - timedelta(hours=1))
    await tour.say("note", place=0, at=now - timedelta(minutes=9), data={"note": "Timbre roto."})
    path, headers = "/v1/routes/tour-1/notes", account.headers
    made = await client.post(path, json={"text": "Ana llama a las 10."}, headers=headers)
    assert made.status == 201
    assert (await made.json())["id"] == "rn_1"
    for wrong in ({"text": ""}, {"text": " "}, {}, {"text": "x" * 2_001}):
        await refused(await client.post(path, json=wrong, headers=headers), 422)
    await refused(await client.post(path, json={"text": "x"}, headers=other_account.headers), 404)
    viewer = {"Authorization": f"Bearer {account.viewer_key}"}
    await refused(await client.post(path, json={"text": "x"}, headers=viewer), 403)
    found = (await (await client.get(path, headers=viewer)).json())["notes"]
    assert [(one["by"], one["stop_id"], one["text"]) for one in found] == [
        ("dispatcher", None, "Ana llama a las 10."),
        ("driver", f"st_{tour.stop_ids[0]}", "Timbre roto."),
    ]
    entry = await pool.fetchrow("SELECT operation, thing FROM audit_entry ORDER BY id DESC LIMIT 1")
    assert (entry["operation"], entry["thing"]["id"]) == ("POST /v1/routes/{route}/notes", "rn_1")
    async with pool.acquire() as db:
        assert await drop_notes_of_words(db, account.id, ["beto"], at_most=9) == 0
        assert await drop_notes_of_words(db, account.id, ["Ana"], at_most=9) == 1
        await client.post(path, json={"text": "Otra."}, headers=headers)
        assert await drop_notes_of_driver(db, tour.driver_id, at_most=9) == 1
