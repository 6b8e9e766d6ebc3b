"""What is in the bytes decides, and nothing but the picture is served."""

import contextlib
import io
import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PIL import Image

from tests.api.proofs.pictures import HEIC, NOW, PDF, PLACE, STROKES, SVG, photo, png_bomb, signature
from work.proofs.images import RefusedFile, judge

ZONE = ZoneInfo("America/Bogota")


def look(kind: str, content: bytes, max_pixels: int = 100_000_000):
    return judge(kind, content, max_pixels=max_pixels, zone=ZONE, now=NOW)


def why(kind: str, content: bytes, **limits) -> str:
    with pytest.raises(RefusedFile) as refused:
        look(kind, content, **limits)
    return refused.value.why


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_drawn_anew_without_its_place_and_time(kind):
    content = photo(kind=kind)
    shown = look("photo", content)
    assert shown.served_type == "image/jpeg"
    for served in (shown.served, shown.thumbnail):
        image = Image.open(io.BytesIO(served))
        assert image.format == "JPEG"
        assert not image.getexif()
        assert image.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        for secret in (b"Exif", b"ecret", b"GPS", b"2026"):
            assert secret not in served
    assert b"SecretCameraMaker" in content
    assert shown.taken.at == datetime(2026, 3, 2, 13, 21, 30, tzinfo=UTC)
    assert (shown.taken.lat, shown.taken.lon) == pytest.approx(PLACE, abs=1e-6)


def test_a_heic_photo_is_read():
    shown = look("photo", HEIC)
    assert (shown.media_type, shown.served_type) == ("image/heic", "image/jpeg")
    image = Image.open(io.BytesIO(shown.served))
    assert image.size == (64, 48)
    red, green, _ = image.getpixel((8, 8))
    assert red > 180 > 80 > green
    assert shown.taken.at == datetime(2026, 3, 2, 13, 21, 30, tzinfo=UTC)
    assert why("photo", HEIC[:400]) == "unreadable"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_as_the_camera_was_held(orientation):
    image = Image.open(io.BytesIO(look("photo", photo(orientation=orientation)).served))
    assert image.size == ((800, 600) if orientation < 5 else (600, 800))
    wide, high = image.size
    corners = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}
    right, low = corners[orientation]
    red, green, _ = image.getpixel((right * (wide - 1) + 20 - 40 * right, low * (high - 1) + 20 - 40 * low))
    assert red > 180 > 80 > green


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "I;16", "RGBA", "CMYK"])
def test_pictures_of_odd_colours_are_read(mode):
    for wide, high in ((40, 30), (4000, 3000)):
        written = io.BytesIO()
        if mode == "I;16":
            image = Image.fromarray(np.full((high, wide), 40_000, np.uint16))
        else:
            image = Image.new("RGBA", (wide, high), (156, 156, 156, 255)).convert("RGB" if mode == "CMYK" else "RGBA")
            image = image.convert("RGB").convert(mode) if mode in ("L", "P", "1", "CMYK") else image.convert(mode)
        image.save(written, "JPEG" if mode == "CMYK" else "PNG")
        shown = look("photo", written.getvalue())
        assert shown.width_px == min(wide, 2048)
        grey = np.asarray(Image.open(io.BytesIO(shown.served)).convert("L")).mean()
        assert grey == pytest.approx(156, abs=8)


def test_what_is_transparent_is_white():
    for mode in ("RGBA", "LA", "P"):
        written = io.BytesIO()
        Image.new("RGBA", (50, 50), (0, 0, 0, 0)).convert(mode).save(
            written, "PNG", transparency=0 if mode == "P" else None
        )
        image = Image.open(io.BytesIO(look("photo", written.getvalue()).served))
        assert image.getpixel((25, 25)) == (255, 255, 255)


def test_damage_anywhere_is_refused_or_harmless():
    content = bytearray(photo(200, 150))
    random = np.random.default_rng(1)
    for place in random.integers(0, len(content), 300):
        broken = content.copy()
        broken[place] ^= int(random.integers(1, 256))
        with contextlib.suppress(RefusedFile):  # nothing else may come out of it
            look("photo", bytes(broken))


def test_bombs_are_refused_unread():
    bomb = png_bomb()
    assert len(bomb) < 100_000
    assert why("photo", bomb) == "too-many-pixels"
    assert why("signature", bomb) == "too-many-pixels"
    assert why("photo", photo(400, 300), max_pixels=400 * 300 - 1) == "too-many-pixels"
    assert look("photo", photo(400, 300), max_pixels=400 * 300).width_px == 400


@pytest.mark.parametrize("content", [SVG, PDF, STROKES, b"GIF89a" + bytes(50), b"x", b"<html>", bytes(1000)])
def test_what_is_no_photo_is_refused(content):
    assert why("photo", content) == "not-a-photo"


@pytest.mark.parametrize("content", [SVG, PDF, b"x", b"<html>", b"{}", b'{"strokes": 1}'])
def test_what_is_no_signature_is_refused(content):
    assert why("signature", content) == "not-a-signature"


def test_what_is_no_document_is_refused():
    for content in (SVG, STROKES, b"x", photo()):
        assert why("document", content) == "not-a-pdf"
    assert why("document", PDF[:-8]) == "unreadable"
    shown = look("document", PDF)
    assert (shown.served, shown.served_type, shown.thumbnail) == (PDF, "application/pdf", None)


def test_a_signature_is_drawn_on_white():
    """Whatever format an app keeps its canvas in."""
    scribble = Image.open(io.BytesIO(signature()))
    paper = Image.new("RGB", scribble.size, "white")
    paper.paste(scribble, mask=scribble)
    others = [io.BytesIO() for _ in ("JPEG", "WEBP")]
    for kind, written in zip(("JPEG", "WEBP"), others, strict=True):
        paper.save(written, kind)
    for content in (signature(), STROKES, *(written.getvalue() for written in others)):
        shown = look("signature", content)
        assert shown.served_type == "image/png"
        image = Image.open(io.BytesIO(shown.served))
        assert image.getpixel((0, 0)) == (255, 255, 255)
        ink = np.asarray(image.convert("L")) < 128
        assert 0.001 < ink.mean() < 0.2


def test_strokes_fill_the_picture_whatever_their_units():
    for scale, shift in ((1, 0), (1e-6, 5), (1e5, -1e7)):
        strokes = [[[x * scale + shift, y * scale + shift] for x, y in ((0, 0), (300, 100), (10, 90))]]
        ink = (
            np.asarray(Image.open(io.BytesIO(look("signature", json.dumps(strokes).encode()).served)).convert("L"))
            < 128
        )
        columns, rows = np.flatnonzero(ink.any(axis=0)), np.flatnonzero(ink.any(axis=1))
        assert columns[0] < 30
        assert columns[-1] > 680
        assert rows[-1] - rows[0] > 200
    dot = np.asarray(Image.open(io.BytesIO(look("signature", b"[[[5, 5]]]").served)).convert("L")) < 128
    assert 0 < dot.sum() < 100


@pytest.mark.parametrize(
    "content",
    [
        b"[[[1]]]",
        b"[[[1, null]]]",
        b'[[["a", 1]]]',
        b"[[[1, 2, 3, 4, 5]]]",
        b'[[{"x": 1}]]',
        b"[[[1e999, 1]]]",
        b"[[[1e308, 1], [-1e308, 1]]]",
        b"[1, 2]",
        b"[[1, 2]]",
        b"[" * 5_000,
        b"[[" + b"[1,2]," * 60_000 + b"[1,2]]]",
        b"[" + b"[[1,2]]," * 600 + b"[[1,2]]]",
        b'{"strokes": [[[1, 2]]',
        b"[[[1, 2]]]\xff",
    ],
)
def test_strokes_that_cannot_be_drawn_are_refused(content):
    assert why("signature", content) == "not-a-signature"


def test_a_time_without_its_zone_is_the_routes():
    image = Image.new("RGB", (10, 10))
    exif = Image.Exif()
    exif.get_ifd(0x8769)[36867] = "2026:03:02 08:00:00"
    written = io.BytesIO()
    image.save(written, "JPEG", exif=exif)
    assert look("photo", written.getvalue()).taken.at == datetime(2026, 3, 2, 13, tzinfo=UTC)


@pytest.mark.parametrize("said", ["0000:00:00 00:00:00", "2126:01:01 00:00:00", "1970:01:01 00:00:00", "", "\0\0"])
def test_a_time_that_cannot_be_meant_is_none(said):
    image, exif, written = Image.new("RGB", (10, 10)), Image.Exif(), io.BytesIO()
    exif.get_ifd(0x8769)[36867] = said
    image.save(written, "JPEG", exif=exif)
    assert look("photo", written.getvalue()).taken.at is None
