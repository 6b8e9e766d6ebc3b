"""What is wrong with a value or a file, told in the language of a page.

The API says it in English; `catalog/whys` has what each of its sentences is in the words of a dispatcher. Parts of a
sentence stand in braces: `{…number}` is a number, `{…words}` is a sentence or word of the catalog itself, `{…list}` has
such with commas between them, and what has another name stays as it is.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

import msgspec

from api.pages.catalog import LANGUAGES, day_texts

_PART = re.compile(r"\{([a-z_]+)\}")
_NUMBER = r"-?[\d.,]*\d(?:e[-+]?\d+)?"
_LONGEST = 2_000
"""Characters of a sentence that is looked for; what is longer quotes a stranger at length."""


def told(why: str, language: str) -> str | None:
    """Tell a sentence of the API in one of `LANGUAGES`; None: the catalog does not know it."""
    found = _told(why, language) if len(why) <= _LONGEST else None
    return why if found is None and language == "en" else found


def known(language: str) -> Mapping[str, str]:
    """Give the sentences of the catalog, by how the API says them."""
    return _catalog()[language]


@cache
def _catalog() -> Mapping[str, Mapping[str, str]]:
    folder = files("api.pages.catalog") / "whys"
    read = {
        language: msgspec.json.decode((folder / f"{language}.json").read_bytes(), type=dict[str, str])
        for language in LANGUAGES
    }
    read["en"] = {said: said for said in read["es"]} | read["en"]  # the file has those that are said in another way
    return read


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], list[str], str]]:
    """Give the sentences that have parts, those first of which more is fixed, with the names of their parts."""
    with_parts = [(said, becomes) for said, becomes in known(language).items() if _PART.search(said)]
    with_parts.sort(key=lambda one: len(_PART.sub("", one[0])), reverse=True)
    return [(_pattern(said), _PART.findall(said), becomes) for said, becomes in with_parts]


def _pattern(said: str) -> re.Pattern[str]:
    pieces = _PART.split(said)
    for place, piece in enumerate(pieces):
        is_part = place % 2 == 1
        pieces[place] = f"({_NUMBER if piece.endswith('number') else '.+?'})" if is_part else re.escape(piece)
    return re.compile("".join(pieces), re.DOTALL)


def _told(why: str, language: str) -> str | None:
    if why in known(language):
        return known(language)[why]
    for pattern, names, becomes in _patterns(language):
        if found := pattern.fullmatch(why):
            parts = {name: _part(name, text, language) for name, text in zip(names, found.groups(), strict=True)}
            if None not in parts.values():
                return _PART.sub(_filled(parts), becomes)
    return day_texts(language)["import_field"].get(why)


def _filled(parts: Mapping[str, str | None]) -> Callable[[re.Match[str]], str]:
    return lambda part: str(parts[part[1]])


def _part(name: str, text: str, language: str) -> str | None:
    """Tell a part of a sentence; None: the catalog does not know it, so that the sentence is another one."""
    if name.endswith("words"):
        return told(text, language)
    if name.endswith("list"):
        return ", ".join(told(one, language) or one for one in text.split(", "))
    return text
