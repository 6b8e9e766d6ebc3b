"""Pictures cost what is written down, however many come at once."""

import io
import threading
import zlib
from datetime import datetime
from struct import pack
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from work.proofs.images import judge, media_type_of
from work.proofs.room import PictureRoom, cost_of
from work.proofs.unpack import TooManyPixels

UTC = ZoneInfo("UTC")
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def bomb(width: int, height: int, color: int = 6, bits: int = 16) -> bytes:
    """A PNG of nothing, some hundred times smaller than its pixels."""
    row, packer = b"\0" + bytes(width * {2: 3, 6: 4}[color] * bits // 8), zlib.compressobj(1)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()

    def chunk(kind: bytes, content: bytes) -> bytes:
        return pack(">I", len(content)) + kind + content + pack(">I", zlib.crc32(kind + content))

    head = pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def written(kind: str, size: tuple[int, int], mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "bytes_of_a_pixel"),
    [
        (bomb(100, 50), 12),
        (b"\x89PNG\r\n\x1a\nbroken", 0),
        (b"RIFF0000WEBP", 0),
        (written("JPEG", (100, 50)), 4),
        (written("JPEG", (100, 50), progressive=True), 4 + 6),
        (written("JPEG", (100, 50), "CMYK", progressive=True), 4 + 8),
        (written("WEBP", (100, 50)), 16),
        (written("WEBP", (100, 50), lossless=True), 16),
        (written("WEBP", (100, 50), exif=b"Exif\0\0"), 16),
    ],
)
def test_the_cost_is_read_from_the_header(content: bytes, bytes_of_a_pixel: int) -> None:
    assert cost_of(content, media_type_of(content), draft_px=2_048) == 100 * 50 * bytes_of_a_pixel


def test_a_jpeg_costs_what_is_unpacked_of_it() -> None:
    assert cost_of(written("JPEG", (8_192, 4_096)), "image/jpeg", draft_px=2_048) == 4_096 * 2_048 * 4


def test_who_finds_no_room_waits_and_what_never_fits_is_refused() -> None:
    room, order = PictureRoom(), []

    def second() -> None:
        with room.held(60, 100):
            order.append("second")

    with room.held(60, 100):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.1)
        assert order == []
        order.append("first")
    thread.join(60)
    assert order == ["first", "second"]
    with pytest.raises(TooManyPixels), room.held(101, 100):
        pass


@pytest.mark.parametrize("size", [(9_000, 300), (300, 9_000), (8_200, 8_200)])
def test_a_large_picture_with_what_is_transparent_keeps_its_shape(size: tuple[int, int]) -> None:
    shown = judge("photo", bomb(*size, bits=8), max_pixels=100_000_000, zone=UTC, now=NOW)
    assert shown.width_px is not None
    assert shown.height_px is not None
    assert max(shown.width_px, shown.height_px) == 2_048
    assert shown.width_px / shown.height_px == pytest.approx(size[0] / size[1], rel=0.05)
