"""A proof in one request."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import uuid4

import aiohttp
import pytest

from api.proofs.uploads.form import FORMS
from tests.api.proofs.pictures import PDF, STROKES, empty_canvas, photo
from work.proofs.config import ProofConfig

PROOFS = "/v1/driver/proofs"


@pytest.fixture
def proof_config() -> ProofConfig:
    return ProofConfig(max_upload_bytes=200_000)


def form(content: bytes | None, **fields: str) -> aiohttp.FormData:
    made = aiohttp.FormData(default_to_multipart=True)
    for name, value in fields.items():
        made.add_field(name, value)
    if content is not None:
        made.add_field("file", content, filename="puerta.jpg", content_type="text/html")
    return made


async def test_a_small_proof_in_one_request(client, account, phone, proofs_of):
    for kind, content in (("photo", photo()), ("signature", STROKES), ("document", PDF)):
        data = form(content, stop_id=phone.stops[0], kind=kind, taken_at="2026-03-02T08:20:00-05:00")
        response = await client.post(PROOFS, data=data, headers=phone.headers)
        assert response.status == 201, await response.text()
        assert (await response.json())["state"] == "stored"
    proofs = await proofs_of(account, phone.stops[0])
    assert [one["kind"] for one in proofs] == ["photo", "signature", "document"]
    assert proofs[0]["filename"] == "puerta.jpg"
    assert proofs[0]["taken_at"] == "2026-03-02T13:20:00Z"


TAKEN_S = [  # what the phone says, seconds from now, and when that was
    (-3600, -3600),
    (-3600 - 1024 * 7 * 86_400, -3600),  # a receiver whose GPS weeks began anew
    (-3600 - 978_307_200, -3600),  # an app that counts from 2001
    (600, 0),
    (30 * 86_400, None),
]


@pytest.mark.parametrize(("said_s", "was_s"), TAKEN_S)
async def test_when_a_proof_was_taken_is_dated_by_our_clock(phone, client, pool, said_s, was_s):
    now = datetime.now(UTC)
    taken_at = (now + timedelta(seconds=said_s)).isoformat()
    data = form(photo(), stop_id=phone.stops[0], kind="photo", taken_at=taken_at)
    assert (await client.post(PROOFS, data=data, headers=phone.headers)).status == 201
    said_at = await pool.fetchval("SELECT said_at FROM proof")
    assert (said_at is None) == (was_s is None)
    assert was_s is None or abs((said_at - now).total_seconds() - was_s) < 30


@pytest.mark.parametrize("taken_at", ["yesterday", "2026-03-02T08:00:00", "", "0000-00-00T00:00:00Z"])
async def test_what_is_no_time_loses_no_proof(phone, client, pool, taken_at):
    data = form(photo(), stop_id=phone.stops[0], kind="photo", taken_at=taken_at)
    assert (await client.post(PROOFS, data=data, headers=phone.headers)).status == 201
    assert await pool.fetchval("SELECT said_at IS NULL FROM proof")


async def test_sent_again_it_is_the_same_proof(client, account, phone, proofs_of):
    content, answers = photo(), []
    for upload_id in ({}, {"upload_id": str(uuid4())}):
        sent = [
            await client.post(
                PROOFS, data=form(content, stop_id=phone.stops[0], kind="photo", **upload_id), headers=phone.headers
            )
            for _ in range(3)
        ]
        assert [response.status for response in sent] == [201, 200, 200]
        answers += [(await response.json())["proof_id"] for response in sent]
    assert len(set(answers)) == 2
    assert len(await proofs_of(account, phone.stops[0])) == 2


async def test_sent_twice_at_once_it_is_one_proof(client, account, phone, proofs_of):
    content = photo()
    sent = await asyncio.gather(
        *(
            client.post(PROOFS, data=form(content, stop_id=phone.stops[0], kind="photo"), headers=phone.headers)
            for _ in range(8)
        )
    )
    assert {response.status for response in sent} <= {200, 201, 409, 423, 429}
    again = await client.post(PROOFS, data=form(content, stop_id=phone.stops[0], kind="photo"), headers=phone.headers)
    assert again.status in (200, 201)
    (proof,) = await proofs_of(account, phone.stops[0])
    assert (proof["state"], proof["sha256"]) == ("stored", hashlib.sha256(content).hexdigest())


async def test_bad_forms_name_the_field(client, account, other_account, make_phone, phone, refused):
    async def post(data, **headers):
        return await client.post(PROOFS, data=data, headers={**phone.headers, **headers})

    stop = phone.stops[0]
    await refused(await post(form(None, stop_id=stop, kind="photo")), 422, "file")
    await refused(await post(form(photo(), kind="photo")), 422, "stop_id")
    await refused(await post(form(photo(), stop_id=stop, kind="video")), 422, "kind")
    await refused(await post(form(photo(), stop_id=stop, kind="photo", sha256="zz")), 422, "sha256")
    await refused(await post(form(b"", stop_id=stop, kind="photo")), 422)
    await refused(await post(form(bytes(200_001), stop_id=stop, kind="photo")), 413)
    await refused(await post(form(photo(), stop_id=stop, kind="photo", note="x" * 9000)), 413)
    await refused(await post(form(photo(), **{f"f{i}": "x" for i in range(30)})), 400)
    await refused(await post(b"{}", **{"Content-Type": "application/json"}), 415)
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=x"):
        for body in (
            b"",
            b"--x\r\n",
            b"garbage",
            b"--x\r\n\r\n\xff\r\n--x--",
            b"--x\r\nContent-Disposition: x\r\n\r\n",
        ):
            response = await post(body, **{"Content-Type": content_type})
            assert response.status in (400, 422), (content_type, body, await response.text())
    foreign = await make_phone(client, other_account.key, "eva")
    data = form(photo(), stop_id=stop, kind="photo")
    await refused(await client.post(PROOFS, data=data, headers=foreign.headers), 404)


async def test_a_file_that_is_no_proof_is_refused_and_said_so(client, account, phone, proofs_of, refused):
    for _ in range(2):
        data = form(b"<svg/>", stop_id=phone.stops[0], kind="photo")
        problem = await refused(await client.post(PROOFS, data=data, headers=phone.headers), 422)
        assert (problem["type"], "not-a-photo" in problem["detail"]) == ("proof-refused", True)
    (proof,) = await proofs_of(account, phone.stops[0])
    assert (proof["state"], proof["why"]) == ("refused", "not-a-photo")
    assert (proof["url"], proof["thumbnail_url"], proof["served"]) == (None, None, None)
    assert proof["original_url"]


async def test_a_damaged_form_never_breaks_anything(client, phone):
    whole = (
        b'--x\r\nContent-Disposition: form-data; name="stop_id"\r\n\r\n' + phone.stops[0].encode() + b"\r\n"
        b'--x\r\nContent-Disposition: form-data; name="kind"\r\n\r\nphoto\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' + PDF + b"\r\n--x--\r\n"
    )
    random = Random(1)
    damaged = [whole.replace(b"a.jpg", b"\xff\xfe"), whole.replace(b'name="file"', b"X: " + b"a" * 20_000)]
    damaged += [whole.replace(b'"a.jpg"', odd) for odd in (b"a\r\nX", b'"\0"', b'"\r"')]
    for _ in range(200):
        broken = bytearray(whole)
        for _ in range(random.randint(1, 5)):
            broken[random.randrange(len(broken))] = random.randrange(256)
        damaged.append(bytes(broken))
    for body in damaged:
        headers = {**phone.headers, "Content-Type": "multipart/form-data; boundary=x"}
        response = await client.post(PROOFS, data=body, headers=headers)
        assert response.status in (200, 201, 400, 404, 422), (body, await response.text())


async def test_of_a_photo_some_bytes_short_both_sides_are_told_that_it_is_not_whole(client, account, phone, proofs_of):
    for content, whole in ((photo(), True), (photo()[:-2], False)):
        data = form(content, stop_id=phone.stops[0], kind="photo")
        response = await client.post(PROOFS, data=data, headers=phone.headers)
        assert response.status == 201
        told = await response.json()
        assert (told["state"], told["whole"]) == ("stored", whole)
    assert [(one["state"], one["whole"]) for one in await proofs_of(account, phone.stops[0])] == [
        ("stored", True),
        ("stored", False),
    ]
    page = await (await client.get(f"/v1/stops/{phone.stops[0]}/certificate?lang=es", headers=account.headers)).text()
    assert page.count("llegó incompleta</figcaption>") == 1


@pytest.mark.parametrize("content", [b"[]", empty_canvas()], ids=["no strokes", "an empty canvas"])
async def test_a_canvas_that_nobody_signed_is_refused_in_words_for_the_app(client, account, phone, proofs_of, content):
    response = await client.post(
        PROOFS, data=form(content, stop_id=phone.stops[0], kind="signature"), headers=phone.headers
    )
    assert response.status == 422
    assert "Sign again" in (await response.json())["detail"]
    (proof,) = await proofs_of(account, phone.stops[0])
    assert (proof["state"], proof["why"], proof["whole"]) == ("refused", "blank", True)
    shown, small = [
        await (await client.get(proof[name].partition("example")[2])).read() for name in ("url", "thumbnail_url")
    ]
    assert shown[:8] == b"\x89PNG\r\n\x1a\n"
    assert hashlib.sha256(shown).hexdigest() == proof["served"]["sha256"]
    assert small[:3] == b"\xff\xd8\xff"


async def test_a_phone_has_its_share_of_forms_at_once(client, phone, pool):
    """Three of them; another phone's comes in all the same."""
    forms, device_id = client.app[FORMS], await pool.fetchval("SELECT id FROM device")
    sent = {"stop_id": phone.stops[0], "kind": "photo"}
    with forms.held([("device", device_id)], 3):
        response = await client.post(PROOFS, data=form(photo(), **sent), headers=phone.headers)
        assert (response.status, "Retry-After" in response.headers) == (429, True)
    with forms.held([("device", 404)], 3):
        assert (await client.post(PROOFS, data=form(photo(), **sent), headers=phone.headers)).status == 201
    assert forms.total == 0
