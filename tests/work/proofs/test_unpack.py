"""Of a picture that is not all there what can be seen is shown, and it is told that it is not whole."""

import io
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PIL import Image, ImageFile, ImageFilter

from tests.api.proofs.pictures import HEIC, NOW, PLACE, photo, signature
from work.proofs.images import RefusedFile, ShownFile, judge


def look(content: bytes, kind: str = "photo") -> ShownFile:
    return judge(kind, content, max_pixels=1_000_000, zone=ZoneInfo("UTC"), now=NOW)


def grainy(kind: str, **save) -> bytes:
    """A picture whose every row has its bytes, as photos have."""
    noise = np.random.default_rng(7).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(noise).filter(ImageFilter.GaussianBlur(2)).save(written, kind, **save)
    return written.getvalue()


def pixels(content: bytes):
    return np.asarray(Image.open(io.BytesIO(content)).convert("L")).astype(int)


KINDS = {
    "JPEG": grainy("JPEG"),
    "progressive JPEG": grainy("JPEG", progressive=True),
    "PNG": grainy("PNG"),
    "WebP": grainy("WEBP"),
    "lossless WebP": grainy("WEBP", lossless=True),
    "HEIC": HEIC,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_picture_is_whole(kind):
    assert look(KINDS[kind]).is_whole


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [1, 2, 20])
def test_a_picture_some_bytes_short_is_shown(kind, missing):
    whole, short = look(KINDS[kind]), look(KINDS[kind][:-missing])
    assert (short.width_px, short.height_px) == (whole.width_px, whole.height_px)
    assert not short.is_whole or kind == "PNG"  # of which all rows are there: only its end mark is not
    upper = slice(0, int(whole.height_px * 0.8))
    assert np.abs(pixels(short.served)[upper] - pixels(whole.served)[upper]).mean() < 6


@pytest.mark.parametrize(("kind", "rows"), [("JPEG", 0.45), ("PNG", 0.45), ("progressive JPEG", 0.95)])
def test_half_of_a_picture_is_shown_as_far_as_it_goes(kind, rows):
    content = KINDS[kind]
    short = look(content[: len(content) // 2])
    assert not short.is_whole
    whole, seen = pixels(look(content).served), pixels(short.served)
    upper = slice(0, int(200 * rows))
    assert np.abs(seen[upper] - whole[upper]).mean() < 12
    assert seen.shape[1] == 300


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_of_which_almost_nothing_is_there_is_refused(kind):
    content = KINDS[kind]
    for length in (20, len(content) // 50):
        with pytest.raises(RefusedFile) as refused:
            look(content[:length])
        assert refused.value.why == "unreadable"


@pytest.mark.parametrize("kind", ["WebP", "lossless WebP", "HEIC"])
def test_what_its_reader_would_make_up_is_not_shown(kind):
    content = KINDS[kind]
    with pytest.raises(RefusedFile):
        look(content[: int(len(content) * 0.8)])


def test_a_picture_that_is_not_whole_still_says_where_it_was_taken_and_how_it_was_held():
    content = photo(orientation=6)
    short = look(content[:-30])
    assert (short.taken.lat, short.taken.lon) == pytest.approx(PLACE, abs=1e-6)
    assert (short.width_px, short.height_px, short.is_whole) == (600, 800, False)


def test_damage_in_the_middle_leaves_what_is_above_it():
    content = bytearray(KINDS["PNG"])
    content[len(content) * 3 // 5] ^= 0xFF
    short = look(bytes(content))
    assert not short.is_whole
    assert 60 <= short.height_px <= 130


def test_a_signature_some_bytes_short_is_seen():
    short = look(signature()[:-30], "signature")
    assert (pixels(short.served) < 128).sum() > 100


def test_no_other_picture_of_the_process_is_read_otherwise():
    look(KINDS["JPEG"][:-2])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
