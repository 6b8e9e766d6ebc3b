"""tus 1.0.0 as its specification says, and what it promises: what was acknowledged is there."""

import base64
import hashlib
import io
from uuid import uuid4

import pytest
from PIL import Image

from tests.api.proofs.pictures import large_photo, photo
from work.proofs.config import ProofConfig

UPLOADS = "/v1/driver/uploads"


async def test_a_file_in_two_parts_becomes_a_proof(client, account, phone, begin, append, proofs_of):
    content = photo()
    path = await begin(phone, len(content), filename="puerta.jpg")
    first = await append(phone, path, 0, content[:1000])
    assert (first.status, first.headers["Upload-Offset"]) == (204, "1000")
    assert first.headers["Upload-Expires"].endswith("GMT")
    head = await client.head(path, headers=phone.headers)
    assert (head.status, head.headers["Upload-Offset"]) == (200, "1000")
    assert head.headers["Upload-Length"] == str(len(content))
    assert head.headers["Cache-Control"] == "no-store"
    assert head.headers["Tus-Resumable"] == "1.0.0"
    assert "filename cHVlcnRhLmpwZw==" in head.headers["Upload-Metadata"]
    assert [proof["state"] for proof in await proofs_of(account, phone.stops[0])] == ["pending"]
    last = await append(phone, path, 1000, content[1000:])
    assert (last.status, last.headers["Upload-Offset"]) == (204, str(len(content)))
    (proof,) = await proofs_of(account, phone.stops[0])
    assert proof["state"] == "stored"
    assert proof["sha256"] == hashlib.sha256(content).hexdigest()
    assert (proof["size"], proof["type"], proof["filename"]) == (len(content), "image/jpeg", "puerta.jpg")
    state = await (await client.get(path, headers=phone.headers)).json()
    assert (state["state"], state["proof_id"], state["offset"]) == ("stored", proof["id"], len(content))


async def test_options_say_what_is_spoken(client):
    response = await client.options(UPLOADS)
    assert response.status == 204
    assert response.headers["Tus-Version"] == "1.0.0"
    assert set(response.headers["Tus-Extension"].split(",")) == {
        *("creation", "creation-with-upload", "checksum", "expiration", "termination")
    }
    assert response.headers["Tus-Max-Size"] == str(ProofConfig().max_upload_bytes)
    assert response.headers["Tus-Checksum-Algorithm"] == "sha1,sha256,md5"


async def test_every_answer_speaks_the_version_and_asks_for_it(client, phone, begin):
    path = await begin(phone, 10)
    for method, url in (("POST", UPLOADS), ("HEAD", path), ("PATCH", path), ("DELETE", path)):
        for version in ("0.2.2", None):
            headers = {"Authorization": phone.headers["Authorization"]}
            headers |= {"Tus-Resumable": version} if version else {}
            response = await client.request(method, url, headers=headers)
            assert response.status == 412
            assert response.headers["Tus-Version"] == "1.0.0"
            assert response.headers["Tus-Resumable"] == "1.0.0"


async def test_creation_with_upload(client, account, phone, proofs_of):
    content = photo()
    headers = {**phone.headers, "Upload-Length": str(len(content)), "Upload-Metadata": phone.metadata()}
    headers["Content-Type"] = "application/offset+octet-stream"
    response = await client.post(UPLOADS, headers=headers, data=content)
    assert (response.status, response.headers["Upload-Offset"]) == (201, str(len(content)))
    assert response.headers["Location"].startswith("https://reparto.example/v1/driver/uploads/")
    assert [proof["state"] for proof in await proofs_of(account, phone.stops[0])] == ["stored"]


async def test_beginning_again_with_the_same_id_is_the_same_upload(client, phone, append, refused):
    content, upload_id = photo(), str(uuid4())
    headers = {**phone.headers, "Upload-Metadata": phone.metadata(upload_id=upload_id)}
    made = [await client.post(UPLOADS, headers=headers | {"Upload-Length": str(len(content))}) for _ in range(2)]
    assert [response.status for response in made] == [201, 201]
    assert len({response.headers["Location"] for response in made}) == 1
    assert (await append(phone, f"{UPLOADS}/{upload_id}", 0, content)).status == 204
    after = await client.post(UPLOADS, headers=headers | {"Upload-Length": str(len(content))})
    assert (after.status, after.headers["Upload-Offset"]) == (201, str(len(content)))
    await refused(await client.post(UPLOADS, headers=headers | {"Upload-Length": "7"}), 409)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
async def test_bytes_with_another_checksum_count_for_nothing(client, account, phone, begin, append, refused, algorithm):
    content = large_photo(600_000)
    path = await begin(phone, len(content))

    def checksum(of: bytes) -> dict[str, str]:
        digest = hashlib.new(algorithm, of).digest()
        return {"Upload-Checksum": f"{algorithm} {base64.b64encode(digest).decode()}"}

    await refused(await append(phone, path, 0, content, **checksum(b"other")), 460)
    assert (await client.head(path, headers=phone.headers)).headers["Upload-Offset"] == "0"
    good = await append(phone, path, 0, content[:300_000], **checksum(content[:300_000]))
    assert (good.status, good.headers["Upload-Offset"]) == (204, "300000")
    assert (await append(phone, path, 300_000, content[300_000:], **checksum(content[300_000:]))).status == 204


@pytest.mark.parametrize("checksum", ["crc32 AAAA", "sha1", "sha1 ???", "sha1 AAAA", "sha256 " + "A" * 28])
async def test_a_checksum_that_cannot_be_read_is_refused(phone, begin, append, refused, checksum):
    path = await begin(phone, 10)
    await refused(await append(phone, path, 0, b"x" * 10, **{"Upload-Checksum": checksum}), 400, "Upload-Checksum")


async def test_bytes_for_another_place_are_refused(client, phone, begin, append, refused):
    path = await begin(phone, 100)
    assert (await append(phone, path, 0, b"x" * 10)).status == 204
    for offset in (0, 9, 11, 100, 10**14):
        problem = await refused(await append(phone, path, offset, b"x"), 409)
        assert problem["type"] == "upload-offset"
    assert (await client.head(path, headers=phone.headers)).headers["Upload-Offset"] == "10"


async def test_more_bytes_than_the_upload_has_are_refused(client, phone, begin, append, refused):
    path = await begin(phone, 100)
    await refused(await append(phone, path, 0, b"x" * 101), 413)
    assert (await client.head(path, headers=phone.headers)).headers["Upload-Offset"] == "0"

    async def unannounced():
        for _ in range(11):
            yield b"x" * 10

    await refused(await append(phone, path, 0, unannounced()), 413)
    offset = int((await client.head(path, headers=phone.headers)).headers["Upload-Offset"])
    assert offset <= 100


async def test_headers_that_cannot_be_read_are_refused(client, phone, begin, append, refused):
    path = await begin(phone, 10)
    for offset in ("", "-1", "1.5", "x", "1" * 30, "٣"):
        await refused(await append(phone, path, offset, b"x"), 400, "Upload-Offset")
    no_type = await client.patch(path, data=b"x", headers={**phone.headers, "Upload-Offset": "0"})
    await refused(no_type, 415)
    metadata = {"Upload-Metadata": phone.metadata()}
    for length in ("-1", "x", "9" * 16):
        await refused(await client.post(UPLOADS, headers={**phone.headers, **metadata, "Upload-Length": length}), 400)
    await refused(await client.post(UPLOADS, headers={**phone.headers, **metadata}), 400, "Upload-Length")
    deferred = {**phone.headers, **metadata, "Upload-Defer-Length": "1"}
    await refused(await client.post(UPLOADS, headers=deferred), 400)


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"stop_id": None}, "stop_id"),
        ({"stop_id": "7"}, "stop_id"),
        ({"stop_id": "st_0"}, "stop_id"),
        ({"kind": None}, "kind"),
        ({"kind": "video"}, "kind"),
        ({"upload_id": "7"}, "upload_id"),
        ({"lat": "91", "lon": "0"}, "lat"),
        ({"lat": "nan", "lon": "0"}, "lat"),
        ({"lat": "1"}, "lon"),
        ({"sha256": "abc"}, "sha256"),
    ],
)
async def test_metadata_are_checked(client, phone, refused, changes, at):
    headers = {**phone.headers, "Upload-Length": "10", "Upload-Metadata": phone.metadata(**changes)}
    await refused(await client.post(UPLOADS, headers=headers), 422, f"Upload-Metadata/{at}")


async def test_a_file_may_be_called_anything(client, account, phone, begin, proofs_of):
    for name in ("a\0b\r\nc.jpg", "x" * 300, "ñ 📷", "\n"):
        await begin(phone, 10, filename=name)
    names = [proof["filename"] for proof in await proofs_of(account, phone.stops[0])]
    assert names == ["abc.jpg", "x" * 255, "ñ 📷", None]


@pytest.mark.parametrize(
    ("metadata", "status"),
    [
        ("stop_id", 422),
        ("stop_id ???,kind cGhvdG8=", 422),
        ("kind cGhvdG8=,kind cGhvdG8=", 400),
        ("a b c, d e f", 422),
        ("é cGhvdG8=", 400),
        ("stop_id /w==", 422),
        ("x " + "A" * 5000, 400),
        (",,,", 422),
    ],
)
async def test_metadata_that_cannot_be_read_are_refused(client, phone, refused, metadata, status):
    headers = {**phone.headers, "Upload-Length": "10", "Upload-Metadata": metadata}
    await refused(await client.post(UPLOADS, headers=headers), status)


async def test_a_file_must_have_bytes_and_not_too_many(client, phone, refused):
    headers = {**phone.headers, "Upload-Metadata": phone.metadata()}
    await refused(await client.post(UPLOADS, headers={**headers, "Upload-Length": "0"}), 422, "Upload-Length")
    most = ProofConfig().max_upload_bytes
    too_large = await client.post(UPLOADS, headers={**headers, "Upload-Length": str(most + 1)})
    assert too_large.headers["Tus-Max-Size"] == str(most)
    await refused(too_large, 413)


async def test_an_upload_can_be_given_up_until_it_is_complete(
    client, account, phone, begin, append, proofs_of, refused
):
    content, upload_id = photo(), str(uuid4())
    path = await begin(phone, len(content), upload_id=upload_id)
    assert (await append(phone, path, 0, content[:500])).status == 204
    assert (await client.delete(path, headers=phone.headers)).status == 204
    assert await proofs_of(account, phone.stops[0]) == []
    assert (await client.head(path, headers=phone.headers)).status == 410
    await refused(await append(phone, path, 500, content[500:]), 410)
    await refused(await client.delete(path, headers=phone.headers), 410)

    assert await begin(phone, len(content), upload_id=upload_id) == path
    assert (await client.head(path, headers=phone.headers)).headers["Upload-Offset"] == "0"
    assert (await append(phone, path, 0, content)).status == 204
    await refused(await client.delete(path, headers=phone.headers), 409)
    assert [proof["state"] for proof in await proofs_of(account, phone.stops[0])] == ["stored"]


async def test_a_network_that_lets_only_post_through(client, phone, begin):
    path = await begin(phone, 10)
    headers = {**phone.headers, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    patched = await client.post(path, headers=headers | {"X-HTTP-Method-Override": "PATCH"}, data=b"x" * 5)
    assert (patched.status, patched.headers["Upload-Offset"]) == (204, "5")
    head = await client.post(path, headers=phone.headers | {"X-HTTP-Method-Override": "HEAD"})
    assert head.headers["Upload-Offset"] == "5"
    assert (await client.post(path, headers=phone.headers | {"X-HTTP-Method-Override": "PUT"})).status == 405
    assert (await client.post(path, headers=phone.headers)).status == 405
    gone = await client.post(path, headers=phone.headers | {"X-HTTP-Method-Override": "DELETE"})
    assert gone.status == 204


async def test_others_see_nothing(client, account, other_account, make_phone, phone, begin, append, refused):
    ben = await make_phone(client, account.key, "ben")
    foreign = await make_phone(client, other_account.key, "eva")
    path = await begin(phone, 10)
    for other in (ben, foreign):
        assert (await client.head(path, headers=other.headers)).status == 404
        await refused(await client.get(path, headers=other.headers), 404)
        await refused(await append(other, path, 0, b"x"), 404)
        await refused(await client.delete(path, headers=other.headers), 404)
        headers = {**other.headers, "Upload-Length": "10", "Upload-Metadata": phone.metadata()}
        await refused(await client.post(UPLOADS, headers=headers), 404)
    assert (await client.head(path, headers=phone.headers)).headers["Upload-Offset"] == "0"
    for path in (f"{UPLOADS}/7", f"{UPLOADS}/{uuid4()}"):
        await refused(await client.get(path, headers=phone.headers), 404)
    response = await client.post(UPLOADS, headers={"Tus-Resumable": "1.0.0"})
    await refused(response, 401)


async def test_an_upload_of_the_same_id_by_another_driver_is_another_upload(client, account, make_phone, phone, begin):
    ben, upload_id = await make_phone(client, account.key, "ben"), str(uuid4())
    paths = [await begin(one, 10 * size, upload_id=upload_id) for size, one in ((1, phone), (2, ben))]
    lengths = [
        (await client.head(path, headers=one.headers)).headers["Upload-Length"]
        for path, one in zip(paths, (phone, ben), strict=True)
    ]
    assert lengths == ["10", "20"]


async def test_a_stop_that_went_to_another_driver_still_takes_proofs_of_the_first(
    client, account, phone, make_driver, begin, put_route
):
    await make_driver(client, account.key, "ben")
    await put_route(client, account.key, route="tour-ana", driver="ben")
    assert await begin(phone, 10)


async def test_an_expired_upload_is_gone_and_can_be_begun_again(client, account, pool, phone, begin, proofs_of):
    upload_id = str(uuid4())
    path = await begin(phone, 10, upload_id=upload_id)
    await pool.execute("UPDATE upload SET expires_at = now() - interval '1 s'")
    assert (await client.head(path, headers=phone.headers)).status == 410
    assert await begin(phone, 20, upload_id=upload_id) == path
    assert (await client.head(path, headers=phone.headers)).headers["Upload-Length"] == "20"


async def test_a_large_photo_is_shown_smaller_and_kept_as_it_is(client, account, phone, upload, proofs_of):
    content = photo(5000, 3000)
    assert (await upload(phone, content)).status == 204
    (proof,) = await proofs_of(account, phone.stops[0])
    served = await (await client.get(proof["url"].partition("example")[2])).read()
    assert Image.open(io.BytesIO(served)).size == (2048, 1229)
    assert (proof["served"]["width_px"], proof["served"]["height_px"]) == (2048, 1229)
    assert proof["served"]["sha256"] == hashlib.sha256(served).hexdigest()
    original = await (await client.get(proof["original_url"].partition("example")[2])).read()
    assert original == content
