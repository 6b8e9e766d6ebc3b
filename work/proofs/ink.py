"""Whether there is anything to see on a signature that came as a picture, and the signature where it can be seen."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_NOISE = 24
"""A colour or an alpha that differs by less, of 255, is the ground: edges of a scaler, a ground of two near whites."""

_VISIBLE = 64
"""What is lighter or darker than the ground by so much, of 255, is seen, also printed. Yellow on white is not."""

_LEAST_PX = 4  # fewer is no touch of a pen, which is some pixels wide: a dot that somebody made is theirs to judge
_MOSTLY = 0.9
_STROKES_COVER = 0.5
"""More than half of a canvas is no stroke: a panel that an app drew below them, or a photo of paper."""


class NoInk(Exception):  # noqa: N818
    """There is nothing on it."""


def on_white(image: Image.Image) -> Image.Image:
    """Give a signature that is seen: as it is on white, or black on white where its ink is no darker than its ground.

    Args:
        image: RGB, or RGBA whose transparent parts are the ground.

    Raises:
        NoInk: nothing on it differs from its ground, whatever that is.
    """
    pixels = np.asarray(image.convert("RGBA")).astype(np.int16)
    strength = _strength(pixels)
    if not _any(strength >= _NOISE):
        raise NoInk
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image.convert("RGB"), mask=image.convert("RGBA").getchannel("A"))
    shown = np.asarray(flat.convert("L")).astype(np.int16)[..., None]
    seen = np.abs(shown - _commonest(shown)).max(axis=2) >= _VISIBLE
    ink = strength >= max(_NOISE, int(strength.max()) // 2)
    if _any(seen) and (ink.mean() > _STROKES_COVER or (seen & ink).sum() >= _MOSTLY * ink.sum()):
        return flat
    drawn = 255 - np.minimum(strength * (255 / strength.max()), 255)
    return Image.fromarray(drawn.astype(np.uint8)).convert("RGB")


def _strength(pixels: NDArray[np.int16]) -> NDArray[np.int16]:
    """Tell (h, w) how far each pixel is from the ground, 0 to 255. The ground is the commonest pixel; what is
    transparent on an opaque one (rounded corners) belongs to it, and its hidden colour never counts."""
    alpha = pixels[..., 3:]
    ground = _commonest(np.where(alpha < _NOISE, 0, pixels))
    if ground[3] < _NOISE:
        return alpha[..., 0]
    differs: NDArray[np.int16] = np.abs(pixels[..., :3] - ground[:3]).max(axis=2)
    return (differs * (alpha[..., 0] / 255)).astype(np.int16)


def _commonest(pixels: NDArray[np.int16]) -> NDArray[np.int16]:
    """Find the commonest pixel of (h, w, c), to a sixteenth of each channel, and give one of that colour."""
    keys = np.zeros(pixels.shape[:2], np.uint16)
    for channel in range(pixels.shape[2]):
        keys |= (pixels[..., channel] // 16).astype(np.uint16) << np.uint16(4 * channel)
    commonest = np.argmax(np.bincount(keys.ravel()))
    found: NDArray[np.int16] = pixels.reshape(-1, pixels.shape[2])[np.argmax(keys.ravel() == commonest)]
    return found


def _any(mask: NDArray[np.bool_]) -> bool:
    return int(mask.sum()) >= _LEAST_PX
