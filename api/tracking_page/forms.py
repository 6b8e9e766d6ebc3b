"""The forms of the page: which fields each has, and how the body of a change is read from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qs

from api.http.problem import BadRequest, FieldError

Kind: TypeAlias = Literal["text", "stars", "checks", "door"]

MOST_BYTES = 20_000
MOST_FIELDS = 40

Typed: TypeAlias = Mapping[str, Sequence[str]]
"""What was typed, by field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a form.

    Attributes:
        kind: words; one to five; any of `choices`; a place on a map.
        most: letters of words.
    """

    name: str
    kind: Kind
    most: int = 0
    needed: bool = True
    choices: Sequence[str] = ()


FORMS: Mapping[str, Sequence[Field]] = MappingProxyType(
    {
        "instructions": (Field(name="text", kind="text", most=500),),
        "safe-place": (Field(name="text", kind="text", most=500),),
        "pin-drop": (Field(name="door", kind="door"),),
        "rating": (
            Field(name="stars", kind="stars"),
            Field(
                name="reasons",
                kind="checks",
                needed=False,
                choices=("on_time", "kind", "careful", "late", "unkind", "damaged"),
            ),
            Field(name="text", kind="text", most=1_000, needed=False),
        ),
    }
)
"""In the order in which the page offers them."""


def typed_in(content: bytes) -> Typed:
    """Read what a form sent.

    Raises:
        BadRequest: no form of ours sends that.
    """
    try:
        return parse_qs(content.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise BadRequest("This is not what the form of this page sends.") from error


def body_of(change: str, typed: Typed) -> dict[str, Any]:
    """Make the body of a change of what was typed; what cannot be read is left to whoever judges bodies."""
    body: dict[str, Any] = {}
    for field in FORMS[change]:
        if field.kind == "checks":
            body[field.name] = list(typed.get(field.name, ()))
        elif field.kind == "door":
            body |= {name: _number(first(typed, name)) for name in ("lat", "lon")}
        elif (said := first(typed, field.name).strip().replace("\r\n", "\n")) or field.needed:
            body[field.name] = int(said) if field.kind == "stars" and said.isascii() and said.isdigit() else said
    return body


def first(typed: Typed, name: str) -> str:
    """Give what was typed into a field; empty for nothing."""
    return next(iter(typed.get(name, ())), "")


def wrong_fields(change: str, errors: Sequence[FieldError]) -> set[str]:
    """Name the fields of a form that the mistakes in a body are about."""
    places = {error.at.split("/")[1] for error in errors if error.at.startswith("/")}
    return {
        field.name
        for field in FORMS[change]
        if field.name in places or (field.kind == "door" and places & {"lat", "lon"})
    }


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
