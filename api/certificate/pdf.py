"""A certificate as one page of PDF, laid out with fpdf2. Slow: call it in a thread."""

import io
from collections.abc import Sequence

from fpdf import FPDF

from api.certificate.letters import FONTS, Letters
from api.certificate.map import HEIGHT, WIDTH
from api.certificate.sheet import Picture, Row, Sheet
from api.pages.colours import legible

_REGULAR, _BOLD = FONTS / "DejaVuSansCondensed.ttf", FONTS / "DejaVuSansCondensed-Bold.ttf"
_FONT = "DejaVu"  # has the letters of Latin, Greek and Cyrillic names, which the fonts inside PDF readers have not
_LEFT, _RIGHT, _TOP, _BOTTOM = 16.0, 194.0, 16.0, 282.0  # mm, of A4
_MAP_WIDTH = 66.0
_COLUMN = _RIGHT - _MAP_WIDTH - 8 - _LEFT
_LABEL = 24.0
_INK, _SOFT, _LINE, _GROUND, _PLACE = (31, 41, 51), (102, 114, 127), (217, 223, 229), (243, 245, 247), (232, 89, 12)
_TONES = {"good": (24, 121, 78), "partly": (150, 97, 11), "bad": (180, 35, 42), "open": _INK}
_HASH_ROW, _FOOTER_ROW, _TITLE_ROW, _CAPTION = 3.3, 3.9, 5.0, 4.5
_SIGNATURE = (58.0, 22.0)
_LEAST_PHOTO = 28.0
_MOST_PHOTO = 88.0
_MOST_LINES = 4  # of one value
_LINE_HEIGHT = 0.47  # mm of a point

Colour = tuple[int, int, int]


def write_pdf(sheet: Sheet) -> bytes:
    """Lay a certificate out on one page."""
    page = _Page(sheet)
    page.head()
    below = max(page.sections(), page.map())
    page.proofs(below + 3)
    page.foot()
    return bytes(page.pdf.output())


class _Page:
    """The page while it is laid out, from top to bottom."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.colour, self.legible = _rgb(sheet.colour), _rgb(legible(sheet.colour))
        self.pdf = FPDF(format="A4")
        self.pdf.set_auto_page_break(False)
        self.pdf.c_margin = 0
        self.pdf.set_title(sheet.title)
        self.pdf.set_lang(sheet.language)
        self.pdf.set_creator("Reparto")
        self.pdf.add_font(_FONT, "", _REGULAR)
        self.pdf.add_font(_FONT, "B", _BOLD)
        self.pdf.set_text_shaping(True)  # joins Arabic letters, and turns what is read from the right
        self.letters = Letters(self.pdf, _REGULAR)
        self.pdf.add_page()

    def text(self, x: float, y: float, words: str, size: float, colour: Colour = _INK, *, bold: bool = False) -> None:
        """Write words on one line."""
        self.pen(size, colour, bold=bold)
        self.pdf.set_xy(x, y)
        self.pdf.cell(0, size * _LINE_HEIGHT, self.letters.readable(words))

    def lines(
        self,
        at: tuple[float, float],
        words: str,
        size: float,
        colour: Colour = _INK,
        *,
        width: float,
        most: int = _MOST_LINES,
    ) -> float:
        """Write words in lines of `width`, `most` of them; return where the next line begins."""
        words = self.letters.readable(words)
        self.pen(size, colour)
        (x, y), height = at, size * _LINE_HEIGHT
        lines = self.pdf.multi_cell(width, height, words, align="L", dry_run=True, output="LINES")
        assert isinstance(lines, list)
        if len(lines) > most:
            lines = [*lines[: most - 1], lines[most - 1].rstrip() + " …"]
        for line in lines:
            self.pdf.set_xy(x, y)
            self.pdf.cell(width, height, line)
            y += height
        return y

    def pen(self, size: float, colour: Colour, *, bold: bool = False) -> None:
        self.pdf.set_font(_FONT, "B" if bold else "", size)
        self.pdf.set_text_color(*colour)

    def head(self) -> None:
        self.pdf.set_fill_color(*self.colour)
        self.pdf.rect(0, 0, 210, 3, style="F")
        self.text(_LEFT, _TOP - 2, self.sheet.title, 10.5, _SOFT, bold=True)
        if self.sheet.brand:
            self.pdf.set_font(_FONT, "B", 10.5)
            brand = self.letters.readable(self.sheet.brand)
            wide = self.pdf.get_string_width(brand)
            self.text(_RIGHT - wide, _TOP - 2, brand, 10.5, self.legible, bold=True)
        self.text(_LEFT, _TOP + 6, self.sheet.verdict, 21, _TONES[self.sheet.tone], bold=True)
        wide = self.pdf.get_string_width(self.sheet.verdict)
        self.text(_LEFT + wide + 5, _TOP + 8.6, self.sheet.verdict_more, 11, _SOFT)
        self.rule(_TOP + 20)

    def rule(self, y: float) -> None:
        self.pdf.set_draw_color(*_LINE)
        self.pdf.set_line_width(0.25)
        self.pdf.line(_LEFT, y, _RIGHT, y)

    def sections(self) -> float:
        y = _TOP + 24
        for title, rows in self.sheet.sections:
            y = self.title(y, title)
            for row in rows:
                y = self.row(y, row)
            y += 2.6
        return y

    def title(self, y: float, words: str) -> float:
        self.text(_LEFT, y, words, 8.5, self.legible, bold=True)
        return y + _TITLE_ROW

    def row(self, y: float, row: Row) -> float:
        label, value = row
        if not label:
            return self.lines((_LEFT, y), value, 9.5, width=_COLUMN) + 0.3
        self.text(_LEFT, y, label, 9.5, _SOFT)
        return self.lines((_LEFT + _LABEL, y), value, 9.5, width=_COLUMN - _LABEL) + 0.3

    def map(self) -> float:
        drawn, pdf = self.sheet.map, self.pdf
        left, top, scale = _RIGHT - _MAP_WIDTH, _TOP + 25, _MAP_WIDTH / WIDTH
        height = HEIGHT * scale

        def at(point: tuple[float, float]) -> tuple[float, float]:
            return left + point[0] * scale, top + point[1] * scale

        with pdf.rect_clip(left, top, _MAP_WIDTH, height):
            pdf.set_fill_color(*_GROUND)
            pdf.rect(left, top, _MAP_WIDTH, height, style="F")
            x, y = at(drawn.stop)
            radius = drawn.fence * scale
            pdf.set_draw_color(*_faint(self.colour, 0.35))
            pdf.set_fill_color(*_faint(self.colour, 0.1))
            pdf.set_line_width(0.25)
            pdf.circle(x, y, radius, style="DF")
            pdf.set_draw_color(*_faint(self.colour, 0.45))
            pdf.set_line_width(1.1)
            if drawn.path:
                pdf.polyline([at(point) for point in drawn.path])
            if drawn.place is not None:
                px, py = at(drawn.place)
                pdf.set_draw_color(*_INK)
                pdf.set_line_width(0.3)
                pdf.set_dash_pattern(dash=0.7, gap=0.7)
                pdf.line(x, y, px, py)
                pdf.set_dash_pattern()
                self.dot(px, py, 1.4, _PLACE)
            self.pin(x, y)
        pdf.set_draw_color(*_SOFT)
        pdf.set_line_width(0.3)
        bar, low = drawn.bar * scale, top + height - 3
        pdf.polyline([(left + 3, low - 1), (left + 3, low), (left + 3 + bar, low), (left + 3 + bar, low - 1)])
        self.text(left + 3, low - 4.4, drawn.bar_words, 6.5, _SOFT)
        return self.legend(left, top + height + 1.5)

    def legend(self, x: float, y: float) -> float:
        words = self.sheet.map_words
        listed = [(_INK, words.stop)]
        if self.sheet.map.place is not None:
            listed.append((_PLACE, words.place))
        for colour, said in listed:
            self.dot(x + 1.2, y + 1.9, 1.0, colour)
            self.text(x + 3.3, y, said, 7.5, _SOFT)
            x += self.pdf.get_string_width(said) + 7
        return y + 4

    def dot(self, x: float, y: float, radius: float, colour: Colour) -> None:
        self.pdf.set_fill_color(*colour)
        self.pdf.set_draw_color(255, 255, 255)
        self.pdf.set_line_width(0.35)
        self.pdf.circle(x, y, radius, style="DF")

    def pin(self, x: float, y: float) -> None:
        self.pdf.set_fill_color(*_INK)
        self.pdf.polygon([(x, y), (x - 1.55, y - 3), (x + 1.55, y - 3)], style="F")
        self.dot(x, y - 3.7, 1.9, _INK)
        self.dot(x, y - 3.7, 0.6, (255, 255, 255))

    def proofs(self, y: float) -> None:
        """Photos get the room that the rest leaves."""
        sheet = self.sheet
        room = _BOTTOM - y - self.foot_height()
        if sheet.nothing:
            self.text(_LEFT, y, sheet.nothing, 9.5, _SOFT)
            return
        signed = _SIGNATURE[1] + _TITLE_ROW + _CAPTION if sheet.signature else 0.0
        height = room - _TITLE_ROW - _CAPTION - 3
        if sheet.photos and sheet.signature and height - signed < _LEAST_PHOTO:
            y = self.title(y, f"{sheet.photos_title}, {sheet.signature_title}")
            self.row_of(y, [*sheet.photos, sheet.signature], max(height, _LEAST_PHOTO))
            return
        if sheet.photos:
            y = self.title(y, sheet.photos_title)
            y = self.row_of(y, sheet.photos, min(max(height - signed, _LEAST_PHOTO), _MOST_PHOTO)) + 2
        if sheet.signature:
            y = self.title(y, sheet.signature_title)
            self.picture(_LEFT, y, *_SIGNATURE, sheet.signature)
            self.pdf.set_draw_color(*_LINE)
            self.pdf.set_line_width(0.25)
            self.pdf.rect(_LEFT, y, *_SIGNATURE)

    def row_of(self, y: float, photos: Sequence[Picture], height: float) -> float:
        """Lay pictures side by side, all of one height."""
        gap = 4.0
        ratios = [one.width_px / one.height_px for one in photos]
        height = min(height, (_RIGHT - _LEFT - gap * (len(photos) - 1)) / sum(ratios))
        x = _LEFT
        for photo, ratio in zip(photos, ratios, strict=True):
            self.picture(x, y, height * ratio, height, photo)
            x += height * ratio + gap
        return y + height + _CAPTION

    def picture(self, x: float, y: float, width: float, height: float, picture: Picture) -> None:
        self.pdf.image(io.BytesIO(picture.jpeg), x=x, y=y, w=width, h=height, keep_aspect_ratio=True)
        self.lines((x, y + height + 0.8), picture.caption, 7.5, _SOFT, width=width, most=1)

    def foot_height(self) -> float:
        hashes = len(self.sheet.hashes) * _HASH_ROW + _TITLE_ROW + 2 if self.sheet.hashes else 0.0
        return hashes + len(self.footer()) * _FOOTER_ROW + 4

    def footer(self) -> list[str]:
        """Give what stands at the foot, with what to say of letters that could not be drawn."""
        said = self.sheet.missing if self.letters.is_missing else ""
        return [line for line in (*self.sheet.footer, said) if line]

    def foot(self) -> None:
        y = _BOTTOM - self.foot_height() + 2
        if self.sheet.hashes:
            y = self.title(y, self.sheet.hashes_title)
            for name, digest in self.sheet.hashes:
                self.text(_LEFT, y, name, 6.8, _SOFT)
                self.pdf.set_font("courier", "", 7.5)
                self.pdf.set_text_color(*_INK)
                self.pdf.set_xy(_LEFT + 34, y)
                self.pdf.cell(0, _HASH_ROW, digest)
                y += _HASH_ROW
            y += 2
        self.rule(y)
        y += 1.6
        for line in self.footer():
            self.text(_LEFT, y, line, 7.2, _SOFT)
            y += _FOOTER_ROW


def _rgb(colour: str) -> Colour:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _faint(colour: Colour, share: float) -> Colour:
    """Mix a colour with white."""
    red, green, blue = (round(255 - (255 - part) * share) for part in colour)
    return red, green, blue
