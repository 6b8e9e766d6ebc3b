"""What `reparto doctor` says of the store of proofs."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from reparto.operate.doctor_proofs import look_into_store, try_store
from reparto.operate.finding import Severity
from reparto.settings.config import ServerConfig
from reparto.settings.settings import Settings
from tests.api.proofs.fixtures import Enter
from tests.api.proofs.pictures import PDF, photo
from tests.stores.server import Bucket
from work.proofs.blobs import BlobMissing, Blobs
from work.proofs.config import ProofConfig
from work.proofs.store import ORIGINAL, SHOWN, THUMBNAIL, blob_name


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those of a product whose proofs are where the application under test keeps them."""
    return Settings(server=ServerConfig(data_dir=str(tmp_path)))


def kept_at(settings: Settings, url: str) -> Settings:
    return replace(settings, proofs=ProofConfig(blob_url=url))


async def test_a_store_that_works_is_good_and_left_as_it_was(
    settings: Settings, bucket: Bucket, enter: Enter, tmp_path: Path
) -> None:
    enter(bucket.credentials)
    (finding,) = await try_store(kept_at(settings, bucket.url))
    assert finding.level is Severity.GOOD
    assert finding.what == f"the store of proofs {bucket.url} takes bytes and gives them back"
    assert await Blobs.open(bucket.url, folder=tmp_path).list("doctor") == []


async def test_a_store_that_refuses_us_or_is_not_there_is_bad(
    settings: Settings, bucket: Bucket, enter: Enter, tmp_path: Path
) -> None:
    enter(bucket.wrong_credentials)
    (finding,) = await try_store(kept_at(settings, bucket.url))
    assert finding.level is Severity.BAD
    assert "the credentials are wrong" in finding.what
    assert "write, read, list and delete" in finding.advice
    enter(bucket.credentials)
    (finding,) = await try_store(kept_at(settings, bucket.missing_url))
    assert finding.level is Severity.BAD
    assert "no such bucket" in finding.what


async def test_a_folder_is_tried_and_its_disk_looked_at(settings: Settings, tmp_path: Path) -> None:
    (finding,) = await try_store(settings)
    assert finding.level is Severity.GOOD
    assert "is not there yet" in finding.what
    assert not (tmp_path / "blobs").exists()  # whoever asks may be another user than the one who will own it
    (tmp_path / "blobs").mkdir()
    (tried,) = await try_store(settings)
    assert tried.level is Severity.GOOD
    tried, free = await try_store(kept_at(settings, f"file://{tmp_path}/blobs"))
    assert tried.level is Severity.GOOD
    assert free.what.endswith(f"GB are free in {tmp_path}/blobs")


async def test_a_full_disk_is_bad(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "blobs").mkdir()
    monkeypatch.setattr(os, "fsync", full)
    (tried,) = await try_store(settings)
    assert tried.level is Severity.BAD
    assert "is full" in tried.what
    assert "how much is free" in tried.advice


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
async def test_somebody_elses_folder_is_not_touched(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    os.chown(tmp_path / "blobs", 4711, 4711)
    (finding,) = await try_store(settings)
    assert finding.level is Severity.LOOK
    assert "belongs to the user 4711" in finding.what
    assert list((tmp_path / "blobs").iterdir()) == []


class TestWhatTheDatabaseSaysIsThere:
    """A photo (three files), and a document (two)."""

    @pytest.fixture(autouse=True)
    async def proofs(self, phone, upload):
        assert (await upload(phone, photo())).status == 204
        assert (await upload(phone, PDF, kind="document")).status == 204

    async def test_it_is_there(self, settings, pool):
        (finding,) = await look_into_store(settings, pool, all_of_it=False)
        assert (finding.level, finding.what) == (
            Severity.GOOD,
            "the bytes of the newest proofs are there (2 looked for)",
        )
        (finding,) = await look_into_store(settings, pool, all_of_it=True)
        assert finding.level is Severity.GOOD
        assert finding.what == "all files of 2 proofs are there, and are what was taken in"

    async def test_what_is_missing_or_changed_is_named(self, settings, pool, proof_store, account):
        await proof_store.blobs.drop([blob_name(account.id, 1, what) for what in (ORIGINAL, THUMBNAIL)])
        await proof_store.blobs.put(blob_name(account.id, 2, SHOWN), b"something else")
        (finding,) = await look_into_store(settings, pool, all_of_it=False)
        assert finding.level is Severity.BAD
        assert finding.what == "the bytes of 1 of the newest 2 proofs are not there"
        assert "--proofs" in finding.advice
        (finding,) = await look_into_store(settings, pool, all_of_it=True)
        assert finding.level is Severity.BAD
        assert finding.what == "2 of 2 proofs are not whole"
        assert "pf_1: original missing, thumbnail missing; pf_2: shown differs." in finding.advice

    @pytest.mark.parametrize("is_made", [True, False])
    async def test_another_folder_than_the_one_they_were_written_into_is_told(self, settings, pool, tmp_path, is_made):
        if is_made:
            (tmp_path / "elsewhere" / "blobs").mkdir(parents=True)
        elsewhere = replace(settings, server=ServerConfig(data_dir=str(tmp_path / "elsewhere")))
        (finding,) = await look_into_store(elsewhere, pool, all_of_it=False)
        assert finding.level is Severity.BAD
        assert "need the same REPARTO_BLOB_URL" in finding.advice

    async def test_a_proof_that_is_forgotten_meanwhile_is_not_missing(self, settings, pool, monkeypatch):
        async def forgotten(*_: object) -> bytes:
            await pool.execute("DELETE FROM proof WHERE id = 1")
            raise BlobMissing

        monkeypatch.setattr(Blobs, "get", forgotten)
        (finding,) = await look_into_store(settings, pool, all_of_it=True)
        assert finding.what == "1 of 2 proofs are not whole"
        assert "pf_1" not in finding.advice

    async def test_a_store_that_is_away_is_no_store_without_files(self, settings, pool, bucket, enter):
        enter(bucket.wrong_credentials)
        for all_of_it in (False, True):
            (finding,) = await look_into_store(kept_at(settings, bucket.url), pool, all_of_it=all_of_it)
            assert finding.level is Severity.BAD
            assert finding.what == "the files of proofs could not be looked at"
            assert "refuses us" in finding.advice

    async def test_without_proofs_there_is_nothing_to_say(self, settings, pool):
        await pool.execute("DELETE FROM proof")
        assert await look_into_store(settings, pool, all_of_it=True) == []
