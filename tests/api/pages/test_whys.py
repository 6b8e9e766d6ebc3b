"""Sentences of the API about a sheet have words in every language of the desk."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from api.pages.catalog import LANGUAGES
from api.pages.whys import known, told
from work.imports.headings import plain
from work.imports.stops import KINDS, PROOFS

HOUSE = Path(__file__).resolve().parents[3]
SOURCES = (
    *sorted((HOUSE / "work/imports").glob("*.py")),
    *sorted((HOUSE / "api/imports").glob("*.py")),
    *(HOUSE / name for name in ("work/addresses/doubt.py", "api/http/ids.py", "api/http/times.py")),
    *(HOUSE / name for name in ("api/http/read/bodies.py", "api/planning/orders.py", "api/planning/days.py")),
    *(HOUSE / name for name in ("api/routes/path.py", "api/routes/plan.py", "api/routes/roads.py")),
)
"""Where it is said what is wrong with a sheet, a row of it, or the order or route that it becomes."""

SAID_BY = {"CellError", "SheetError", "RefusedSheet", "HeadingError", "UnreadableFile", "TooLarge", "wrong", "_unsure"}
NO_SENTENCE = re.compile(r"[\w-]*|/.*")
"""A field, a kind, a pointer."""

PART = re.compile(r"\{[^{} ]*\}")


Named = Mapping[str, Sequence[ast.expr]]


def texts_of(node: ast.expr, named: Named) -> Iterator[str]:
    """Give what an expression says, `{}` for each part that is not fixed."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            yield "".join(one.value if isinstance(one, ast.Constant) else "{}" for one in values)
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
            yield from texts_of(one, named)
            yield from texts_of(other, named)
        case ast.Dict(values=values):
            for one in values:
                yield from texts_of(one, named)
        case ast.Call(func=ast.Attribute(value=inner, attr="rstrip")):
            yield from texts_of(inner, named)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="dict")), args=[_, inner]):
            yield from texts_of(inner, named)
        case ast.Name(id=name):
            for one in named.get(name, ()):
                yield from texts_of(one, {})


def named_in(tree: ast.AST) -> Named:
    """Give what is assigned to names."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
    return found


def sentences(path: Path) -> set[str]:
    """Collect what a module says is wrong."""
    tree = ast.parse(path.read_text())
    named = named_in(tree)
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given = [*node.args, *(one.value for one in node.keywords)] if called in SAID_BY else []
            given += [one.value for one in node.keywords if one.arg == "why"]
            found |= {text for one in given for text in texts_of(one, named)}
    found |= {
        text
        for name in ("_WHY", "_OTHER", "TOO_COSTLY", "why")
        for one in named.get(name, ())
        for text in texts_of(one, {})
    }
    return {text for text in found if not NO_SENTENCE.fullmatch(text) and not PART.fullmatch(text)}


def of_values() -> set[str]:
    """Collect what is said of a value of a wrong type."""
    tree = ast.parse((HOUSE / "api/http/read/why.py").read_text())
    said = [node.value for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)]
    said += [node.value for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value is not None]
    named = {name: given for name, given in named_in(tree).items() if name.isupper()}
    return {text for one in said for text in texts_of(one, named) if text and not PART.fullmatch(text)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_what_is_said_of_a_sheet_is_in_the_catalog(path: Path) -> None:
    in_catalog = {PART.sub("{}", said) for said in known("es")}
    assert sentences(path) - in_catalog == set()


def test_what_is_said_of_a_value_is_in_the_catalog() -> None:
    assert of_values() - {PART.sub("{}", said) for said in known("es")} == set()


def test_the_collection_finds_sentences() -> None:
    assert "must be a time of the day like 14:30" in sentences(HOUSE / "work/imports/times.py")
    assert "there is no depot {}" in sentences(HOUSE / "work/imports/orders.py")
    assert "must be {}, not {}" in of_values()


def test_languages_say_the_same_of_the_same_parts() -> None:
    assert known("es").keys() == known("pt").keys() == known("en").keys()
    for language in LANGUAGES:
        for said, becomes in known(language).items():
            assert set(PART.findall(becomes)) <= set(PART.findall(said)), said
            assert "mapping=" not in becomes
            assert "timezone=" not in becomes
            assert "date=" not in becomes


@pytest.mark.parametrize(
    ("said", "es"),
    [
        ("must be a number", "debe ser un número"),
        ("must be a whole number, not text", "debe ser un número entero, no texto"),
        ("must be a number, at most 90", "debe ser un número, como máximo 90"),
        ("must have at least 3 characters", "debe tener al menos 3 caracteres"),
        ("'x' is not understood; it may be photo, pin", "'x' no se entiende; puede ser: foto, código"),
        (
            "The file is not understood: no column is name, and none lat or place.",
            "No se entiende el archivo: no hay columna para Nombre, ni para Latitud o Latitud y longitud juntas.",
        ),
        (
            "03/04/2026 is read day first, as is usual in the account's language",
            "03/04/2026 se lee con el día primero, como es usual en el idioma de la cuenta",
        ),
        (
            "is 12.3 km away from most of this route: it is at 0/0, where a geocoder puts what it does not find",
            (
                "queda a 12.3 km de casi todas las paradas de esta ruta:"
                " es 0/0, donde un geocodificador pone lo que no encuentra"
            ),
        ),
        (
            "is 1 h 20 min before that of /stops/3; is it meant for the next day?",
            "es 1 h 20 min antes de la llegada a una parada anterior; ¿es del día siguiente?",
        ),
        (r"must be of the form ^[^@\s]+@[^@\s]+$(?!\n)", "debe ser un correo como ana@ejemplo.com"),
    ],
)
def test_a_sentence_is_told_with_its_parts(said: str, es: str) -> None:
    assert told(said, "es") == es


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_that_is_offered_is_understood(language: str) -> None:
    for words in (KINDS, PROOFS):
        for code, names in words.items():
            assert plain(told(code, language) or "") in names.split("|")


def test_what_nobody_knows_is_not_told() -> None:
    assert told("the moon is full", "es") is None
    assert told("cheese or wine", "es") is None
    assert told("must be a cheese, not text", "pt") is None
    assert told("must be a number" * 1_000, "es") is None
    assert told("the moon is full", "en") == "the moon is full"
