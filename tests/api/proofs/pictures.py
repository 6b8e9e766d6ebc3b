"""Files as phones make them, and as attackers do."""

import base64
import io
import json
import struct
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from PIL.ExifTags import GPS, IFD, Base

PLACE = (6.24806, -75.56786)  # lat, lon in the EXIF of `photo()`, a metre from the first stop of the tour


def photo(
    width: int = 800,
    height: int = 600,
    kind: str = "JPEG",
    *,
    orientation: int = 1,
    gps: Mapping[int, Any] | None = None,
    **save: Any,
) -> bytes:
    """A picture of a door with everything in it that must not be served; what `gps` says instead, None leaves out."""
    image = Image.new("RGB", (width, height), (180, 200, 210))
    pen = ImageDraw.Draw(image)
    pen.rectangle((width // 3, height // 4, 2 * width // 3, height), fill=(120, 70, 40))
    pen.rectangle((0, 0, width // 5, height // 5), fill=(220, 30, 30))  # red in the upper left corner
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    exif[Base.Make] = "SecretCameraMaker"
    exif.get_ifd(IFD.Exif).update(
        {Base.DateTimeOriginal: "2026:03:02 08:21:30", Base.OffsetTimeOriginal: "-05:00", Base.UserComment: b"secret"}
    )
    exif.get_ifd(IFD.GPSInfo).update(
        {
            GPS.GPSLatitudeRef: "N",
            GPS.GPSLatitude: _parts(PLACE[0]),
            GPS.GPSLongitudeRef: "W",
            GPS.GPSLongitude: _parts(-PLACE[1]),
            **(gps or {}),
        }
    )
    for name in [name for name, value in (gps or {}).items() if value is None]:
        del exif.get_ifd(IFD.GPSInfo)[name]
    written = io.BytesIO()
    if kind == "JPEG":
        save.setdefault("comment", b"secret comment")
    image.save(written, kind, exif=exif, **save)
    return written.getvalue()


def _parts(degrees: float) -> tuple[float, float, float]:
    minutes = degrees % 1 * 60
    return float(int(degrees)), float(int(minutes)), round(minutes % 1 * 60, 4)


def large_photo(size: int = 20_000_000, seed: int = 7) -> bytes:
    """A photo of about so many bytes: noise does not compress."""
    side = int((size / 2.0) ** 0.5)
    noise = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(noise).save(written, "JPEG", quality=92, subsampling=0)
    return written.getvalue()


def png_bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A few kilobytes that unpack to gigabytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + width * 3)) for _ in range(40)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def empty_canvas() -> bytes:
    """A PNG of a canvas that nobody signed."""
    written = io.BytesIO()
    Image.new("RGBA", (90, 40)).save(written, "PNG")
    return written.getvalue()


def signature() -> bytes:
    image = Image.new("RGBA", (300, 120), (0, 0, 0, 0))
    ImageDraw.Draw(image).line([(10, 100), (80, 20), (150, 90), (290, 30)], fill=(0, 0, 120, 255), width=4)
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


STROKES = json.dumps(
    {
        "strokes": [
            [[10, 80, 0.2, 0], [40, 10, 0.6, 16], [70, 80, 0.9, 32], [100, 20, 0.5, 48]],
            [{"x": 110, "y": 40, "pressure": 0.5}, {"x": 160, "y": 60}],
            {"points": [[170, 20], [175, 25]]},
        ]
    }
).encode()

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
"""Some hours after `photo` says that it was taken."""

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAb5tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ADRpbG9jAAAAAERAAAIAAQAAAAAB4gABAAAAAAAAAG4AAgAAAAACUAABAAAAAAAAAEoAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAA"
    "AAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAA"
    "kAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq"
    "5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xh"
    "cAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAA"
    "ABppcmVmAAAAAAAAAA5jZHNjAAIAAQABAAAAwG1kYXQAAABqKAGvE4B5cyg/9jQX8LU/mjCymF8GUe8DMSmNd55k5JkqIBjLqaBs"
    "lz2F1HEeM77ifOFtGnRFpO98PUFrPhKzYtgexIG+1IVFRs7LFkv+nQac3DKY+mZbTUbMqG/U7yYWt5s3DW6GrSJvgAAAAAZFeGlm"
    "AABNTQAqAAAACAABh2kABAAAAAEAAAAaAAAAAAABkAMAAgAAABQAAAAsAAAAADIwMjY6MDM6MDIgMDg6MjE6MzAA"
)
"""64 × 48 pixels, red in the upper left corner, taken at 2026-03-02 08:21:30: what phones of one maker send."""
