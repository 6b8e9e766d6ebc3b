"""What is wrong with a field is said in words of people."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from msgspec import Meta

from api.http.problem import Invalid
from api.http.read.bodies import converted
from api.http.read.why import why_of

TIME = "like 2026-03-02T13:45:00-05:00"


@pytest.mark.parametrize(
    ("raw", "kind", "why"),
    [
        ("x", float, "must be a number, not text"),
        (None, int, "must be a whole number, not null"),
        (1.5, int, "must be a whole number, not a number"),
        ({}, list[str], "must be a list, not an object"),
        (5, str | bool | None, "must be true or false or text or null, not a whole number"),
        ("", Annotated[str, Meta(min_length=1)], "must have at least 1 character"),
        ("abc", Annotated[str, Meta(max_length=2)], "must have at most 2 characters"),
        ([], Annotated[list[int], Meta(min_length=1)], "must have at least 1 entry"),
        ({"a": 1, "b": 2}, Annotated[dict[str, int], Meta(max_length=1)], "must have at most 1 field"),
        (-1, Annotated[float, Meta(ge=0)], "must be a number, at least 0"),
        (2e12, Annotated[float, Meta(le=1e12)], "must be a number, at most 1000000000000"),
        (6, Annotated[int, Meta(ge=1, le=5)], "must be a whole number, at most 5"),
        (0.0, Annotated[float, Meta(gt=0.5)], "must be a number, more than 0.5"),
        ("  ", Annotated[str, Meta(pattern=r"\S")], "must not be blank"),
        ("cop", Annotated[str, Meta(pattern="^[A-Z]{3}$")], "must be of the form ^[A-Z]{3}$"),
        ("soon", datetime, f"must be a time {TIME}"),
        ("2026-03-02T10:00:00", Annotated[datetime, Meta(tz=True)], f"must be a time with its zone, {TIME}"),
        ("2026-02-30", date, "must be a date like 2026-03-02"),
        ("x", UUID, "must be a UUID, like 1cdb67d9-a065-4f5a-9610-d7f966b8b97d"),
    ],
)
def test_a_mistake_is_said_in_words_of_people(raw: Any, kind: Any, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        converted(raw, kind, "/x")
    assert [(one.at, one.why) for one in refused.value.errors] == [("/x", why)]


def test_what_is_not_known_stays_as_it_is() -> None:
    for said in ("Expected `frozenset`, got `str`", "Expected `array` of length 2, got 3", "Invalid value 'b'", ""):
        assert why_of(said) == said


def test_forms_are_said_as_they_are_written() -> None:
    kind = Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$")]
    with pytest.raises(msgspec.ValidationError) as found:
        msgspec.convert("ana", kind)
    assert why_of(str(found.value)) == r"must be of the form ^[^@\s]+@[^@\s]+$"
