"""A person who asks to be forgotten: nothing in any table or in the store names them; numbers stay."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import FormData

from api.fleet import erasures
from api.portal import by_link
from api.returns import by_link as returns_by_link
from api.tickets import by_link as tickets_by_link
from api.tickets import photos
from sql.pings.partitions import ensure_partitions
from sql.pool import Pool
from tests.api.conftest import say_events
from tests.api.driver.driver_day import event, hours
from tests.api.proofs.pictures import STROKES, photo
from work.erasure import erase as erase_module
from work.erasure import steps
from work.erasure.erase import erase, erasure_job
from work.links import token_of

WORDS = ("Zoraida Quispe", "+57 (300) 999-8877", "zoraida@example.com", "Calle Zorzal 12", "timbre zumba", "zapatos")
NEEDLES = ("zoraida", "quispe", "999-8877", "3009998877", "zorzal", "zumba", "zapatos", "zed-1")
NOTE = "le dejé los zapatos a Zoraida Quispe"


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    modules = (erasures, by_link, tickets_by_link, returns_by_link, photos)
    return [*app_parts, say_events, *(module.operations.add_to for module in modules)]


@pytest.fixture
def tour(tour: dict[str, Any]) -> dict[str, Any]:
    """The tour of today, to somebody whose words are found again wherever they are."""
    names = dict(zip(("name", "phone", "email", "address", "instructions"), WORDS[:5], strict=True))
    parcels = [{"barcode": "ZED-1", "description": WORDS[5], "quantity": 2}]
    tour["stops"][0] |= names | {"parcels": parcels, "proof": []}
    return tour | hours()


async def where(pool: Pool, *needles: str) -> set[str]:
    """Every column of every table that holds one of these words, in any case."""
    columns = await pool.fetch(
        "SELECT c.relname, a.attname, a.atttypid::regtype::text AS type FROM pg_class c JOIN pg_attribute a"
        " ON a.attrelid = c.oid WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
        " AND NOT c.relispartition AND a.attnum > 0 AND a.atttypid::regtype::text IN"
        " ('text', 'text[]', 'jsonb', 'bytea')"
    )
    assert len(columns) > 80
    found = set()
    for table, column, kind in columns:
        text = f"encode({column}, 'escape')" if kind == "bytea" else f"{column}::text"
        patterns = [f"%{needle}%" for needle in needles]
        if await pool.fetchval(f"SELECT EXISTS (SELECT FROM {table} WHERE {text} ILIKE ANY ($1))", patterns):
            found.add(f"{table}.{column}")
    return found


@pytest.fixture
async def served(client: Any, account: Any, pool: Pool, phone: Any, upload: Any) -> str:
    """What a stop leaves behind when its driver was there; its id."""
    stop = phone.stops[0]
    secret = await pool.fetchval("SELECT secret FROM instance")
    link = f"/v1/track/{token_of(secret, int(stop[3:]), 0)}"
    for turn, change in enumerate(("instructions", "safe-place", "instructions")):
        assert (await client.post(f"{link}/{change}", json={"text": f"{change} {turn} zumba"})).status == 200
    proofs = [{"upload_id": str(uuid4()), "kind": kind} for kind in ("photo", "signature")]
    for one, content in zip(proofs, (photo(), STROKES), strict=True):
        answer = await upload(phone, content, upload_id=one["upload_id"], kind=one["kind"], filename="zapatos.jpg")
        assert answer.status == 204
    place = {"lat": 6.24805, "lon": -75.56785}
    said = event(
        "completed",
        30,
        stop,
        recipient={"name": WORDS[0], "relation": "zapatos"},
        note=NOTE,
        barcodes=["ZED-1"],
        parcels=[{"barcode": "ZED-1", "outcome": "delivered"}],
        cash={"amount": 12.5},
        proofs=proofs,
        more=place,
    )
    unreadable = event("completed", 31, stop, recipient={"name": WORDS[0]}, more={"type": "zoraida quispe"})
    body = {"events": [event("note", 20, stop, note=NOTE), said, event("shift_started", 1, note=NOTE), unreadable]}
    answer = await (await client.post("/v1/driver/events", json=body, headers=phone.headers)).json()
    assert [one["result"] for one in answer["results"]] == ["applied"] * 3 + ["rejected"], answer
    await pool.execute(
        "INSERT INTO message (account_id, route_id, stop_id, attempt, kind, channel, address, locale, state, body,"
        " happened_at, next_try_at, expires_at, created_at) SELECT $1, route_id, id, 1, 'pin', 'email',"
        " 'zoraida@example.com', 'es', 'queued', 'Hola Zoraida', now(), now(), now(), now() FROM stop WHERE id = $2",
        account.id,
        int(stop[3:]),
    )
    form = FormData()
    form.add_field("file", photo(), filename="zapatos.jpg")
    sent = await client.post(f"{link}/photos", data=form)
    told = {"text": "zumba", "photos": [(await sent.json())["id"]]}
    assert (await client.post(f"{link}/problem", json={"kind": "damaged", **told})).status == 200
    assert (await client.post(f"{link}/return", json={"reason": "zumba", **told})).status == 200
    rating = {"stars": 4, "text": "zumba"}
    assert (await client.post(f"{link}/rating", json=rating)).status == 200
    return str(stop)


async def test_nothing_names_a_recipient_who_was_erased(
    client: Any, account: Any, other_account: Any, pool: Pool, proof_store: Any, served: str, put_route: Any
) -> None:
    await put_route(client, other_account.key)  # another account's recipient is not ours to erase
    before = await where(pool, *NEEDLES)
    assert before >= {
        "recipient_wish.instructions",
        "recipient_change.was",
        "rating.words",
        "ticket_entry.words",
        "return_request.reason",
        "stop.name",
        "stop.phone",
        "parcel.description",
        "driver_event.data",
        "event.data",
        "message.body",
    }
    response = await client.post("/v1/erasures", json={"contact": "+573009998877"}, headers=account.headers)
    assert response.status == 201
    made = await response.json()
    assert (made["of"], made["status"]) == ("recipient", "done")
    assert made["erased"].pop("messages") >= 1  # and what the tour itself had made
    assert made["erased"] == {
        "wishes": 6,  # what stands, four changes, the words of a rating
        "tickets and returns": 2,
        "stops": 1,
        "uploads": 2,
        "proofs": 2,
        "photos": 1,
        "driver events": 2,
        "feed": 1,
        "quarantine": 1,
    }
    assert made["remains"] == {"stops": 1, "visits": 0, "driver events": 2, "orders": 0}
    read = await client.get(f"/v1/erasures/{made['id']}", headers=account.headers)
    assert (await read.json())["remains"] == made["remains"]
    assert (await client.get(f"/v1/erasures/{made['id']}", headers=other_account.headers)).status == 404

    assert await pool.fetchval("SELECT name FROM stop WHERE account_id = $1", other_account.id) == WORDS[0]
    await pool.execute("DELETE FROM parcel USING stop WHERE stop.id = stop_id AND account_id = $1", other_account.id)
    await pool.execute("DELETE FROM stop WHERE account_id = $1", other_account.id)
    left = await where(pool, *NEEDLES)
    assert left == {"driver_event.data"}  # what the driver said of no stop is the driver's
    assert await proof_store.blobs.list("proofs") == []
    assert await proof_store.blobs.list("parts") == []
    assert await proof_store.blobs.list("photos") == []
    row = await pool.fetchrow("SELECT data, outcome, lat FROM driver_event WHERE type = 'completed'")
    assert row["data"]["cash"] == {"amount": 12.5}
    assert row["outcome"]["parcels"] == [{"seq": 0, "outcome": "delivered", "quantity": 2}]
    assert await pool.fetchval("SELECT status FROM stop WHERE id = $1", int(served[3:])) == "completed"

    again = await (
        await client.post("/v1/erasures", json={"contact": WORDS[2].upper()}, headers=account.headers)
    ).json()
    assert (again["status"], again["erased"]) == ("done", {})
    assert (await client.post("/v1/erasures", json={"stop": served}, headers=account.headers)).status == 201


async def test_a_recipient_is_erased_by_e_mail_or_by_a_stop(
    client: Any, account: Any, pool: Pool, put_route: Any, make_driver: Any
) -> None:
    await make_driver(client, account.key, "ana")
    for route, who in (("a", {"contact": " Zoraida@Example.com "}), ("b", None)):
        put = await put_route(client, account.key, route=route)
        body = who or {"stop": put["stops"][0]["id"]}
        made = await (await client.post("/v1/erasures", json=body, headers=account.headers)).json()
        assert made["erased"]["stops"] == 1
    assert await where(pool, *NEEDLES) == set()
    assert await pool.fetchval("SELECT count(*) FROM stop WHERE name <> ''") == 6


_DRIVE = """
INSERT INTO packed_ping (device_id, recorded_at, lat_e6, lon_e6, received_after_ms)
SELECT {device}, now() - make_interval(hours => k), 6248050, -75567850, 0
  FROM generate_series(0, 40) AS k;
INSERT INTO live (lane, driver_id, account_id, recorded_at, received_at, lat_e6, lon_e6)
VALUES ({lane}, {driver}, {account}, now(), now(), 1, 1);
INSERT INTO track (lane, driver_id, account_id, state) VALUES ({lane}, {driver}, {account}, 'x')
    ON CONFLICT (lane, driver_id) DO UPDATE SET state = 'x';
INSERT INTO checkpoint (lane, driver_id, folded_until, state) VALUES ({lane}, {driver}, now(), 'x');
INSERT INTO held (lane, driver_id, expires_at, body) VALUES ({lane}, {driver}, now() + interval '1 day', 'x');
INSERT INTO visit (lane, visit_id, driver_id, account_id, stop_id, geofence_id, arrived_at, source)
VALUES ({lane}, gen_random_uuid(), {driver}, {account}, 1, NULL, now(), 'auto'),
       ({lane}, gen_random_uuid(), {driver}, {account}, NULL, 1, now(), 'auto');
INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, folded_at, lane, driver_id, late,
                   data)
VALUES ({account}, gen_random_uuid(), 1, 'asserted', 'stop.arrived', now(), now(), now(), {lane}, {driver}, false,
        '{{"lat": 6.2, "lon": -75.5, "along_m": 3, "source": "auto"}}');
INSERT INTO eta_drive (account_id, scope, key, hour_class, weekday_class, n, mean, m2, as_of, version)
VALUES ({account}, 'drive_driver', '{driver}', -1, -1, 1, 1, 0, now(), 1);
"""


async def _drive(pool: Pool, account_id: int, driver_id: int, lane: int, device_id: int) -> None:
    now = datetime.now(UTC)
    async with pool.acquire() as db:
        await ensure_partitions(db, now.date() - timedelta(days=2), now.date())
    await pool.execute(_DRIVE.format(lane=lane, driver=driver_id, account=account_id, device=device_id))


async def test_nothing_tells_of_a_driver_who_was_erased(
    client: Any, account: Any, pool: Pool, proof_store: Any, phone: Any, served: str
) -> None:
    driver_id = int(phone.driver_id[3:])
    lane = await pool.fetchval("SELECT lane FROM driver WHERE id = $1", driver_id)
    await _drive(pool, account.id, driver_id, lane, int(phone.device_id[3:]))
    name = {"name": "Yolanda Yupanqui", "phone": "+573007776655"}
    await client.patch(f"/v1/drivers/{phone.driver_id}", json=name, headers=account.headers)
    await pool.execute("UPDATE device SET label = 'Yolanda''s phone'")
    await pool.execute("UPDATE driver SET external_id = 'yupanqui' WHERE id = $1", driver_id)

    made = await (await client.post("/v1/erasures", json={"driver": "yupanqui"}, headers=account.headers)).json()
    assert (made["of"], made["status"]) == ("driver", "done"), made
    assert made["erased"]["pings"] == 41
    assert made["remains"] == {"visits": 1, "driver events": 3, "feed": 3, "proofs": 2, "routes": 1}
    assert await where(pool, "yolanda", "yupanqui", "7776655", "le dejé") == set()
    for table in ("ping", "live", "held", "checkpoint", "detour", "manifest", "manifest_part", "upload", "eta_drive"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    assert await pool.fetchval("SELECT count(*) FROM track WHERE state IS NOT NULL") == 0
    assert await pool.fetchval("SELECT count(*) FROM driver_event WHERE lat IS NOT NULL") == 0
    assert await pool.fetchval("SELECT count(*) FROM event WHERE data ?| '{lat,lon,along_m}'") == 0
    places = "num_nonnulls(event_lat, said_lat, exif_lat, fix_lat)"
    assert await pool.fetchval(f"SELECT count(*) FROM proof WHERE {places} > 0 OR fix_checked_at IS NULL") == 0
    names = {blob.name.rpartition("/")[2] for blob in await proof_store.blobs.list("proofs")}
    assert "original" not in names
    assert "shown" in names  # the recipient's proof stays
    response = await client.get("/v1/driver/manifest", headers=phone.headers)
    assert response.status in (401, 404)
    assert (await client.post("/v1/driver/events", json={"events": []}, headers=phone.headers)).status == 401
    again = await (await client.post("/v1/erasures", json={"driver": phone.driver_id}, headers=account.headers)).json()
    assert (again["status"], again["erased"]) == ("done", {})


async def test_an_erasure_waits_for_what_no_tracker_has_taken_and_is_gone_through_again(
    client: Any, account: Any, pool: Pool, proof_store: Any, phone: Any
) -> None:
    driver_id = int(phone.driver_id[3:])
    lane = await pool.fetchval("SELECT lane FROM driver WHERE id = $1", driver_id)
    await pool.execute("INSERT INTO inbox (lane, received_at, pings, body) VALUES ($1, now(), 1, 'x')", lane)
    made = await (await client.post("/v1/erasures", json={"driver": phone.driver_id}, headers=account.headers)).json()
    assert made["status"] == "running"
    await _drive(pool, account.id, driver_id, lane, int(phone.device_id[3:]))
    await pool.execute("DELETE FROM inbox; UPDATE erasure SET again_at = now()")
    assert await erasure_job(proof_store).do(pool) is True
    read = await (await client.get(f"/v1/erasures/{made['id']}", headers=account.headers)).json()
    assert (read["status"], read["erased"]["pings"]) == ("done", 41)
    await pool.execute("UPDATE erasure SET asked_at = now() - interval '1 hour', again_at = now()")
    assert await erasure_job(proof_store).do(pool) is True
    assert await erasure_job(proof_store).do(pool) is False


async def test_an_erasure_that_was_stopped_is_gone_on_with(
    client: Any, account: Any, pool: Pool, proof_store: Any, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: Any, **__: Any) -> int:
        raise ConnectionResetError

    monkeypatch.setattr(steps, "AT_ONCE", 1)
    with monkeypatch.context() as patched:
        patched.setattr("sql.operate.erasure.blank_words_of_stops", dies)
        made = await (await client.post("/v1/erasures", json={"stop": served}, headers=account.headers)).json()
    assert made["status"] == "running"
    assert await pool.fetchval("SELECT words FROM erasure") is not None
    row = await erase(pool, proof_store, int(made["id"][3:]), within_s=10)
    assert row.done_at is not None
    assert row.words is None
    assert row.erased["driver events"] == 2
    assert await where(pool, *NEEDLES) == {"driver_event.data"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"contact": "12345"}, 422),
        ({"contact": "+573001112233", "driver": "ana"}, 422),
        ({"contact": ""}, 422),
        ({"driver": "nobody"}, 404),
        ({"driver": "dr_99"}, 404),
        ({"stop": "st_99"}, 404),
        ({"stop": "x"}, 404),
        ({"contact": "nobody@example.com"}, 201),
    ],
)
async def test_whom_nobody_can_mean_is_refused(client: Any, account: Any, body: Any, status: int) -> None:
    assert (await client.post("/v1/erasures", json=body, headers=account.headers)).status == status
    for key in (account.dispatcher_key, account.viewer_key):
        answer = await client.post("/v1/erasures", json=body, headers={"Authorization": f"Bearer {key}"})
        assert answer.status == 403


async def test_an_erasure_that_fails_keeps_no_other_waiting(
    pool: Pool, account: Any, proof_store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = [
        await pool.fetchval(
            "INSERT INTO erasure (account_id, words, again_at) VALUES ($1, '{}', now()) RETURNING id", account.id
        )
        for _ in range(2)
    ]
    gone_through = []

    async def go_through(_pool: Pool, _store: Any, erasure_id: int, *, within_s: float) -> None:
        gone_through.append(erasure_id)
        raise KeyError(within_s)

    monkeypatch.setattr(erase_module, "erase", go_through)
    for _ in range(2):
        with pytest.raises(KeyError):
            await erasure_job(proof_store).do(pool)
    assert gone_through == [first, second]
