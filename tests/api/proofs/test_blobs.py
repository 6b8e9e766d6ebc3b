"""The store: a folder that survives a power failure, buckets of S3, Azure and GCS."""

import asyncio
import hashlib
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from tests.acceptance.network import Network, bad_network
from tests.api.proofs.fixtures import KINDS, Enter
from tests.api.proofs.pictures import PDF, large_photo
from tests.stores.server import Bucket
from work.proofs import blobs as blobs_module
from work.proofs import blobs_watch
from work.proofs.blobs import BlobMissing, Blobs
from work.proofs.blobs_watch import StoreAway
from work.proofs.config import ProofConfig
from work.proofs.store import ORIGINAL, SHOWN, THUMBNAIL, blob_name
from work.proofs.upkeep import forget_proofs


@pytest.fixture(params=["folder", *KINDS])
def blobs(request: pytest.FixtureRequest, tmp_path: Path, enter: Enter) -> Blobs:
    """A store of each kind."""
    if request.param == "folder":
        return Blobs.open("", folder=tmp_path / "blobs")
    shared: Bucket = request.getfixturevalue(request.param)
    enter(shared.credentials)
    return Blobs.open(f"{shared.url}/{uuid4()}", folder=tmp_path / "unused")


async def test_bytes_are_kept_under_names(blobs: Blobs) -> None:
    for name, content in (("a/b/c", b"one"), ("a/b/d", bytes(300_000)), ("e", b"")):
        await blobs.put(name, content)
        assert await blobs.get(name) == content
    await blobs.put("a/b/c", b"two")
    assert await blobs.get("a/b/c") == b"two"
    assert sorted(blob.name for blob in await blobs.list("a")) == ["a/b/c", "a/b/d"]
    assert await blobs.list("nothing") == []
    await blobs.drop(["a/b/c", "a/b/d", "never-there", "never/there"])
    assert await blobs.list("a") == []
    with pytest.raises(BlobMissing):
        await blobs.get("a/b/c")
    await blobs.drop([])


@pytest.mark.parametrize("blobs", ["folder"], indirect=True)
async def test_a_file_is_asked_onto_the_disk_before_it_has_its_name(
    blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def seen_fsync(descriptor: int) -> None:
        done.append("sync " + os.readlink(f"/proc/self/fd/{descriptor}").removeprefix(str(tmp_path / "blobs")))
        fsync(descriptor)

    def seen_replace(path: Path, target: Path) -> Path:
        done.append("rename")
        return replace(path, target)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system does not tell what a descriptor is of")
    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(Path, "replace", seen_replace)
    await blobs.put("a/b/c", b"one")
    written = [step for step in done if "unfinished/" in step]
    assert len(written) == 1
    assert done.index(written[0]) < done.index("rename") < len(done) - 1 - done[::-1].index("sync /a/b")
    assert {"sync ", "sync /a"} <= set(done)  # the folders that were made are in theirs


@pytest.mark.parametrize("blobs", ["folder"], indirect=True)
async def test_a_folder_that_cannot_be_written_is_said_in_words(
    blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await blobs.put("a/b/c", b"before")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreAway) as away:
        await blobs.put("a/b/c", b"one")
    assert "no space is left" in away.value.why
    assert not list((tmp_path / "blobs" / "unfinished").iterdir())
    assert await blobs.get("a/b/c") == b"before"


def _measured(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_what_the_store_does_is_measured(tmp_path: Path) -> None:
    names = ("reparto_blob_bytes_total", "reparto_blob_failures_total", "reparto_blob_seconds_count")
    before = {(name, one): _measured(name, operation=one) for name in names for one in ("put", "get", "drop", "list")}
    blobs = Blobs.open("", folder=tmp_path / "blobs")
    await blobs.put("a", bytes(1000))
    await blobs.get("a")
    await blobs.drop(["a", "b"])
    with pytest.raises(BlobMissing):  # an answer, no failure
        await blobs.get("a")
    (tmp_path / "blobs" / "c").write_bytes(b"in the way")
    with pytest.raises(StoreAway):
        await blobs.put("c/d", b"one")
    more = {key: _measured(key[0], operation=key[1]) - was for key, was in before.items()}
    assert {key: count for key, count in more.items() if count} == {
        ("reparto_blob_bytes_total", "put"): 1000,
        ("reparto_blob_bytes_total", "get"): 1000,
        ("reparto_blob_failures_total", "put"): 1,
        ("reparto_blob_seconds_count", "put"): 2,
        ("reparto_blob_seconds_count", "get"): 2,
        ("reparto_blob_seconds_count", "drop"): 2,
    }


async def _fails_with(words: str, blobs: Blobs) -> None:
    """Every operation says the same, so that no caller takes it for an answer."""
    for asked in (blobs.put("a", b"one"), blobs.get("a"), blobs.drop(["a"]), blobs.list("a")):
        with pytest.raises(StoreAway) as away:
            await asked
        assert words in away.value.why
        assert away.value.retry_after_s > 0


async def test_a_bucket_that_refuses_us_is_said_in_words(bucket: Bucket, enter: Enter, tmp_path: Path) -> None:
    enter(bucket.wrong_credentials)
    await _fails_with("the credentials are wrong", Blobs.open(bucket.url, folder=tmp_path))


async def test_a_bucket_that_is_not_there_is_said_in_words(bucket: Bucket, enter: Enter, tmp_path: Path) -> None:
    enter(bucket.credentials)
    blobs = Blobs.open(bucket.missing_url, folder=tmp_path)
    for asked in (blobs.put("a", b"one"), blobs.list("a")):
        with pytest.raises(StoreAway) as away:
            await asked
        assert "no such bucket" in away.value.why


async def test_a_bucket_that_goes_away_and_comes_back_keeps_what_it_had(
    bucket: Bucket, enter: Enter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with bad_network(bucket.port) as network:
        enter(bucket.behind(urlsplit(network.url).port or 0).credentials)
        blobs = Blobs.open(bucket.url, folder=tmp_path)
        await blobs.put("a", b"before")
        network.is_down = True
        for _ in range(2):
            with pytest.raises(StoreAway) as away:
                await blobs.put("a", b"meanwhile")
        assert "cannot be reached" in away.value.why
        network.is_down = False
        assert await blobs.get("a") == b"before"
        await blobs.put("a", b"after")
    said = [record.getMessage() for record in caplog.records if record.name == "work.proofs.blobs_watch"]
    assert len(said) == 2  # when it began, when it was over
    assert "cannot be reached (put: " in said[0]
    assert said[1] == "the store of proofs works again (put)"


@pytest.fixture
async def hung_url(enter: Enter) -> AsyncIterator[str]:
    """A bucket of S3 that takes what is asked, and never answers."""
    held: list[asyncio.StreamWriter] = []

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        while await reader.read(65_536):
            pass

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    enter(
        {
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ALLOW_HTTP": "true",
        }
    )
    yield "s3://hung/proofs"
    for writer in held:
        writer.close()
    server.close()


async def test_a_store_that_hangs_keeps_nobody(hung_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs_watch, "PATIENCE_S", 0.1)
    blobs = Blobs.open(hung_url, folder=tmp_path)
    async with asyncio.timeout(30):
        await _fails_with("does not answer", blobs)


async def test_a_store_that_answers_again_is_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs_watch, "PATIENCE_S", 0.1)
    monkeypatch.setattr(blobs_watch, "_BELIEVED_S", 0.0)
    blobs, may_go, write = Blobs.open("", folder=tmp_path / "blobs"), threading.Event(), blobs_module._write

    def hangs(folder: Path, name: str, content: bytes) -> None:
        may_go.wait(30)
        write(folder, name, content)

    monkeypatch.setattr(blobs_module, "_write", hangs)
    with pytest.raises(StoreAway) as away:
        await blobs.put("a", b"one")
    assert "does not answer" in away.value.why
    may_go.set()
    await blobs.put("b", b"two")
    assert await blobs.get("b") == b"two"


class TestUploadsIntoABucket:
    """The whole way of a photo, with the bytes in a bucket."""

    @pytest.fixture
    async def network(self, bucket: Bucket, enter: Enter) -> AsyncIterator[Network]:
        """What lies between us and the bucket."""
        async with bad_network(bucket.port) as network:
            enter(bucket.behind(urlsplit(network.url).port or 0).credentials)
            yield network

    @pytest.fixture
    def proof_config(self, bucket: Bucket, network: Network) -> ProofConfig:
        return ProofConfig(blob_url=bucket.url)

    async def test_a_photo_goes_into_the_bucket_and_comes_back(
        self, client, account, phone, begin, append, proof_store, proofs_of
    ):
        content = large_photo(900_000)
        path = await begin(phone, len(content))
        assert (await append(phone, path, 0, content[:600_000])).status == 204
        assert len(await proof_store.blobs.list("parts")) == 3
        assert (await append(phone, path, 600_000, content[600_000:])).status == 204
        (proof,) = await proofs_of(account, phone.stops[0])
        assert proof["state"] == "stored"
        for name in ("url", "original_url"):
            served = await (await client.get(proof[name].removeprefix("https://reparto.example"))).read()
            assert (served == content) == (name == "original_url")
        assert await proof_store.blobs.list("parts") == []
        assert len(await proof_store.blobs.list("proofs")) == 3

    async def test_a_proof_without_a_thumbnail_is_forgotten_too(self, pool, guard, account, phone, upload, proof_store):
        assert (await upload(phone, PDF, kind="document")).status == 204
        assert len(await proof_store.blobs.list("proofs")) == 2
        await pool.execute("UPDATE proof SET stored_at = now() - interval '731 d'")
        await forget_proofs(pool, proof_store, guard)
        assert await proof_store.blobs.list("proofs") == []
        assert await pool.fetchval("SELECT count(*) FROM proof") == 0

    async def test_a_bucket_that_goes_away_while_an_upload_is_finished_loses_and_leaves_nothing(
        self, client, pool, account, phone, begin, append, proof_store, proofs_of, network, monkeypatch, refused
    ):
        content = large_photo(600_000)
        path = await begin(phone, len(content))
        put = type(proof_store.blobs).put

        async def last_put(blobs: Blobs, name: str, written: bytes) -> None:
            await put(blobs, name, written)
            network.is_down = name.endswith("/original")

        with monkeypatch.context() as patched:
            patched.setattr(type(proof_store.blobs), "put", last_put)
            response = await append(phone, path, 0, content)
        assert response.headers["Retry-After"]
        problem = await refused(response, 503)
        assert problem["type"] == "unavailable"
        assert "store of proofs" in problem["detail"]
        (proof,) = await proofs_of(account, phone.stops[0])
        assert (proof["state"], proof["sha256"]) == ("pending", None)
        head = await client.head(path, headers=phone.headers)  # every byte came, whatever becomes of the proof
        assert head.headers["Upload-Offset"] == str(len(content))

        network.is_down = False
        await pool.execute("UPDATE upload SET tried_at = tried_at - interval '1 min'")
        assert (await client.head(path, headers=phone.headers)).status == 200
        (proof,) = await proofs_of(account, phone.stops[0])
        assert (proof["state"], proof["sha256"]) == ("stored", hashlib.sha256(content).hexdigest())
        left = {blob.name for blob in await proof_store.blobs.list("proofs")}
        assert left == {blob_name(account.id, 1, what) for what in (ORIGINAL, SHOWN, THUMBNAIL)}
        assert await proof_store.blobs.list("parts") == []
        assert await pool.fetchval("SELECT attempts FROM upload") == 1
