"""The store: a folder that survives a power failure, a bucket of a real S3 server."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.blobs import BlobMissing, Blobs
from api.config import ProofConfig
from api.problem import Unavailable
from tests.api.proofs.pictures import large_photo

READY_S = 60


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an S3 server with the bucket `proofs`; nothing survives it."""
    pytest.importorskip("moto", reason="moto, the S3 server of this test, is not installed")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    program = "from moto.server import main; import sys; main(sys.argv[1:])"
    server = subprocess.Popen(
        [sys.executable, "-c", program, "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + READY_S
        while True:
            try:
                urllib.request.urlopen(urllib.request.Request(f"{url}/proofs", method="PUT"), timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, "the S3 server ended"
                assert time.monotonic() < until, "the S3 server does not answer"
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch, s3: str) -> None:
    """What an operator sets for a bucket."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3,
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(params=["folder", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "s3":
        request.getfixturevalue("credentials")
        return Blobs.open("s3://proofs/some/prefix", folder=tmp_path / "unused")
    return Blobs.open("", folder=tmp_path / "blobs")


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
    with pytest.raises(Unavailable):
        await blobs.put("a/b/c", b"one")
    assert not list((tmp_path / "blobs" / "unfinished").iterdir())
    assert await blobs.get("a/b/c") == b"before"


async def test_a_bucket_that_cannot_be_reached_is_said_in_words(
    credentials: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    missing = Blobs.open("s3://no-such-bucket", folder=tmp_path)
    with pytest.raises(Unavailable):
        await missing.put("a", b"one")


class TestUploadsIntoABucket:
    """The whole way of a photo, with the bytes in S3."""

    @pytest.fixture
    def proof_config(self, credentials: None) -> ProofConfig:
        return ProofConfig(blob_url="s3://proofs/uploads")

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
