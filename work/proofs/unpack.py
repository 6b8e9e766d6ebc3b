"""The pixels of a picture, also of one that is not all there: a phone that ran out of room, an app closed too early.

What the bytes still hold is unpacked, as every viewer does, and it is told that it is not the whole. Nothing of this
turns Pillow's switch for all pictures of a process.
"""

import io
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
from PIL import Image, ImageFile

LEAST_SEEN = 0.1
"""A picture of fewer of its rows shows nothing that could be recognised: 60 of 600."""

_MOST_MISSING = 0.1
"""WebP and HEIC whose end is missing are read with zeros there, which draw something in its place. Of more than a tenth
nobody could tell any more what was seen and what was made up."""

_WEBP_SPARE = 64
_STRIP_ROWS = 256

_JPEG_END = b"\xff\xd9"

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/heic": "HEIF"}


class TooManyPixels(Exception):  # noqa: N818
    """It says that it has more than may be unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Unpacked:
    """A picture in memory. `is_whole`: False where bytes of it are missing or damaged."""

    image: Image.Image
    is_whole: bool


def unpack(content: bytes, media_type: str, *, max_pixels: int, draft_px: int) -> Unpacked:
    """Unpack a picture, or what there is of it.

    What is missing of a JPEG is grey, of a PNG it is cut off; `LEAST_SEEN` of the rows must be there.

    Args:
        media_type: one of `FORMATS`.
        draft_px: a JPEG is unpacked at a half, quarter or eighth of its size, no smaller than this.

    Raises:
        TooManyPixels: of it, unpacked or not.
        Exception: what Pillow's readers raise when nothing can be seen: whatever a damaged file leads them into.
    """

    def load(some: bytes) -> Image.Image:
        image = _open(some, media_type, max_pixels, draft_px)
        image.load()
        return image

    try:
        return Unpacked(image=load(content), is_whole=True)
    except (TooManyPixels, MemoryError):
        raise
    except Exception as error:
        failed = error.with_traceback(None)  # which would keep what was unpacked so far
    completed = _completed(content, media_type)
    image: ImageFile.ImageFile | None = None
    try:
        image = _open(completed, media_type, max_pixels, draft_px)
        image.load()
    except MemoryError:
        raise
    except Exception:
        if image is None:
            raise failed from None
        image.tile = []  # what was unpacked before it broke off is in it
    rows = _rows_seen(image)
    if rows < LEAST_SEEN * image.height:
        raise failed
    seen = image.crop((0, 0, image.width, rows)) if media_type == "image/png" else image
    return Unpacked(image=seen, is_whole=False)


def _open(content: bytes, media_type: str, max_pixels: int, draft_px: int) -> ImageFile.ImageFile:
    image = Image.open(io.BytesIO(content), formats=[FORMATS[media_type]])
    if image.width * image.height > max_pixels:
        raise TooManyPixels
    image.draft("RGB", (draft_px, draft_px))
    return image


def _completed(content: bytes, media_type: str) -> bytes:
    """Give the bytes an end at which their reader stops."""
    if media_type == "image/jpeg":
        return content + _JPEG_END
    if media_type == "image/png":
        return content
    completed = _completed_webp(content) if media_type == "image/webp" else _completed_heic(content)
    return completed if len(completed) <= (1 + _MOST_MISSING) * len(content) else content


def _completed_webp(content: bytes) -> bytes:
    """Make its last chunk a little longer than it was: the reader asks for more bits than the picture has."""
    at, size = 12, 0
    while at + 8 <= len(content):
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        if at + 8 + size > len(content):
            break
        at += 8 + size + size % 2
    else:
        return b"RIFF" + (len(content) - 8).to_bytes(4, "little") + content[8:]
    size = min(size, 2 * len(content)) + _WEBP_SPARE  # it may say 4 GB; more than a tenth is not used anyway
    body = content[at + 8 :].ljust(size + size % 2, b"\0")
    chunk = content[at : at + 4] + size.to_bytes(4, "little") + body
    return b"RIFF" + (at + len(chunk) - 8).to_bytes(4, "little") + content[8:at] + chunk


def _completed_heic(content: bytes) -> bytes:
    at = 0
    while at < len(content):  # from box to box
        at += max(int.from_bytes(content[at : at + 4]), 8)
    return content.ljust(min(at, 2 * len(content)), b"\0")


def _rows_seen(image: Image.Image) -> int:
    """Count rows down to the last that is not of one colour: those below were never filled, or filled with grey."""
    last: np.ndarray | None = None
    for bottom in range(image.height, 0, -_STRIP_ROWS):  # strip by strip: a copy of all would take as much memory again
        top = max(0, bottom - _STRIP_ROWS)
        pixels = np.asarray(image.crop((0, top, image.width, bottom)).convert("RGBA"))
        last = pixels[-1, -1] if last is None else last
        plain = (pixels == last).all(axis=(1, 2))
        if not plain.all():
            return bottom - sum(1 for _ in takewhile(bool, plain[::-1]))
    return 0
