"""What phones say of proofs, read the same way wherever they say it."""

from uuid import UUID

import pytest

from api.http.problem import Invalid
from api.proofs.said import read_kind, read_sha256, read_upload_id, read_uuid
from api.proofs.uploads.about import about_in

ID = "0b9f6c1e-4f5e-4a50-9f1c-3f3a0f3b7c11"


@pytest.mark.parametrize("said", [ID, f"/v1/driver/uploads/{ID}", f"https://reparto.example/v1/driver/uploads/{ID}/"])
def test_an_upload_is_named_by_its_id_or_its_address(said: str) -> None:
    assert read_upload_id(said) == UUID(ID)


@pytest.mark.parametrize("said", ["", "st_7", 7, None, ["photo"], {"id": ID}, "\0"])
def test_what_is_nothing_is_read_as_nothing(said: object) -> None:
    assert [read(said) for read in (read_uuid, read_upload_id, read_kind, read_sha256)] == [None] * 4


def test_a_digest_has_all_its_digits() -> None:
    assert read_sha256("AB" * 32) == b"\xab" * 32
    assert [read_sha256("ab" * size) for size in (31, 33)] == [None, None]


def test_every_mistake_is_named_at_once() -> None:
    values = {"stop_id": "7", "upload_id": "x", "taken_at": "2026-03-02", "sha256": "ab", "lat": "91"}
    with pytest.raises(Invalid) as refused:
        about_in(values, at="Upload-Metadata/")
    assert {error.at.removeprefix("Upload-Metadata/"): error.why for error in refused.value.errors} == {
        "stop_id": "must be the id of a stop, like st_7",
        "kind": "is missing",
        "upload_id": "must be a UUID",
        "sha256": "must be 64 hexadecimal digits",
        "lat": "must be degrees",
        "lon": "is missing, though the other one is given",
    }


def test_a_file_needs_only_a_stop_and_a_kind() -> None:
    about = about_in({"stop_id": "st_7", "kind": "photo", "filetype": "image/jpeg", "filename": "a\nb"}, at="")
    assert (about.stop_id, about.kind, about.filename) == (7, "photo", "ab")
    assert {about.upload_id, about.taken_at, about.lat, about.lon, about.sha256} == {None}
