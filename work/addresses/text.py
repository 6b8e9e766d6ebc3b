"""How an address is written: Spanish and Portuguese ways of writing the same one come to the same words.

No reader of addresses: nothing is understood, nothing is corrected, and two addresses never become one by leaving a
number out. What differs only by accents, marks, abbreviations or small words is the same.
"""

import re
import unicodedata
from collections.abc import Iterator

_WAYS = {
    "calle": "c cl cll clle",
    "carrera": "cr cra kr kra crr carr",
    "avenida": "av avd avda ave avnd",
    "diagonal": "dg diag",
    "transversal": "tv transv trans trv travessa",
    "plaza": "pza plz praca pca pc",
    "paseo": "pso pº passeio",
    "carretera": "ctra crta",
    "camino": "cno cmno caminho",
    "rua": "r",
    "alameda": "al",
    "rodovia": "rod",
    "estrada": "estr",
    "bulevar": "blvd bvd bulev boulevard",
    "urbanizacion": "urb urbanizacao",
    "barrio": "brr bairro",
    "apartamento": "ap apt apto dpto depto dept departamento",
    "bloque": "bl blq bloco",
    "torre": "tr",
    "edificio": "edif ed",
    "interior": "int",
    "piso": "ps andar",
    "local": "lc loc",
    "manzana": "mz mza",
    "lote": "lt",
    "kilometro": "km",
    "conjunto": "conj",
    "jardim": "jd jardin",
    "vila": "vl",
    "general": "gral",
    "doctor": "dr doutor",
    "santa": "sta",
    "santo": "sto",
    "esquina": "esq",
}
_MEANT = {short: whole for whole, shorts in _WAYS.items() for short in shorts.split()}
_ONLY_FIRST = frozenset({"c", "r", "al"})
"""Letters that name the kind of way at the beginning, and something else behind it: Calle 10 C."""

_SMALL = frozenset(
    {
        *("de", "del", "la", "las", "los", "el", "lo", "y", "e", "da", "do", "das", "dos", "a", "en"),
        *("no", "nro", "num", "numero"),
    }
)
_SIGNS = re.compile(r"\bn\s*[º°]|(?<=\d)\s*[ºª°]")
"""Of a number (N° 12), and of an ordinal (2º): a letter N or O beside a number is one."""

_NO_NUMBER = re.compile(r"\b(s/n|s n|sin numero|sem numero)\b")
_WORD = re.compile(r"[0-9]+|[^\W\d_]+")
_MOST = 500

_PHONE_DIGITS = 9
"""The end of a number, which is there with and without its country's code."""


def normalised(address: str) -> str:
    """Give the words of an address in the one way in which the book has them; empty where there is none."""
    return " ".join(_joined(_words(_folded(address[:_MOST]))))


def person_of(*, phone: str | None, email: str | None, name: str | None) -> str:
    """Name who waits at an address, the same however it is written: by phone, else e-mail, else name."""
    digits = "".join(one for one in phone or "" if one in "0123456789")
    if len(digits) >= _PHONE_DIGITS:
        return f"tel {digits[-_PHONE_DIGITS:]}"
    if email and "@" in email:
        return f"mail {email.strip().lower()}"
    named = " ".join(_WORD.findall(_folded(name or "")))
    return f"name {named}" if named else ""


def _folded(text: str) -> str:
    """Take accents and capitals away."""
    plain = unicodedata.normalize("NFKD", _SIGNS.sub(" ", text.casefold()))
    return "".join(one for one in plain if not unicodedata.combining(one))


def _words(text: str) -> Iterator[str]:
    words = _WORD.findall(_NO_NUMBER.sub(" sn ", text))
    for place, word in enumerate(words):
        if word in _ONLY_FIRST and place > 0:
            yield word
        elif word in _MEANT:
            yield _MEANT[word]
        elif word not in _SMALL or _is_letter_of_number(words, place):
            yield word


def _is_letter_of_number(words: list[str], place: int) -> bool:
    """Tell whether a letter belongs to the number before it: 43 A."""
    return len(words[place]) == 1 and place > 0 and words[place - 1].isdigit()


def _joined(words: Iterator[str]) -> Iterator[str]:
    """Write a number and its letter as one: 43 A is 43A."""
    before = ""
    for word in words:
        if before.isdigit() and len(word) == 1 and word.isalpha():
            yield before + word
            before = ""
            continue
        if before:
            yield before
        before = word
    if before:
        yield before
