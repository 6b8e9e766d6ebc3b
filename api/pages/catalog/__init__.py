"""What recipients, drivers and people of the company read: one JSON file a language, all with the same keys (tested).

May live here: texts, their shapes, and the choice of a language.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import msgspec

from api.pages.catalog.texts import CertificateTexts

LANGUAGES = ("es", "pt", "en")

_TEXTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        language: msgspec.json.decode((files(__name__) / f"{language}.json").read_bytes(), type=dict[str, Any])
        for language in LANGUAGES
    }
)

_CERTIFICATE: Mapping[str, CertificateTexts] = MappingProxyType(
    {
        language: msgspec.json.decode(
            (files(__name__) / "certificate" / f"{language}.json").read_bytes(), type=CertificateTexts
        )
        for language in LANGUAGES
    }
)

_ENROLMENT: Mapping[str, Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        language: msgspec.json.decode(
            (files(__name__) / "enrolment" / f"{language}.json").read_bytes(), type=dict[str, list[str]]
        )
        for language in LANGUAGES
    }
)

_HELP: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        language: msgspec.json.decode((files(__name__) / "help" / f"{language}.json").read_bytes(), type=dict[str, str])
        for language in LANGUAGES
    }
)

_DESK: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        language: msgspec.json.decode((files(__name__) / "desk" / f"{language}.json").read_bytes(), type=dict[str, str])
        for language in LANGUAGES
    }
)

_DAY: Mapping[str, Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        language: msgspec.json.decode(
            (files(__name__) / "day" / f"{language}.json").read_bytes(), type=dict[str, dict[str, str]]
        )
        for language in LANGUAGES
    }
)


def day_texts(language: str) -> Mapping[str, Mapping[str, str]]:
    """Give the words of the desk's pages about the day's work, by what they are about, in one of `LANGUAGES`."""
    return _DAY[language]


def desk_texts(language: str) -> Mapping[str, str]:
    """Give the words of the pages where people of the company are let in, in one of `LANGUAGES`."""
    return _DESK[language]


def help_texts(language: str) -> Mapping[str, str]:
    """Give the words of what is around a delivery (finding, returning it, asking) in one of `LANGUAGES`."""
    return _HELP[language]


def enrolment_texts(language: str) -> Mapping[str, Sequence[str]]:
    """Give what a driver does, step by step, so that each phone app sends, in one of `LANGUAGES`."""
    return _ENROLMENT[language]


def certificate_texts(language: str) -> CertificateTexts:
    """Give the texts of a certificate of delivery in one of `LANGUAGES`."""
    return _CERTIFICATE[language]


def texts(language: str) -> Mapping[str, Any]:
    """Give the texts of one of `LANGUAGES`; those that depend on a number are objects by plural category (CLDR)."""
    return _TEXTS[language]


def choose(wanted: str, accept_language: str, offered: Sequence[str]) -> str:
    """Choose the language of a page.

    Args:
        wanted: asked for by name; empty for none.
        accept_language: the browser's header of that name.
        offered: some of `LANGUAGES`; the first is for who wants none of them.
    """
    ranked = [wanted, *_ranked(accept_language)]
    return next((language for language in map(_primary, ranked) if language in offered), offered[0])


def _primary(tag: str) -> str:
    return tag.strip().lower().split("-")[0]


def _ranked(accept_language: str) -> list[str]:
    """Sort the tags of `es-CO,es;q=0.9,en;q=0.5` by how much they are wanted; those with q=0 are not."""
    weighed: list[tuple[float, str]] = []
    for part in accept_language[:500].split(","):
        tag, _, weight = part.partition(";")
        _, _, number = weight.partition("=")
        try:
            quality = float(number or 1)
        except ValueError:
            continue
        if quality > 0:
            weighed.append((quality, tag))
    return [tag for _, tag in sorted(weighed, key=lambda one: one[0], reverse=True)]
