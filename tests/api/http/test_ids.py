"""What may be an external id."""

import pytest

from api.http.ids import external_id_error


@pytest.mark.parametrize("text", ["a", "ped-1", "Peñalolén", "日本", "a.b", "...", "v1.."])
def test_it_may(text: str) -> None:
    assert external_id_error("/external_id", text) is None


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a/b", " a", "a\u0007", "a\u200bb", "a\u202eb", "Pen\u0303a", "rt_7", "x" * 201]
)
def test_it_may_not(text: str) -> None:
    error = external_id_error("/external_id", text)
    assert error is not None
    assert error.at == "/external_id"
