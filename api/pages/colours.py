"""Colours that accounts choose, made so that words in them can be read."""

_INK = (31, 41, 51)
_READABLE = 5.4
"""Contrast with white: more than WCAG 2.2 asks of words (4.5), for they also stand on a tint of their colour."""


def is_dark(colour: str) -> bool:
    """Tell whether white reads well on #rrggbb.

    Black has more contrast from a luminance of 0.18 on (WCAG 2.2), but on strong colours people read white more easily.
    """
    return _luminance(_channels(colour)) < 0.3


def legible(colour: str) -> str:
    """Give #rrggbb with as much ink in it as it takes to read words of it on white; most colours as they are."""
    mixed = own = _channels(colour)
    for tenths in range(1, 11):
        if 1.05 / (_luminance(mixed) + 0.05) >= _READABLE:
            break
        mixed = tuple(round((part * (10 - tenths) + ink * tenths) / 10) for part, ink in zip(own, _INK, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[start : start + 2], 16) for start in (1, 3, 5))


def _luminance(channels: tuple[int, ...]) -> float:
    shares = (part / 255 for part in channels)
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
