"""What a phone may do with an upload, as it stands."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from api.http.problem import Gone, NotFound, Problem
from api.proofs.uploads.state import Action, ProofRefused, may
from api.proofs.uploads.tus import OffsetDiffers
from sql.delivery.uploads import Upload

UPLOAD = Upload(
    id=UUID(int=1),
    driver_id=1,
    stop_id=1,
    metadata="",
    length=100,
    received=40,
    expires_at=datetime(2026, 3, 2, tzinfo=UTC),
    is_expired=False,
    is_ended=False,
    is_finished=False,
    proof_id=1,
    kind="photo",
    state="pending",
    why=None,
    whole=True,
)
GIVEN_UP, EXPIRED = replace(UPLOAD, is_ended=True), replace(UPLOAD, is_expired=True)
REFUSED = replace(UPLOAD, received=100, is_finished=True, state="refused", why="not-an-image")


@pytest.mark.parametrize(
    ("upload", "action", "problem"),
    [
        (None, Action.SEE, NotFound),
        (None, Action.APPEND, Gone),
        (None, Action.PROVE, Gone),
        *((over, action, Gone) for over in (GIVEN_UP, EXPIRED) for action in Action),
        (replace(UPLOAD, received=41), Action.APPEND, OffsetDiffers),
        (REFUSED, Action.PROVE, ProofRefused),
    ],
)
def test_what_may_not_be_done_is_refused(upload: Upload | None, action: Action, problem: type[Problem]) -> None:
    with pytest.raises(problem):
        may(upload, action, offset=40)


@pytest.mark.parametrize("action", Action)
def test_an_upload_under_way_may_be_seen_gone_on_with_and_proven(action: Action) -> None:
    assert may(UPLOAD, action, offset=40) is UPLOAD


def test_a_refused_file_may_be_seen() -> None:
    assert may(REFUSED, Action.SEE) is REFUSED
