"""What a phone's message says beside places: that it lives, how full its battery is, that its driver calls for help."""

from dataclasses import dataclass
from typing import Any

from geo.pings import UNKNOWN_MS
from ingest.decode.values import number_in, time_in

SOS = "sos"
MAX_ALARM = 32
"""Characters kept of the word for an alarm; apps have words like `lowBattery`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardBeside:
    """What a message says beside places; None: it does not.

    Attributes:
        said_ms: when, by the phone's clock, whatever that is.
        battery: 0 to 1.
        alarm: a word; `SOS` is a call for help.
        lat, lon: degrees, in range, both or none: kept for the alarm even where the fix is no ping.
    """

    said_ms: int | None
    battery: float | None
    alarm: str | None
    lat: float | None
    lon: float | None


def heard_in(fields: dict[str, Any], alarm: Any) -> HeardBeside:
    """Read what a message says beside places; what cannot be meant is unknown.

    Args:
        fields: as `ingest.decode.loose.columns_of` takes them, one value each.
        alarm: whatever was sent.
    """
    said_ms, _ = time_in(fields.get("time"))
    battery, lat, lon = number_in(fields.get("battery")), number_in(fields.get("lat")), number_in(fields.get("lon"))
    is_place = abs(lat) <= 90 and abs(lon) <= 180 and (lat, lon) != (0.0, 0.0) and fields.get("valid") is not False
    return HeardBeside(
        said_ms=None if said_ms == UNKNOWN_MS else said_ms,
        battery=battery if 0 <= battery <= 1 else None,
        alarm=_word(alarm),
        lat=lat if is_place else None,
        lon=lon if is_place else None,
    )


def _word(alarm: Any) -> str | None:
    """Give the word for an alarm, SOS in small letters however it was written. Any yes is an alarm, a no is none."""
    if isinstance(alarm, bool) or alarm is None:
        return "general" if alarm else None
    if not isinstance(alarm, str | int):
        return None
    word = "".join(letter for letter in str(alarm) if letter.isprintable()).strip()[:MAX_ALARM]
    word = word.encode("utf-8", "replace").decode()
    return {"sos": SOS, "true": "general", "1": "general", "false": None, "0": None, "": None}.get(word.lower(), word)
