"""What the bytes of an upload really are, and the pictures that are shown of them.

Pure, slow, and C on a stranger's bytes: it runs in a process of its own (`work/proofs/child.py`). What a phone calls
its file is never asked. A photo or signature is drawn anew, so that nothing but the picture is in what is served: no
place, no time, no name, no script.
"""

import contextlib
import io
import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import pi_heif
from PIL import Image, ImageCms, ImageOps

from work.proofs.exif import Taken, read_exif
from work.proofs.ink import NoInk, on_white
from work.proofs.signature import HEIGHT_PX, WIDTH_PX, Empty, NoStrokes, draw_strokes
from work.proofs.unpack import FORMATS, TooManyPixels, unpack

log = logging.getLogger(__name__)

LONGEST_PX = 2048
"""The longer side of a photo as it is shown: a house number is read on it, and it has a few hundred kilobytes."""

THUMBNAIL_PX = 320

_JPEG_QUALITY = 85
_STRIP_ROWS = 16

_PDF_END_WITHIN = 64 * 1024

Image.MAX_IMAGE_PIXELS = (
    None  # Pillow's own limit only warns; ours is held against the header before anything is unpacked
)
# Pillow takes memory for pixels in blocks. Larger than 32 MiB they are mapped by themselves, and given back when nobody
# needs them; of smaller ones malloc kept gigabytes for whatever comes (glibc, M_MMAP_THRESHOLD).
Image.core.set_block_size(64 * 2**20)  # type: ignore[attr-defined]
pi_heif.register_heif_opener()

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFile:
    """What is shown of an upload.

    Attributes:
        media_type: of the upload, as found in its bytes.
        served: the bytes that are shown, of `served_type`; of a document the upload itself.
        thumbnail: a JPEG; None for a document.
        width_px, height_px: of `served`; None for a document.
        taken: when and where the photo itself says that it was taken.
        is_whole: False: bytes of the upload are missing or damaged, and what can be seen is shown.
    """

    media_type: str
    served: bytes
    served_type: str
    thumbnail: bytes | None
    width_px: int | None
    height_px: int | None
    taken: Taken
    is_whole: bool


class RefusedFile(Exception):  # noqa: N818
    """The bytes are no proof; `why` is one of the words of docs/reference/proofs.md.

    `shown`: a picture that can be read and still is no proof, so that somebody can see why; None: nothing can be shown.
    """

    def __init__(self, why: str, shown: ShownFile | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.shown = shown


def media_type_of(content: bytes) -> str | None:
    """Tell what bytes are by how they begin; None: nothing that is taken here."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        return "image/heic"
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if content[:256].lstrip()[:1] in (b"{", b"["):
        return "application/json"
    return None


def judge(kind: str, content: bytes, *, max_pixels: int, zone: ZoneInfo, now: datetime) -> ShownFile:
    """Look into an upload and make what is shown of it.

    Args:
        kind: photo (JPEG, PNG, WebP, HEIC), signature (the same, or strokes as JSON) or document (PDF).
        max_pixels: a picture of more is refused unread.
        zone: of the times in a photo that do not say theirs.
        now: a photo that says it is much newer has a wrong clock.

    Raises:
        RefusedFile: it is something else, damaged, or too large.
        MemoryError: it takes more than there is.
    """
    media_type = media_type_of(content)
    if kind == "document":
        if media_type != "application/pdf":
            raise RefusedFile("not-a-pdf")
        if b"%%EOF" not in content[-_PDF_END_WITHIN:]:
            raise RefusedFile("unreadable")
        return _document(content)
    if kind == "signature":
        if media_type == "application/json":
            return _strokes(content)
        if media_type not in FORMATS:
            raise RefusedFile("not-a-signature")
        return _picture(content, media_type, max_pixels=max_pixels, zone=zone, now=now, served_type="image/png")
    if media_type not in FORMATS:
        raise RefusedFile("not-a-photo")
    return _picture(content, media_type, max_pixels=max_pixels, zone=zone, now=now, served_type="image/jpeg")


def scaled(picture: bytes, longest_px: int) -> bytes:
    """Make a smaller JPEG of a picture that was served before: drawn anew, not to be suspected."""
    with Image.open(io.BytesIO(picture)) as image:
        image.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
        return _jpeg(image.convert("RGB"))


def _document(content: bytes) -> ShownFile:
    return ShownFile(
        media_type="application/pdf",
        served=content,
        served_type="application/pdf",
        thumbnail=None,
        width_px=None,
        height_px=None,
        taken=Taken(),
        is_whole=True,
    )


def _strokes(content: bytes) -> ShownFile:
    try:
        image = draw_strokes(content)
    except Empty as error:
        canvas = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), "white")
        raise RefusedFile("blank", _shown(canvas, "application/json", "image/png", Taken())) from error
    except NoStrokes as error:
        raise RefusedFile("not-a-signature") from error
    return _shown(image, "application/json", "image/png", Taken())


def _picture(
    content: bytes, media_type: str, *, max_pixels: int, zone: ZoneInfo, now: datetime, served_type: str
) -> ShownFile:
    try:
        unpacked = unpack(content, media_type, max_pixels=max_pixels, draft_px=LONGEST_PX)
        taken, is_whole = read_exif(unpacked.image, zone, now=now), unpacked.is_whole
        upright = _upright(unpacked.image)
        del unpacked
        shown = partial(_shown, media_type=media_type, served_type=served_type, taken=taken, is_whole=is_whole)
        try:
            return shown(on_white(upright) if served_type == "image/png" else _flat(upright))
        except NoInk as error:
            raise RefusedFile("blank", shown(_flat(upright))) from error
    except (RefusedFile, MemoryError):
        raise
    except TooManyPixels as error:
        raise RefusedFile("too-many-pixels") from error
    except Exception as error:  # Pillow's readers raise whatever a damaged file leads them into
        log.info("a %s of %d bytes cannot be read: %s", media_type, len(content), type(error).__name__)
        raise RefusedFile("unreadable") from error


def _upright(image: Image.Image) -> Image.Image:
    """Turn it as its EXIF asks, scale it down, and give nothing but its colours: sRGB, and what is transparent."""
    profile = image.info.get("icc_profile")
    if image.mode in ("RGB", "L", "CMYK"):
        image.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.LANCZOS)
        turned = ImageOps.exif_transpose(image)
    else:
        plain = _plain(_reduced(image))
        plain.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.LANCZOS)
        turned = ImageOps.exif_transpose(plain)
    if profile and turned.mode == "RGB":
        with contextlib.suppress(ImageCms.PyCMSError, OSError):  # a damaged profile: the numbers as they are
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            turned = ImageCms.profileToProfile(turned, source, ImageCms.createProfile("sRGB")) or turned
    return turned if turned.mode == "RGBA" else turned.convert("RGB")


def _flat(image: Image.Image) -> Image.Image:
    """Lay it on white, on a canvas of ours: nothing of the file but its pixels is in it."""
    clean = Image.new("RGB", image.size, "white")
    clean.paste(image.convert("RGB"), mask=image if image.mode == "RGBA" else None)
    return clean


def _reduced(image: Image.Image) -> Image.Image:
    """Make a large picture a whole number of times smaller, in strips: no second one of its size is in memory."""
    times = max(image.size) // LONGEST_PX
    if times < 2:
        return image
    small: Image.Image | None = None
    for top in range(0, image.height, times * _STRIP_ROWS):
        strip = _plain(image.crop((0, top, image.width, min(top + times * _STRIP_ROWS, image.height))))
        is_clear = strip.mode == "RGBA"  # then colours are weighed by how much of them is seen
        strip = strip.convert("RGBa").reduce(times).convert("RGBA") if is_clear else strip.reduce(times)
        if small is None:
            small = Image.new(strip.mode, (strip.width, -(-image.height // times)))
        small.paste(strip, (0, top // times))
    assert small is not None
    small.info = dict(image.info)
    return small


def _plain(image: Image.Image) -> Image.Image:
    """Bring palettes and 16 bits to colours that can be scaled."""
    if image.mode.startswith("I"):
        return image.point(lambda value: value / 256).convert("L")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _shown(image: Image.Image, media_type: str, served_type: str, taken: Taken, *, is_whole: bool = True) -> ShownFile:
    small = image.copy()
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.LANCZOS)
    return ShownFile(
        media_type=media_type,
        served=_jpeg(image) if served_type == "image/jpeg" else _png(image),
        served_type=served_type,
        thumbnail=_jpeg(small),
        width_px=image.width,
        height_px=image.height,
        taken=taken,
        is_whole=is_whole,
    )


def _jpeg(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "JPEG", quality=_JPEG_QUALITY)
    return written.getvalue()


def _png(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()
