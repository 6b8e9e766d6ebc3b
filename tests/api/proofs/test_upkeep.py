"""What `work` does: finish what nobody finishes, forget what is over."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from sql.delivery import uploads
from tests.api.proofs.pictures import photo
from work.away import Away
from work.proofs.blobs import BlobMissing
from work.proofs.store import blob_name
from work.proofs.upkeep import expire_uploads, finish_uploads, forget_proofs, sweep


@pytest.fixture
def complete(begin, append, monkeypatch):
    """An upload whose bytes are all there, and whose process died before it was finished."""

    async def make(phone, content, **metadata):
        async def died(*_):
            return None

        path = await begin(phone, len(content), **metadata)
        with monkeypatch.context() as patched:
            patched.setattr(uploads, "begin_finishing", died)
            assert (await append(phone, path, 0, content)).status == 204
        return path

    return make


async def _old(pool) -> None:
    """Let the last attempt have been a while ago."""
    await pool.execute(
        "UPDATE upload SET tried_at = tried_at - interval '1 min', created_at = created_at - interval '1 min'"
    )


async def test_an_upload_that_nobody_finished_is_finished(pool, proof_store, account, phone, complete, proofs_of):
    await complete(phone, photo())
    assert (await proofs_of(account, phone.stops[0]))[0]["state"] == "pending"
    await _old(pool)
    await finish_uploads(pool, proof_store)
    assert (await proofs_of(account, phone.stops[0]))[0]["state"] == "stored"
    assert await finish_uploads(pool, proof_store) is False


async def test_head_finishes_it_too(client, account, phone, complete, proofs_of):
    content = photo()
    path = await complete(phone, content)
    head = await client.head(path, headers=phone.headers)
    assert head.headers["Upload-Offset"] == str(len(content))
    assert (await proofs_of(account, phone.stops[0]))[0]["state"] == "stored"


async def test_many_who_finish_at_once_make_one_proof(pool, proof_store, account, phone, complete, proofs_of):
    await complete(phone, photo())
    await _old(pool)
    await asyncio.gather(*(finish_uploads(pool, proof_store) for _ in range(6)))
    (proof,) = await proofs_of(account, phone.stops[0])
    assert proof["state"] == "stored"
    assert await pool.fetchval("SELECT attempts FROM upload") == 1


async def test_a_file_that_ends_its_process_again_and_again_is_refused_unread(
    pool, proof_store, account, phone, complete, proofs_of
):
    await complete(phone, photo())
    for _ in range(4):
        await _old(pool)
        (key,) = await uploads.unfinished(pool, at_most=9)
        assert await uploads.begin_finishing(pool, key)  # and there the process ends
    await _old(pool)
    await finish_uploads(pool, proof_store)
    (proof,) = await proofs_of(account, phone.stops[0])
    assert (proof["state"], proof["why"]) == ("refused", "unreadable")


async def test_a_store_that_is_away_counts_against_nobody(
    client, pool, proof_store, account, phone, begin, append, proofs_of, monkeypatch, refused
):
    content = photo()
    path = await begin(phone, len(content))

    async def away(*_):
        raise Away("away")

    with monkeypatch.context() as patched:
        patched.setattr(type(proof_store.blobs), "get", away)
        response = await append(phone, path, 0, content)
        assert response.headers["Retry-After"]
        await refused(response, 503)
        assert (await client.head(path, headers=phone.headers)).headers["Upload-Offset"] == str(len(content))
        for _ in range(6):
            await _old(pool)
            await finish_uploads(pool, proof_store)
    assert await pool.fetchval("SELECT attempts FROM upload") == 0
    await _old(pool)
    await finish_uploads(pool, proof_store)
    assert (await proofs_of(account, phone.stops[0]))[0]["state"] == "stored"


async def test_a_store_that_is_away_keeps_the_offset_where_it_was(
    client, proof_store, phone, begin, append, monkeypatch, refused
):
    path = await begin(phone, 1000)

    async def away(*_):
        raise Away("away")

    with monkeypatch.context() as patched:
        patched.setattr(type(proof_store.blobs), "put", away)
        await refused(await append(phone, path, 0, bytes(500)), 503)
    assert (await client.head(path, headers=phone.headers)).headers["Upload-Offset"] == "0"
    assert (await append(phone, path, 0, bytes(500))).status == 204


async def test_expired_uploads_are_given_up_with_their_parts(
    client, pool, guard, proof_store, account, phone, begin, append, complete, proofs_of
):
    path = await begin(phone, 1000)
    assert (await append(phone, path, 0, bytes(500))).status == 204
    whole = await complete(phone, photo())
    await pool.execute("UPDATE upload SET expires_at = now() - interval '1 s'")
    await expire_uploads(pool, proof_store, guard)
    assert (await client.head(path, headers=phone.headers)).status == 410
    assert (await client.head(whole, headers=phone.headers)).status == 200  # whole: it never expires
    assert [one["state"] for one in await proofs_of(account, phone.stops[0])] == ["stored"]
    assert await proof_store.blobs.list("parts") == []
    await pool.execute(
        "UPDATE upload SET created_at = created_at - interval '8 d', ended_at = ended_at - interval '8 d'"
    )
    await expire_uploads(pool, proof_store, guard)
    assert (await client.head(path, headers=phone.headers)).status == 404


async def test_litter_of_dead_processes_is_swept(pool, guard, proof_store, phone, begin, append, tmp_path):
    path = await begin(phone, 1000)
    assert (await append(phone, path, 0, bytes(500))).status == 204
    await proof_store.blobs.put(f"parts/{uuid4()}/000000000000-ab", b"never counted")
    await proof_store.blobs.put("unfinished/0123", b"half written")
    await proof_store.blobs.put(f"parts/{uuid4()}/000000000000-cd", b"of this minute")
    old = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    for blob in (*await proof_store.blobs.list("parts"), *await proof_store.blobs.list("unfinished")):
        if not blob.name.endswith("-cd"):
            os.utime(tmp_path / "blobs" / blob.name, (old, old))
    await sweep(pool, proof_store, guard)
    assert await proof_store.blobs.list("unfinished") == []
    left = sorted(blob.name for blob in await proof_store.blobs.list("parts"))
    assert len(left) == 2
    assert {path.rpartition("/")[2] in name or name.endswith("-cd") for name in left} == {True}


async def test_old_proofs_are_forgotten_with_their_bytes(pool, guard, proof_store, account, phone, upload, proofs_of):
    await upload(phone, photo())
    await upload(phone, photo(300, 200))
    await pool.execute("UPDATE proof SET stored_at = now() - interval '731 d' WHERE id = 1")
    await forget_proofs(pool, proof_store, guard)
    assert [one["id"] for one in await proofs_of(account, phone.stops[0])] == ["pf_2"]
    with pytest.raises(BlobMissing):
        await proof_store.blobs.get(blob_name(account.id, 1, "original"))
    assert await proof_store.blobs.get(blob_name(account.id, 2, "original"))


async def test_an_upload_whose_bytes_were_lost_is_begun_again(
    client, pool, proof_store, account, phone, begin, append, complete, upload, proofs_of
):
    """As after a restore whose blobs are older than its database."""
    content, upload_id = photo(), str(uuid4())
    path = await complete(phone, content, upload_id=upload_id)
    await proof_store.blobs.drop([blob.name for blob in await proof_store.blobs.list("parts")])
    await _old(pool)
    await finish_uploads(pool, proof_store)  # nobody here has the file, so it waits
    assert (await proofs_of(account, phone.stops[0]))[0]["state"] == "pending"
    await _old(pool)
    assert (await client.head(path, headers=phone.headers)).status == 410
    assert (await upload(phone, content, upload_id=upload_id)).status == 204
    (proof,) = await proofs_of(account, phone.stops[0])
    assert proof["state"] == "stored"


async def test_an_upload_that_was_finished_after_the_backup_is_finished_from_its_original(
    pool, proof_store, account, phone, complete, proofs_of
):
    """As after a restore whose database is older than its blobs."""
    content = photo()
    await complete(phone, content)
    await proof_store.blobs.drop([blob.name for blob in await proof_store.blobs.list("parts")])
    await proof_store.blobs.put(blob_name(account.id, 1, "original"), content)
    await _old(pool)
    await finish_uploads(pool, proof_store)
    (proof,) = await proofs_of(account, phone.stops[0])
    assert (proof["state"], proof["size"]) == ("stored", len(content))
