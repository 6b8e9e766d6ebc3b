"""Memory for pictures: what they cost unpacked is known from their headers, and no more is under way than was said."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from work.proofs.unpack import FORMATS, TooManyPixels

BYTES_OF_A_PIXEL = {"image/jpeg": 7, "image/png": 8, "image/webp": 16, "image/heic": 12}
"""What a pixel takes at most while it is unpacked, by the readers' own buffers: the coefficients of a progressive JPEG;
of a damaged PNG the picture and what is cut from it; WebP's two canvases, their copy and the picture; HEIC's planes and
two copies."""

BYTES_OF_ALL = 8
"""Of all pictures of a process together, for each pixel that one may have."""


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


def cost_of(content: bytes, media_type: str) -> int:
    """Tell how many bytes a picture takes while it is unpacked; 0 for one whose header cannot be read."""
    try:
        with Image.open(io.BytesIO(content), formats=[FORMATS[media_type]]) as image:
            return image.width * image.height * BYTES_OF_A_PIXEL[media_type]
    except Exception:  # Pillow's readers raise whatever a damaged file leads them into; unpacking it will tell
        return 0
