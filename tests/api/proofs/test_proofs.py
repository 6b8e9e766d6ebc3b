"""Proofs as the account reads them, and who gets which bytes."""

import hashlib
import io
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from PIL import Image

from api.proofs.claims import Naming, claim_uploads
from geo.times import ms_of
from sql.pings.packed import BELIEVED_BIT, JUDGED_BIT
from tests.api.proofs.pictures import PDF, PLACE, STROKES, photo
from work.proofs.upkeep import keep_fixes

AT = datetime(2026, 3, 2, 13, 21, 30, tzinfo=UTC)


def path_of(url: str) -> str:
    """The part of a link that the test's client asks."""
    assert url.startswith("https://reparto.example/")
    return url.removeprefix("https://reparto.example")


@pytest.fixture
def claim(pool, account):
    """`await claim(phone, [{"upload_id": …, "kind": …}])`: an event at the first stop names uploads."""

    async def make(phone, proofs, *, stop=None, event_id=None, at=AT, place=(6.2479, -75.5677)):
        naming = Naming(
            event_id=event_id or uuid4(),
            stop_id=int((stop or phone.stops[0])[3:]),
            occurred_ms=ms_of(at),
            lat=place and place[0],
            lon=place and place[1],
            proofs=proofs,
        )
        who = {"driver_id": int(phone.driver_id[3:]), "device_id": int(phone.device_id[3:])}
        async with pool.acquire() as db, db.transaction():
            (claims,) = await claim_uploads(db, account_id=account.id, **who, namings=[naming])
        return claims

    return make


async def test_recipients_bytes_hold_no_place_and_the_proof_does(client, account, phone, upload, proofs_of):
    content = photo()
    await upload(phone, content, filename="puerta.jpg")
    (proof,) = await proofs_of(account, phone.stops[0])
    for name in ("url", "thumbnail_url"):
        response = await client.get(path_of(proof[name]))
        served = await response.read()
        assert response.content_type == "image/jpeg"
        assert not Image.open(io.BytesIO(served)).getexif()
        assert b"Exif" not in served
    assert proof["exif"]["taken_at"] == "2026-03-02T13:21:30Z"
    assert (proof["exif"]["lat"], proof["exif"]["lon"]) == pytest.approx(PLACE, abs=1e-6)
    assert (proof["taken_at"], proof["taken_source"]) == ("2026-03-02T13:21:30Z", "photo")
    assert proof["place"]["source"] == "photo"
    assert proof["distance_m"] == pytest.approx(1.6, abs=0.3)
    assert await (await client.get(path_of(proof["original_url"]))).read() == content
    one = await (await client.get(f"/v1/proofs/{proof['id']}", headers=account.headers)).json()
    assert {name: one[name] for name in ("id", "sha256", "size", "type")} == {
        name: proof[name] for name in ("id", "sha256", "size", "type")
    }


async def test_bytes_are_served_so_that_no_browser_runs_them(client, account, phone, upload, proofs_of):
    await upload(phone, PDF, kind="document", filename='a"\r\nX: y.html', filetype="text/html")
    await upload(phone, STROKES, kind="signature", filetype="image/svg+xml")
    types = {"document": "application/pdf", "signature": "image/png"}
    for proof in await proofs_of(account, phone.stops[0]):
        for name in ("url", "original_url"):
            response = await client.get(path_of(proof[name]))
            expected = types[proof["kind"]] if name == "url" else "application/octet-stream"
            assert response.content_type == expected
            assert response.headers["Content-Disposition"].startswith('attachment; filename="pf_')
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in response.headers["Content-Security-Policy"]
            assert response.headers["Cache-Control"] == "private, no-store"


async def test_a_link_works_for_a_short_time_and_for_its_bytes_only(client, pool, account, phone, upload, proofs_of):
    await upload(phone, photo())
    (proof,) = await proofs_of(account, phone.stops[0])
    link = path_of(proof["url"])
    base, _, query = link.partition("?")
    expires = int(query.partition("&")[0].removeprefix("expires="))
    assert 200 < expires - datetime.now(UTC).timestamp() <= 300
    assert datetime.fromisoformat(proof["links_expire_at"]).timestamp() == expires
    other = link.replace("/shown?", "/original?")
    for broken in (base, other, link[:-1], link.replace(str(expires), str(expires + 60)), link.replace("pf_1", "pf_2")):
        assert (await client.get(broken)).status == 404, broken
    for odd in (
        "?expires=x&signature=y",
        "?expires=1&signature=%ff",
        "?expires=99999999999999&signature=",
        "?signature=é",
    ):
        assert (await client.get(base + odd)).status == 404


async def test_a_link_ends(client, pool, account, phone, upload, proof_store, proofs_of):
    await upload(phone, photo())
    object.__setattr__(proof_store.config, "proof_link_s", -10.0)
    (proof,) = await proofs_of(account, phone.stops[0])
    response = await client.get(path_of(proof["url"]))
    assert response.status == 410
    assert (await response.json(content_type=None))["type"] == "gone"


async def test_a_link_that_another_process_made_opens_where_the_clock_is_wrong(
    client, account, phone, upload, proofs_of, misdated
):
    await upload(phone, photo())
    (proof,) = await proofs_of(account, phone.stops[0])
    with misdated():
        assert (await client.get(path_of(proof["url"]))).status == 200
        (again,) = await proofs_of(account, phone.stops[0])
    left = datetime.fromisoformat(again["links_expire_at"]) - datetime.now(UTC)
    assert timedelta(0) < left < timedelta(minutes=6)


async def test_viewers_get_no_original(client, account, phone, upload, bearer):
    await upload(phone, photo())
    for key, has_it in ((account.viewer_key, False), (account.dispatcher_key, True)):
        response = await client.get(f"/v1/stops/{phone.stops[0]}/proofs", headers=bearer(key))
        (proof,) = (await response.json())["proofs"]
        assert (proof["original_url"] is not None) == has_it
        assert proof["url"]


async def test_others_see_no_proofs(client, account, other_account, phone, upload, proofs_of, refused):
    await upload(phone, photo())
    (proof,) = await proofs_of(account, phone.stops[0])
    for path in (
        f"/v1/stops/{phone.stops[0]}/proofs",
        f"/v1/proofs/{proof['id']}",
        "/v1/proofs/7",
        "/v1/proofs/pf_999",
    ):
        await refused(await client.get(path, headers=other_account.headers), 404)
    await refused(await client.get(f"/v1/proofs/{proof['id']}", headers=phone.headers), 401)
    await refused(await client.get(f"/v1/proofs/{proof['id']}"), 401)


@pytest.mark.parametrize("event_first", [True, False])
async def test_event_and_upload_come_in_any_order(client, account, phone, begin, append, claim, proofs_of, event_first):
    content, upload_id, event_id = photo(), str(uuid4()), uuid4()
    named = [{"upload_id": upload_id, "kind": "photo", "sha256": hashlib.sha256(content).hexdigest()}]
    if event_first:
        (first,) = await claim(phone, named, event_id=event_id)
        assert (first.state, first.why) == ("pending", None)
        (proof,) = await proofs_of(account, phone.stops[0])
        assert (proof["state"], proof["event_id"], proof["sha256"]) == ("pending", str(event_id), None)
    path = await begin(phone, len(content), upload_id=upload_id)
    assert (await append(phone, path, 0, content[:100])).status == 204
    if event_first:
        assert [one.state for one in await claim(phone, named, event_id=event_id)] == ["pending"]
    assert (await append(phone, path, 100, content[100:])).status == 204
    for again in (event_id, event_id, uuid4()):
        assert [(one.state, one.why) for one in await claim(phone, named, event_id=again)] == [("stored", None)]
    (proof,) = await proofs_of(account, phone.stops[0])
    assert (proof["state"], proof["event_id"]) == ("stored", str(event_id))
    assert (proof["taken_at"], proof["taken_source"]) == ("2026-03-02T13:21:30Z", "event")
    assert (proof["place"]["source"], proof["place"]["lat"]) == ("event", 6.2479)


@pytest.mark.parametrize("event_first", [True, False])
async def test_bytes_that_are_not_what_the_event_says_are_no_proof(
    account, phone, upload, claim, proofs_of, event_first
):
    named = [{"upload_id": (upload_id := str(uuid4())), "kind": "photo", "sha256": "0" * 64}]
    if event_first:
        await claim(phone, named)
        assert (await upload(phone, photo(), upload_id=upload_id)).status == 422
    else:
        assert (await upload(phone, photo(), upload_id=upload_id)).status == 204
        assert [(one.state, one.why) for one in await claim(phone, named)] == [("refused", "sha256-differs")]
    (proof,) = await proofs_of(account, phone.stops[0])
    assert (proof["state"], proof["why"]) == ("refused", "sha256-differs")
    assert proof["original_url"]
    assert proof["url"]  # whoever asks why can look at it


async def test_what_an_event_names_wrongly_is_refused_item_by_item(phone, upload, claim):
    mine = str(uuid4())
    await upload(phone, photo(), upload_id=mine)
    claims = await claim(
        phone,
        [
            {"upload_id": f"https://reparto.example/v1/driver/uploads/{mine}", "kind": "photo"},
            {"upload_id": mine, "kind": "signature"},
            {"upload_id": "7", "kind": "photo"},
            {"upload_id": mine, "kind": "selfie"},
            {"upload_id": mine, "kind": "photo", "sha256": "xyz"},
            {"upload_id": 7},
            {},
            "not an object",
            None,
        ],
    )
    assert [one.why for one in claims] == [None, "another-kind", *["bad-proof"] * 7]
    (other_stop,) = await claim(phone, [{"upload_id": mine, "kind": "photo"}], stop=phone.stops[1])
    assert (other_stop.state, other_stop.why) == ("refused", "another-stop")


@pytest.mark.parametrize("whose", ["of the account", "of another account"])
@pytest.mark.parametrize("theirs_first", [True, False])
async def test_another_drivers_upload_of_the_same_id_is_nothing_to_ones_own(
    client, account, other_account, make_phone, phone, begin, append, claim, proofs_of, refused, whose, theirs_first
):
    theirs = account if whose == "of the account" else other_account
    ben, upload_id, content = await make_phone(client, theirs.key, "ben"), str(uuid4()), photo()
    if theirs_first:
        path = await begin(ben, 10, upload_id=upload_id)
        await refused(await client.get(path, headers=phone.headers), 404)
    (named,) = await claim(phone, [{"upload_id": upload_id, "kind": "photo"}])
    assert (named.state, named.why) == ("pending", None)
    if not theirs_first:
        path = await begin(ben, 10, upload_id=upload_id)
    await refused(await client.get(path, headers=phone.headers), 404)
    await refused(await append(phone, path, 0, content), 404)
    assert await begin(phone, len(content), upload_id=upload_id) == path
    assert (await append(phone, path, 0, content)).status == 204
    (proof,) = await proofs_of(account, phone.stops[0])
    assert (proof["state"], proof["size"]) == ("stored", len(content))
    assert (await client.head(path, headers=ben.headers)).headers["Upload-Offset"] == "0"


async def test_of_events_that_name_one_upload_the_first_that_means_it_keeps_it(pool, account, phone, begin, proofs_of):
    began, never = str(uuid4()), str(uuid4())
    await begin(phone, 10, upload_id=began)
    mine, other = (int(stop[3:]) for stop in phone.stops[:2])
    events = [uuid4() for _ in range(3)]
    named = [{"upload_id": one, "kind": "photo"} for one in (began, never)]
    namings = [
        Naming(event_id=event, stop_id=stop, occurred_ms=minute, lat=None, lon=None, proofs=named)
        for minute, (event, stop) in enumerate(zip(events, (other, mine, mine), strict=True))
    ]
    who = {"account_id": account.id, "driver_id": int(phone.driver_id[3:]), "device_id": None}
    for _ in range(2):
        async with pool.acquire() as db, db.transaction():
            claims = await claim_uploads(db, **who, namings=namings)
        assert [[claim.why for claim in of_one] for of_one in claims] == [
            ["another-stop", None],
            [None, "another-stop"],
            [None, "another-stop"],
        ]
        kept = {row["upload_id"]: row["event_id"] for row in await pool.fetch("SELECT upload_id, event_id FROM proof")}
        assert {str(upload): event for upload, event in kept.items()} == {began: events[1], never: events[0]}


async def test_an_upload_begun_for_something_else_than_its_event_is_refused(client, phone, claim, refused):
    await claim(phone, [{"upload_id": (upload_id := str(uuid4())), "kind": "photo"}])
    for changes in ({"kind": "signature"}, {"stop_id": phone.stops[1]}):
        metadata = phone.metadata(upload_id=upload_id, **changes)
        headers = {**phone.headers, "Upload-Length": "10", "Upload-Metadata": metadata}
        await refused(await client.post("/v1/driver/uploads", headers=headers), 422, "upload_id")


async def test_a_named_proof_waits_on_when_its_upload_is_given_up(client, account, phone, begin, claim, proofs_of):
    path = await begin(phone, 10, upload_id=(upload_id := str(uuid4())))
    await claim(phone, [{"upload_id": upload_id, "kind": "photo"}])
    assert (await client.delete(path, headers=phone.headers)).status == 204
    assert [one["state"] for one in await proofs_of(account, phone.stops[0])] == ["pending"]
    assert await begin(phone, 10, upload_id=upload_id) == path


async def _ping(pool, phone, at, lat_e6, lon_e6, accuracy_m=8.0, believed=True):
    await pool.execute("SELECT make_ping_partition($1)", at.date())
    await pool.execute(
        "INSERT INTO packed_ping (device_id, recorded_at, lat_e6, lon_e6, received_after_ms, accuracy_dm, bits)"
        " VALUES ($1, $2, $3, $4, 0, $5, $6)",
        *(int(phone.device_id[3:]), at, lat_e6, lon_e6, round(accuracy_m * 10)),
        JUDGED_BIT | BELIEVED_BIT if believed else JUDGED_BIT,
    )


async def test_the_nearest_believed_ping_tells_how_good_the_place_is(
    client, pool, account, phone, begin, claim, proofs_of
):
    await begin(phone, 10, upload_id=(upload_id := str(uuid4())))
    await claim(phone, [{"upload_id": upload_id, "kind": "photo"}])
    assert (await proofs_of(account, phone.stops[0]))[0]["fix"] is None
    await _ping(pool, phone, AT - timedelta(minutes=16), 6_250_000, -75_560_000)
    assert (await proofs_of(account, phone.stops[0]))[0]["fix"] is None
    await _ping(pool, phone, AT - timedelta(seconds=40), 6_247_900, -75_567_700, 12.0)
    await _ping(pool, phone, AT + timedelta(seconds=5), 6_200_000, -75_500_000, 5.0, believed=False)
    fix = (await proofs_of(account, phone.stops[0]))[0]["fix"]
    assert (fix["age_s"], fix["accuracy_m"], fix["distance_m"]) == (40.0, 12.0, 0.0)
    await _ping(pool, phone, AT + timedelta(seconds=30), 6_248_000, -75_567_700, 6.0)  # came later, is nearer
    fix = (await proofs_of(account, phone.stops[0]))[0]["fix"]
    assert (fix["age_s"], fix["accuracy_m"]) == (-30.0, 6.0)


async def test_the_fix_outlives_its_ping(client, pool, account, phone, upload, claim, proofs_of):
    upload_id = str(uuid4())
    await claim(phone, [{"upload_id": upload_id, "kind": "photo"}], place=None)
    await upload(phone, photo(), upload_id=upload_id)
    await _ping(pool, phone, AT, 6_248_000, -75_567_700)
    now = datetime.now(UTC)
    await keep_fixes(pool, now - timedelta(days=1))
    assert await pool.fetchval("SELECT fix_checked_at FROM proof") is None
    await keep_fixes(pool, now + timedelta(days=1))
    await pool.execute("DELETE FROM packed_ping")
    fix = (await proofs_of(account, phone.stops[0]))[0]["fix"]
    assert (fix["age_s"], fix["lat"], fix["lon"]) == (0.0, 6.248, -75.5677)


async def test_a_stop_with_proofs_is_kept_when_its_route_is_put_without_it(
    client, account, phone, upload, put_route, tour, proofs_of
):
    await upload(phone, photo())
    await put_route(client, account.key, route="tour-ana", driver="ana", stops=tour["stops"][1:])
    assert [one["state"] for one in await proofs_of(account, phone.stops[0])] == ["stored"]
