"""The label of a return, drawn with fpdf2: one page of PDF, A6."""

import io

import segno
from barcode import Code128
from fpdf import FPDF

from api.certificate.letters import FONTS, Letters
from api.pages.catalog import help_texts
from api.returns.label import Label

_FONT, _REGULAR, _BOLD = "DejaVu", FONTS / "DejaVuSansCondensed.ttf", FONTS / "DejaVuSansCondensed-Bold.ttf"
_WIDTH, _MARGIN = 105.0, 8.0  # mm, of A6
_QUIET_MODULES = 10  # of white beside a Code 128 (ISO/IEC 15417)
_BAR_HEIGHT, _QR_SIDE = 24.0, 34.0
_MOST_LINES = 3


def draw(label: Label) -> bytes:
    """Lay a label out. Slow: call it in a thread."""
    words = help_texts(label.language)
    pdf = FPDF(format=(_WIDTH, 148.0))
    pdf.set_auto_page_break(False)
    pdf.set_title(f"{words['label_title']} {label.code}")
    pdf.set_lang(label.language)
    pdf.set_creator("Reparto")
    pdf.add_font(_FONT, "", _REGULAR)
    pdf.add_font(_FONT, "B", _BOLD)
    pdf.set_text_shaping(True)
    letters = Letters(pdf, _REGULAR)
    pdf.add_page()
    pdf.set_font(_FONT, "B", 20)
    _line(pdf, 8, words["label_title"])
    _bars(pdf, label.code, y=20)
    pdf.set_font(_FONT, "B", 16)
    _line(pdf, 46, label.code)
    y = 56.0
    rows = (("label_for", label.brand), ("label_from", label.sender), ("", label.address), ("label_order", label.order))
    for name, text in (*rows, ("label_asked", label.asked_on)):
        if text:
            title = f"{words[name]}: " if name else ""
            y = _lines(pdf, y, letters.readable(title + text))
    _qr(pdf, label.code, y=104)
    pdf.set_font(_FONT, "", 8)
    pdf.set_xy(_MARGIN + _QR_SIDE + 4, 108)
    pdf.multi_cell(_WIDTH - 2 * _MARGIN - _QR_SIDE - 4, 4, words["label_cut"], align="L")
    return bytes(pdf.output())


def _line(pdf: FPDF, y: float, text: str) -> None:
    pdf.set_xy(_MARGIN, y)
    pdf.cell(0, 8, text)


def _lines(pdf: FPDF, y: float, text: str) -> float:
    pdf.set_font(_FONT, "", 10)
    width = _WIDTH - 2 * _MARGIN
    lines = pdf.multi_cell(width, 5, text, align="L", dry_run=True, output="LINES")
    assert isinstance(lines, list)
    for line in lines[:_MOST_LINES]:
        pdf.set_xy(_MARGIN, y)
        pdf.cell(width, 5, line)
        y += 5
    return y + 1


def _bars(pdf: FPDF, code: str, *, y: float) -> None:
    """Draw a Code 128: its modules, 1 black and 0 white, with white beside them."""
    (modules,) = Code128(code).build()
    wide = (_WIDTH - 2 * _MARGIN) / (len(modules) + 2 * _QUIET_MODULES)
    pdf.set_fill_color(0, 0, 0)
    for place, module in enumerate(modules):
        if module == "1":
            pdf.rect(_MARGIN + (_QUIET_MODULES + place) * wide, y, wide, _BAR_HEIGHT, style="F")


def _qr(pdf: FPDF, code: str, *, y: float) -> None:
    picture = io.BytesIO()
    segno.make(code, error="h", micro=False).save(picture, kind="png", scale=8, border=4)
    pdf.image(picture, x=_MARGIN, y=y, w=_QR_SIDE, h=_QR_SIDE, alt_text=code)
