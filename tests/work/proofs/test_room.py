"""Pictures cost what is written down, however many come at once."""

import io
import subprocess
import sys
import threading
import zlib
from datetime import datetime
from struct import pack
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from work.proofs.images import RefusedFile, judge
from work.proofs.room import PictureRoom, cost_of
from work.proofs.unpack import TooManyPixels

UTC = ZoneInfo("UTC")
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def bomb(width: int, height: int, color: int = 6, bits: int = 16) -> bytes:
    """A PNG of nothing, some hundred times smaller than its pixels."""
    row, packer = b"\0" + bytes(width * {2: 3, 6: 4}[color] * bits // 8), zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()

    def chunk(kind: bytes, content: bytes) -> bytes:
        return pack(">I", len(content)) + kind + content + pack(">I", zlib.crc32(kind + content))

    head = pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_the_cost_is_read_from_the_header() -> None:
    assert cost_of(bomb(100, 50), "image/png") == 100 * 50 * 8
    assert cost_of(b"\x89PNG\r\n\x1a\nbroken", "image/png") == 0


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


def test_a_webp_that_takes_more_than_all_may_is_refused_unread() -> None:
    written = io.BytesIO()
    Image.new("RGB", (1_000, 700)).save(written, "WEBP", lossless=True)
    with pytest.raises(RefusedFile, match="too-many-pixels"):
        judge("photo", written.getvalue(), max_pixels=1_000_000, zone=UTC, now=NOW)
    assert judge("photo", written.getvalue(), max_pixels=1_500_000, zone=UTC, now=NOW).width_px == 1_000


@pytest.mark.parametrize("size", [(9_000, 300), (300, 9_000), (8_200, 8_200)])
def test_a_large_picture_with_what_is_transparent_keeps_its_shape(size: tuple[int, int]) -> None:
    shown = judge("photo", bomb(*size, bits=8), max_pixels=100_000_000, zone=UTC, now=NOW)
    assert shown.width_px is not None
    assert shown.height_px is not None
    assert max(shown.width_px, shown.height_px) == 2_048
    assert shown.width_px / shown.height_px == pytest.approx(size[0] / size[1], rel=0.05)


_JUDGE = """
import re
from pathlib import Path
from concurrent.futures import ThreadPoolExecutor
from work.proofs.store import IMAGE_WORKERS
from tests.work.proofs.test_room import NOW, UTC, bomb
from work.proofs.images import judge
picture = bomb(5000, 5000)
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak()
shown = []
look = lambda: shown.append(judge("photo", picture, max_pixels=25_000_000, zone=UTC, now=NOW).width_px)
with ThreadPoolExecutor(IMAGE_WORKERS) as threads:
    [threads.submit(look) for _ in range(4)]
assert shown == [2048] * 4
print((peak() - before) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_four_bombs_at_once_take_no_more_than_was_said() -> None:
    took = int(subprocess.run([sys.executable, "-c", _JUDGE], capture_output=True, text=True, check=True).stdout)
    assert took < 25_000_000 * 8 + 160_000_000  # what two workers draw, at 2048 pixels, is beside it
