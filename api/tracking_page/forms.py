"""The forms of the page: which fields each has, and how the body of a change is read from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from api.http.problem import FieldError, Invalid, Problem
from api.http.read.forms import Typed, first
from api.proofs.uploads.state import ProofRefused
from api.tickets.photos import PhotoQuota

Kind: TypeAlias = Literal[
    "text", "line", "tel", "email", "stars", "one", "checks", "offers", "yes", "whether", "door", "photos"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a form.

    Attributes:
        kind: words of some lines or of one; a phone or e-mail; one to five; one or any of `choices`; one of what
            is offered; yes or nothing; yes or no; a place on a map; pictures, some at once.
        most: letters of words.
    """

    name: str
    kind: Kind
    most: int = 0
    needed: bool = True
    choices: Sequence[str] = ()


_OPINIONS = ("on_time", "kind", "careful", "late", "unkind", "damaged")
_PROBLEMS = ("not_received", "damaged", "missing", "wrong_place", "courier", "charge")
_RETURNS = ("wrong_item", "damaged", "wrong_size", "not_wanted", "other")

PHOTOS = Field(name="photos", kind="photos", needed=False)

FORMS: Mapping[str, Sequence[Field]] = MappingProxyType(
    {
        "rating": (
            Field(name="stars", kind="stars"),
            Field(name="reasons", kind="checks", needed=False, choices=_OPINIONS),
            Field(name="text", kind="text", most=1_000, needed=False),
        ),
        "instructions": (Field(name="text", kind="text", most=500),),
        "slot": (Field(name="slot_id", kind="offers"),),
        "away": (Field(name="away", kind="whether", choices=("yes", "no")),),
        "safe-place": (Field(name="text", kind="text", most=500),),
        "neighbour": (Field(name="name", kind="line", most=100), Field(name="address", kind="line", most=200)),
        "pin-drop": (Field(name="door", kind="door"),),
        "pickup-point": (Field(name="pickup_point_id", kind="offers"),),
        "address": (Field(name="address", kind="text", most=500), Field(name="door", kind="door", needed=False)),
        "contact": (
            Field(name="phone", kind="tel", most=40, needed=False),
            Field(name="email", kind="email", most=254, needed=False),
            Field(name="opt_out", kind="yes", needed=False, choices=("yes",)),
        ),
        "problem": (
            Field(name="kind", kind="one", choices=_PROBLEMS),
            Field(name="text", kind="text", most=2_000),
            PHOTOS,
        ),
        "return": (
            Field(name="reason", kind="one", choices=_RETURNS),
            Field(name="text", kind="text", most=2_000, needed=False),
            PHOTOS,
        ),
    }
)
"""In the order in which the page offers them: the one most wanted first, of those that are open."""

ANSWER = (Field(name="text", kind="text", most=2_000), PHOTOS)
"""Of a ticket."""


def body_of(fields: Sequence[Field], typed: Typed) -> dict[str, Any]:
    """Make the body of a change of what was typed; what cannot be read is left to whoever judges bodies."""
    body: dict[str, Any] = {}
    for field in fields:
        said = first(typed, field.name).strip().replace("\r\n", "\n")
        match field.kind:
            case "checks":
                body[field.name] = list(typed.get(field.name, ()))
            case "door" if field.needed or first(typed, "lat"):
                body |= {name: _number(first(typed, name)) for name in ("lat", "lon")}
            case "stars":
                body[field.name] = int(said) if said.isascii() and said.isdigit() else said
            case "door":
                pass
            case "yes":
                body[field.name] = bool(said)
            case "whether":
                body[field.name] = {"yes": True, "no": False}.get(said, said)
            case "photos":
                body |= {field.name: said.split(",")} if said else {}
            case _ if said or field.needed:
                body[field.name] = said
    return body


def wrong_fields(fields: Sequence[Field], errors: Sequence[FieldError]) -> set[str]:
    """Name the fields of a form that the mistakes in a body are about."""
    places = {error.at.split("/")[1] for error in errors if error.at.startswith("/")}
    return {
        field.name for field in fields if field.name in places or (field.kind == "door" and places & {"lat", "lon"})
    }


def shown_fields(
    fields: Sequence[Field], typed: Typed, problem: Problem | None, *, door: tuple[float, float]
) -> list[dict[str, Any]]:
    """Give the fields of a form for its template, with what was typed into them and whether that is wrong.

    Args:
        door: where a map begins, latitude and longitude, degrees.
    """
    wrong = wrong_fields(fields, problem.errors) if isinstance(problem, Invalid) else set()
    if isinstance(problem, ProofRefused | PhotoQuota):
        wrong = {PHOTOS.name}
    lat, lon = door
    return [
        {
            "name": field.name,
            "kind": field.kind,
            "most": field.most,
            "needed": field.needed,
            "choices": field.choices,
            "typed": first(typed, field.name),
            "chosen": list(typed.get(field.name, ())),
            "kept": len([one for one in first(typed, field.name).split(",") if one]) if field is PHOTOS else 0,
            "wrong": field.name in wrong,
            "lat": lat,
            "lon": lon,
            "at_lat": first(typed, "lat"),
            "at_lon": first(typed, "lon"),
        }
        for field in fields
    ]


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
