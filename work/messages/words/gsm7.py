"""How many parts a text message has: GSM 03.38 packs 160 characters into one, any other character makes it 70."""

from dataclasses import dataclass
from typing import Literal

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
_PLAIN = str.maketrans("áíóúÁÍÓÚãõÃÕçâêôÂÊÔÀÈÌÒÙëïËÏýÝ“”„‘’–—…ºª\u00a0", 'aiouAIOUaoAOcaeoAEOAEIOUeiEIyY"""\'\'--.oa ')


@dataclass(frozen=True, slots=True)
class Parts:
    """How a text travels."""

    parts: int
    encoding: Literal["GSM-7", "UCS-2"]


def count_parts(text: str) -> Parts:
    """Count the parts that a gateway sends and bills."""
    if all(character in _BASIC or character in _EXTENDED for character in text):
        size = sum(2 if character in _EXTENDED else 1 for character in text)
        return Parts(1 if size <= 160 else _split_gsm(text), "GSM-7")
    units = len(text.encode("utf-16-be")) // 2
    return Parts(1 if units <= 70 else _split_ucs(text), "UCS-2")


def unaccented(text: str) -> str:
    """Write a text without the accents that make it dearer; é, ñ, ü, à, ¿ and ¡ cost nothing and stay."""
    return text.replace("…", "...").translate(_PLAIN)


def _split_gsm(text: str) -> int:
    """Count parts of 153; an escape and its character stay together."""
    parts, used = 1, 0
    for character in text:
        size = 2 if character in _EXTENDED else 1
        if used + size > 153:
            parts, used = parts + 1, 0
        used += size
    return parts


def _split_ucs(text: str) -> int:
    """Count parts of 67; a surrogate pair stays together."""
    parts, used = 1, 0
    for character in text:
        size = 2 if ord(character) > 0xFFFF else 1
        if used + size > 67:
            parts, used = parts + 1, 0
        used += size
    return parts
