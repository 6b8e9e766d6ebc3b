"""Whether somebody knows of a delivery what its recipient does: the postcode, or the last four digits of the phone."""

import hmac
import re
from itertools import pairwise

LEAST = 4
"""Characters: the shortest postcodes, and what is asked of a phone. Fewer are guessed."""

_NOT_WRITTEN = re.compile(r"[\W_]+")
_APART = re.compile(r"[,;\s]+")


def knows(proof: str, *, address: str | None, phone: str | None) -> bool:
    """Tell whether a proof is the postcode in an address or the end of a phone; how it is written does not matter."""
    said = _plain(proof)
    if len(said) < LEAST:
        return False
    digits = re.sub(r"\D", "", phone or "")
    by_phone = len(said) == LEAST and len(digits) > LEAST and hmac.compare_digest(said.encode(), digits[-4:].encode())
    return by_phone | _has_postcode(address or "", said)


def _has_postcode(address: str, said: str) -> bool:
    """Tell whether a word of an address, or two beside each other (SW1A 1AA), is a postcode: one with a digit in it."""
    if not any(character.isdigit() for character in said):
        return False
    words = [_plain(word) for word in _APART.split(address)]
    pairs = [first + second for first, second in pairwise(words)]
    return any(hmac.compare_digest(word.encode(), said.encode()) for word in (*words, *pairs))


def _plain(text: str) -> str:
    return _NOT_WRITTEN.sub("", text).upper()
