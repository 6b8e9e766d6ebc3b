"""A signature is seen whatever its colours are; a canvas that nobody signed is none."""

import io
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.api.proofs.pictures import NOW
from work.proofs.images import RefusedFile, judge

WHITE, BLACK, CLEAR = (255, 255, 255, 255), (0, 0, 0, 255), (0, 0, 0, 0)
PEN = [(20, 80), (70, 20), (120, 70), (170, 30), (230, 60)]


def canvas(ground, *strokes, mode="RGBA", corners=None) -> bytes:
    image = Image.new("RGBA", (300, 100), ground)
    pen = ImageDraw.Draw(image)
    for n, colour in enumerate(strokes):
        pen.line([(x + 40 * n, y) for x, y in PEN], fill=colour, width=3)
    if corners:
        pen.polygon([(0, 0), (12, 0), (0, 12)], fill=corners)
    written = io.BytesIO()
    image.convert(mode).save(written, "PNG")
    return written.getvalue()


def shown(content: bytes):
    found = judge("signature", content, max_pixels=1_000_000, zone=ZoneInfo("UTC"), now=NOW)
    return np.asarray(Image.open(io.BytesIO(found.served)).convert("L")).astype(int)


@pytest.mark.parametrize(
    "content",
    [
        canvas(CLEAR, BLACK),
        canvas(CLEAR, WHITE),
        canvas((255, 255, 255, 0), WHITE),
        canvas(CLEAR, (255, 255, 0, 255)),
        canvas(CLEAR, (255, 255, 255, 120)),
        canvas(WHITE, BLACK),
        canvas(BLACK, WHITE),
        canvas(WHITE, (225, 225, 225, 255)),
        canvas((18, 18, 18, 255), (60, 60, 60, 255)),
        canvas(WHITE, BLACK, corners=CLEAR),
        canvas(WHITE, BLACK, mode="L"),
        canvas(CLEAR, WHITE, mode="LA"),
        canvas(WHITE, BLACK, mode="1"),
        canvas(CLEAR, WHITE, mode="P"),
    ],
)
def test_strokes_are_seen_where_they_were_drawn(content):
    grey = shown(content)
    ground = grey[90, 290]
    for x, y in PEN[1:-1]:
        assert abs(grey[y - 1 : y + 2, x - 1 : x + 2] - ground).max() > 60, (x, y)
    assert (abs(grey - ground) > 60).mean() < 0.1


def test_strokes_of_two_colours_are_both_seen():
    grey = shown(canvas(CLEAR, BLACK, WHITE))
    assert grey[79:82, 59:62].min() < 100
    assert grey[79:82, 19:22].min() < 100


def test_a_panel_below_the_strokes_hides_none_of_them():
    image = Image.new("RGBA", (300, 100), CLEAR)
    ImageDraw.Draw(image).rectangle((5, 5, 294, 94), fill=WHITE)
    ImageDraw.Draw(image).line(PEN, fill=BLACK, width=3)
    written = io.BytesIO()
    image.save(written, "PNG")
    grey = shown(written.getvalue())
    assert grey[20:23, 69:72].min() < 100
    assert (grey < 128).mean() < 0.1


def speck() -> bytes:
    image = Image.open(io.BytesIO(canvas(WHITE)))
    image.putpixel((50, 50), BLACK)
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        canvas(CLEAR),
        canvas((255, 255, 255, 0)),
        canvas(WHITE),
        canvas(BLACK),
        canvas((200, 30, 90, 255)),
        canvas(WHITE, (250, 250, 250, 255)),
        canvas(WHITE, corners=CLEAR),
        canvas(CLEAR, (255, 0, 0, 0)),
        canvas(WHITE, mode="L"),
        canvas(WHITE, mode="1"),
        canvas(CLEAR, mode="P"),
        speck(),
        b"[]",
        b"[[]]",
        b'{"strokes": []}',
        b'{"strokes": [[], {"points": []}]}',
    ],
)
def test_a_canvas_that_nobody_signed_is_blank(content):
    with pytest.raises(RefusedFile) as refused:
        shown(content)
    assert refused.value.why == "blank"


def test_a_dot_is_something():
    image = Image.open(io.BytesIO(canvas(CLEAR)))
    ImageDraw.Draw(image).ellipse((148, 48, 152, 52), fill=WHITE)
    written = io.BytesIO()
    image.save(written, "PNG")
    assert (shown(written.getvalue()) < 128).sum() >= 12
