"""What pictures may cost: what each takes unpacked is known from its header, and no more is under way than was said."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from work.proofs.unpack import FORMATS, TooManyPixels

BYTES_OF_A_PIXEL = {"image/jpeg": 4, "image/png": 12, "image/webp": 16, "image/heic": 12}
"""What a pixel takes at most while it is unpacked, by the readers' own buffers and ours: of a JPEG the picture; of a
PNG the picture, its colours, and they again as they are scaled; WebP's two canvases, their copy and the picture; HEIC's
planes and two copies."""

COEFFICIENT_BYTES = 2
"""Of each channel of a pixel of a progressive JPEG: its reader keeps them to the end, at the full size."""

BYTES_OF_ALL = 8
"""Of all pictures of a process together, for each pixel that one may have."""

LEAST_BYTES = 160 * 2**20
"""What one picture may take besides: to be drawn at the size that is shown, and whatever its header does not say."""

CHILD_BYTES = 96 * 2**20
"""What a process that looks into pictures has at rest, at most."""

COPIES = 3
"""Of the file itself, while it is repaired and read."""

MOST_S = 20.0
"""Of a processor, for one picture. The largest that is taken needs a quarter of it."""


class PictureRoom:
    """So many bytes; whoever unpacks a picture waits until there is room for it. For threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken = 0

    @contextmanager
    def held(self, size: int, most: int) -> Iterator[None]:
        """Hold `size` bytes of `most` during the block.

        Raises:
            TooManyPixels: there is not so much room at all.
        """
        if size > most:
            raise TooManyPixels
        with self._changed:
            self._changed.wait_for(lambda: self._taken + size <= most)
            self._taken += size
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size
                self._changed.notify_all()


def most_bytes(workers: int, *, max_pixels: int, max_file_bytes: int) -> int:
    """Tell what all pictures of a process take at most, in the processes that look into them."""
    return workers * (CHILD_BYTES + LEAST_BYTES + COPIES * max_file_bytes) + BYTES_OF_ALL * max_pixels


def cost_of(content: bytes, media_type: str | None, *, draft_px: int) -> int:
    """Tell how many bytes a picture takes while it is unpacked; 0 for one whose header cannot be read.

    Args:
        draft_px: a JPEG is unpacked at a half, quarter or eighth of its size, no smaller than this.
    """
    if media_type == "image/webp":  # its reader makes its canvases before it tells how large they are
        return _webp_pixels(content) * BYTES_OF_A_PIXEL[media_type]
    if media_type not in FORMATS:
        return 0
    try:
        with Image.open(io.BytesIO(content), formats=[FORMATS[media_type]]) as image:
            kept = 0
            if image.info.get("progressive"):
                kept = image.width * image.height * len(image.getbands()) * COEFFICIENT_BYTES
            image.draft("RGB", (draft_px, draft_px))
            return image.width * image.height * BYTES_OF_A_PIXEL[media_type] + kept
    except Exception:  # Pillow's readers raise whatever a damaged file leads them into; unpacking it will tell
        return 0


def _webp_pixels(content: bytes) -> int:
    """Read the size of a WebP. Source: RFC 9649, 2.5 to 2.7; RFC 6386, 9.1."""
    head = content[:30].ljust(30, b"\0")
    if head[12:16] == b"VP8X":
        return (1 + int.from_bytes(head[24:27], "little")) * (1 + int.from_bytes(head[27:30], "little"))
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (1 + (bits & 0x3FFF)) * (1 + (bits >> 14 & 0x3FFF))
    return (int.from_bytes(head[26:28], "little") & 0x3FFF) * (int.from_bytes(head[28:30], "little") & 0x3FFF)
