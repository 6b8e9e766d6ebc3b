"""A signature that a phone recorded as strokes, drawn here: lines on white, never the phone's own markup.

Read are `[[[x, y], …], …]`, `{"strokes": …}`, a stroke as `{"points": …}`, and a point as `[x, y]`, `[x, y, pressure]`,
`[x, y, pressure, time]` or `{"x", "y", "pressure", "time"}`. Units are any; y points down, pressure is 0 to 1.
"""

import math
from itertools import pairwise
from typing import Annotated, Any, TypeAlias

import msgspec
from PIL import Image, ImageDraw

WIDTH_PX, HEIGHT_PX = 720, 270
_MARGIN_PX = 18
_FINER = 3  # drawn so much larger and scaled down: smooth edges
_THINNEST_PX, _THICKEST_PX = 1.6, 4.4
_USUAL_PRESSURE = 0.5
MOST_STROKES, MOST_POINTS = 500, 50_000
_MOST_BYTES = 8 * 2**20  # those points, each written at length


class NoStrokes(Exception):  # noqa: N818
    """It cannot be drawn: the shape is another, a number is missing or not finite, there is nothing or too much."""


class Empty(NoStrokes):
    """It is well-formed, and there is no stroke in it."""


class PenPoint(msgspec.Struct, frozen=True):
    """A point as an object."""

    x: float
    y: float
    pressure: float | None = None
    time: float | None = None


class Stroke(msgspec.Struct, frozen=True):
    """A stroke as an object."""

    points: list[Any]


Strokes: TypeAlias = Annotated[list[Any], msgspec.Meta(max_length=MOST_STROKES)]


class Signature(msgspec.Struct, frozen=True):
    """The whole as an object."""

    strokes: Strokes


def draw_strokes(content: bytes) -> Image.Image:
    """Draw a signature black on white, scaled to fit.

    Raises:
        Empty: nobody signed.
        NoStrokes: it is none.
    """
    strokes = _read(content)
    xs = [point.x for stroke in strokes for point in stroke]
    ys = [point.y for stroke in strokes for point in stroke]
    wide, high = max(xs) - min(xs), max(ys) - min(ys)
    scale = min(_fitting(wide, WIDTH_PX), _fitting(high, HEIGHT_PX))
    if not math.isfinite(scale):  # a dot
        scale = 0.0
    left, top = (WIDTH_PX - wide * scale) / 2, (HEIGHT_PX - high * scale) / 2
    image = Image.new("L", (WIDTH_PX * _FINER, HEIGHT_PX * _FINER), 255)
    pen = ImageDraw.Draw(image)
    x0, y0 = min(xs), min(ys)
    for stroke in strokes:
        _draw(pen, [(left + (one.x - x0) * scale, top + (one.y - y0) * scale, _radius(one)) for one in stroke])
    return image.resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.LANCZOS).convert("RGB")


def _fitting(length: float, room_px: int) -> float:
    if not math.isfinite(length):
        raise NoStrokes
    return (room_px - 2 * _MARGIN_PX) / length if length > 0 else math.inf


def _draw(pen: ImageDraw.ImageDraw, stroke: list[tuple[float, float, float]]) -> None:
    """Draw one stroke of (x, y, radius) in pixels of the whole."""
    finer = [(x * _FINER, y * _FINER, radius * _FINER) for x, y, radius in stroke]
    for (x1, y1, r1), (x2, y2, r2) in pairwise(finer):
        pen.line((x1, y1, x2, y2), fill=0, width=max(1, round(r1 + r2)))
    for x, y, radius in finer:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)


def _radius(point: PenPoint) -> float:
    pressure = _USUAL_PRESSURE if point.pressure is None else min(max(point.pressure, 0.0), 1.0)
    return (_THINNEST_PX + (_THICKEST_PX - _THINNEST_PX) * pressure) / 2


def _read(content: bytes) -> list[list[PenPoint]]:
    if len(content) > _MOST_BYTES:
        raise NoStrokes
    try:
        raw = msgspec.json.decode(content)
        listed = msgspec.convert(raw, Signature | Strokes)
        strokes = [_stroke(one) for one in (listed.strokes if isinstance(listed, Signature) else listed)]
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as error:
        raise NoStrokes from error
    strokes = [stroke for stroke in strokes if stroke]
    if not strokes:
        raise Empty
    if sum(map(len, strokes)) > MOST_POINTS:
        raise NoStrokes
    return strokes


def _stroke(raw: Any) -> list[PenPoint]:
    listed = msgspec.convert(raw, Stroke | list[Any])
    points = [_point(one) for one in (listed.points if isinstance(listed, Stroke) else listed)]
    if not all(math.isfinite(point.x) and math.isfinite(point.y) for point in points):
        raise NoStrokes
    return points


def _point(raw: Any) -> PenPoint:
    if isinstance(raw, list):
        x, y, pressure, time = (*msgspec.convert(raw, Numbers), None, None)[:4]
        if x is None or y is None:
            raise NoStrokes
        return PenPoint(x, y, pressure, time)
    return msgspec.convert(raw, PenPoint)


Numbers: TypeAlias = Annotated[list[float | None], msgspec.Meta(min_length=2, max_length=4)]
