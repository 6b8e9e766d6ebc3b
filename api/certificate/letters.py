"""Fonts for letters that the certificate's own one has not, so that a name in any script can be read.

First those of the machine, which are drawn better, then GNU Unifont, which is here and has nearly every glyph.
"""

import logging
import re
import unicodedata
from functools import cache
from pathlib import Path

from anyascii import anyascii
from fontTools.ttLib import TTFont, TTLibError
from fpdf import FPDF

FONTS = Path(__file__).parent / "fonts"
SYSTEM = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("/Library/Fonts"))
_BEAUTIFUL = ("NotoSans*-Regular.ttf", "NotoSans*-Regular.otf", "DroidSansFallback*.ttf")
_LAST = (FONTS / "unifont.otf", FONTS / "unifont_upper.otf")
"""GNU Unifont 15, under the SIL Open Font License: a grid of dots each, plain, and never blank."""

MISSING = "\u25af"
_NOT_DRAWN = ("Cc", "Cf", "Zs", "Zl", "Zp")
_JOINED = re.compile("[\u200d\ufe0e\ufe0f]")

logging.getLogger("fontTools").setLevel(logging.ERROR)  # it remarks on the dates in fonts' heads


class Letters:
    """The fonts of one document beside its own.

    Attributes:
        is_missing: some letter has no glyph anywhere; it was written in Latin letters.
    """

    def __init__(self, pdf: FPDF, own: Path) -> None:
        self.is_missing = False
        self._pdf = pdf
        self._files = [own]

    def readable(self, words: str) -> str:
        """Give words that can be written: with fonts for all of their letters, or beside them in Latin letters.

        What joins pictures (a family of four, one heart in colour) is left out: no font here joins them, and the words
        behind would be torn apart.
        """
        words = "".join(_pictures_apart(words))
        missing = {letter for letter in set(words) if not self._has(letter)}
        if not missing:
            return words
        self.is_missing = True
        shown = "".join(MISSING if letter in missing else letter for letter in words)
        return f"{shown} ({_in_latin(words, missing)})"

    def _has(self, letter: str) -> bool:
        if unicodedata.category(letter) in _NOT_DRAWN:
            return True
        if any(ord(letter) in _letters_of(file) for file in self._files):
            return True
        for file in (*_of_the_machine(), *_LAST):
            if ord(letter) in _letters_of(file):
                self._add(file)
                return True
        return False

    def _add(self, file: Path) -> None:
        self._files.append(file)
        names = [f"fallback{n}" for n in range(1, len(self._files))]
        self._pdf.add_font(names[-1], "", file)
        self._pdf.set_fallback_fonts(names, exact_match=False)


def _pictures_apart(words: str) -> list[str]:
    """Drop joiners beside pictures. Between letters of Arabic and of India they mean something, and stay."""

    def is_picture(at: int) -> bool:
        near = words[at] if 0 <= at < len(words) else " "
        return unicodedata.category(near) in ("So", "Sk") or bool(_JOINED.match(near))

    return [
        letter
        for at, letter in enumerate(words)
        if not (_JOINED.match(letter) and (is_picture(at - 1) or is_picture(at + 1)))
    ]


def _in_latin(words: str, missing: set[str]) -> str:
    """Write in Latin letters what has no glyph; its number where nobody knows how."""
    told = {letter: anyascii(letter) or f"U+{ord(letter):04X} " for letter in missing}
    return "".join(told.get(letter, letter) for letter in words).strip()


@cache
def _of_the_machine() -> tuple[Path, ...]:
    """Find fonts of scripts that are installed here; looked for once in a process."""
    found = (file for folder in SYSTEM for name in _BEAUTIFUL for file in sorted(folder.rglob(name)))
    return tuple(file for file in found if file.is_file())


@cache
def _letters_of(file: Path) -> frozenset[int]:
    """Read for which code points a font has a glyph; none where it cannot be read."""
    try:
        with file.open("rb") as opened, TTFont(opened, lazy=True) as font:
            return frozenset(font.getBestCmap() or ())
    except (OSError, TTLibError, KeyError, ValueError):
        return frozenset()
