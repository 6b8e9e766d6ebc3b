"""The words that recipients read unless an account wrote its own: one JSON file a language, all with the same keys.

In Spanish `[tu|su|tu]` are the words for tú, usted and vos.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

LANGUAGES = ("es", "pt", "en")
FORMS = ("tu", "usted", "vos")

_CHOICE = re.compile(r"\[([^][|]*)\|([^][|]*)\|([^][|]*)\]")


@cache
def words(language: str, form: str = "tu") -> Mapping[str, Any]:
    """Give the words of one of `LANGUAGES`, addressing the reader by one of `FORMS`."""
    text = (files(__name__) / f"{language}.json").read_text(encoding="utf-8")
    place = FORMS.index(form) + 1
    decoded: dict[str, Any] = msgspec.json.decode(_CHOICE.sub(lambda match: match[place], text))
    return decoded


def built_in(kind: str, channel: str, language: str, form: str = "tu") -> tuple[str | None, str]:
    """Give subject and body of a kind: those of e-mail, what push shows, or the short text of every other channel."""
    said = words(language, form)[kind]
    if channel == "push":
        return None, said.get("push", said["subject"])
    return (said["subject"], said["body"]) if channel == "email" else (None, said["short"])
