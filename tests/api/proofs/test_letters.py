"""Every name that the API takes can be read on a certificate."""

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from fpdf import FPDF

from api.certificate import letters
from api.certificate.letters import FONTS, MISSING, Letters

OWN = FONTS / "DejaVuSansCondensed.ttf"


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "_of_the_machine", tuple)


def written(words: str, style: str = "") -> tuple[str, str, Letters]:
    """Write words on a page; return what was written, what can be copied out of the page, and the letters."""
    pdf = FPDF()
    pdf.add_font("own", style, OWN)
    pdf.set_text_shaping(True)
    pdf.add_page()
    some = Letters(pdf, OWN)
    readable = some.readable(words)
    pdf.set_font("own", style, 12)
    pdf.cell(0, 10, readable)
    found = set()
    for raw in re.findall(rb"stream\r?\n(.*?)endstream", bytes(pdf.output()), re.DOTALL):
        try:
            text = zlib.decompressobj().decompress(raw)
        except zlib.error:
            text = raw
        for code in re.findall(rb"<[0-9A-Fa-f]+>\s*<([0-9A-Fa-f]+)>", text if b"beginbf" in text else b""):
            found |= set(bytes.fromhex(code.decode()).decode("utf-16-be", "ignore"))
    return readable, "".join(found), some


@pytest.fixture
def pdf() -> Iterator[FPDF]:
    made = FPDF()
    made.add_font("own", "", OWN)
    yield made
    made.output()  # which closes its fonts


NAMES = ["Łucja Gómez", "王小明", "高橋 さくら", "김민수", "สมชาย", "अनिल", "தமிழ்", "ሰላም", "გიორგი", "עברית", "محمد"]


@pytest.mark.parametrize("name", [*NAMES, "🏠 Casa"])
@pytest.mark.parametrize("style", ["", "B"])
def test_a_name_in_any_script_is_written(name, style):
    readable, seen, some = written(name, style)
    assert readable == name
    assert not some.is_missing
    assert {letter for letter in name if not letter.isspace()} - set(seen) == set()


def test_pictures_are_taken_apart_so_that_the_name_behind_them_is_not():
    readable, seen, _ = written("👩\u200d👩\u200d👧\u200d👦 Familia Gómez ❤\ufe0f")
    assert readable == "👩👩👧👦 Familia Gómez ❤"
    assert set("👩👧👦FamiliGóez❤") <= set(seen)


def test_joiners_between_letters_stay():
    for name in ("क्\u200dष", "می\u200cخواهم"):
        assert written(name)[0] == name


def test_what_no_font_has_is_written_in_latin_letters_too():
    readable, _, some = written("王\ue0ab明 𠮷")
    assert readable.startswith(f"王{MISSING}明 {MISSING} (")
    assert "U+E0AB" in readable
    assert some.is_missing


def test_a_plain_name_loads_no_other_font(pdf: FPDF):
    Letters(pdf, OWN).readable("María José – Straße, Żółw, Ελένη, Юлия")
    assert list(pdf.fonts) == ["own"]


def test_a_font_of_the_machine_comes_first(monkeypatch, tmp_path: Path, pdf: FPDF):
    better, broken = tmp_path / "NotoSansX-Regular.otf", tmp_path / "NotoSansAbc-Regular.ttf"
    better.write_bytes((FONTS / "unifont_upper.otf").read_bytes())
    broken.write_bytes(b"none")
    monkeypatch.setattr(letters, "_of_the_machine", lambda: (broken, better))
    Letters(pdf, OWN).readable("🏠")
    assert [font.ttffile for name, font in pdf.fonts.items() if name != "own"] == [better]
