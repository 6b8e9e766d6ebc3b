"""Times as people write them where they read them: a window and never a minute, in the zone and manner of the place."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from work.messages.rules.hours import country_of
from work.messages.words.windows import DAYS, MONTHS, goes_to_twelve

_FINE_S, _COARSE_S = 300, 900
_WIDE = timedelta(hours=1)
_NEAR = timedelta(hours=6)
"""Shortly before midnight nobody asks on which day a quarter past twelve is."""

_TIED = "\u00a0"
"""Keeps what is read in one breath in one line: 6:28 p. m."""

_HALVES = {"es": ("a. m.", "p. m."), "pt": ("am", "pm"), "en": ("am", "pm")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How somebody writes times.

    Attributes:
        language: es, pt or en.
        twelve: clocks go to twelve.
    """

    language: str
    zone: ZoneInfo
    twelve: bool

    @classmethod
    def of(cls, language: str, zone: str, accept_language: str = "") -> "Manner":
        """Choose it: by the region that a browser names (`es-CO`), else by the country of the zone."""
        country = _region(language, accept_language) or country_of(zone)
        twelve = language != "pt" and goes_to_twelve(country, language)
        return cls(language=language, zone=ZoneInfo(zone), twelve=twelve)

    @property
    def hour_cycle(self) -> str:
        """Name it for the scripts of a page, which write further times: h12 or h23 (Intl.DateTimeFormat)."""
        return "h12" if self.twelve else "h23"

    def clock(self, at: datetime) -> str:
        """Write a time of the day."""
        there = at.astimezone(self.zone)
        return _tied(self._digits(there) + self._half(there))

    def day(self, at: datetime) -> str:
        """Write a day, short: lun, 2 de mar."""
        return self.date(at.astimezone(self.zone).date())

    def date(self, day: date) -> str:
        """Write a day of the calendar, short."""
        weekday, month = DAYS[self.language][day.weekday()][:3], MONTHS[self.language][day.month - 1][:3]
        return _tied(f"{weekday} {day.day} {month}" if self.language == "en" else f"{weekday}, {day.day} de {month}")

    def day_of_year(self, at: datetime) -> str:
        """Write a day with its year: 2 de mar de 2026."""
        there = at.astimezone(self.zone)
        month = MONTHS[self.language][there.month - 1][:3]
        return _tied(
            f"{there.day} {month} {there.year}" if self.language == "en" else f"{there.day} de {month} de {there.year}"
        )

    def moment(self, at: datetime, now: datetime) -> str:
        """Write a time; of another day with its day."""
        return self.clock(at) if self.is_today(at, now) else f"{self.day(at)}, {self.clock(at)}"

    def hour_is_one(self, at: datetime) -> bool:
        """Tell whether the hour is read in the singular: a la 1:05."""
        hour = at.astimezone(self.zone).hour
        return hour == 1 or (self.twelve and hour == 13)

    def window(self, low: datetime, high: datetime, now: datetime) -> str:
        """Write when something is expected, widened so that it neither trembles nor promises a minute."""
        step_s = _COARSE_S if high - low > _WIDE else _FINE_S
        begin, end = low.timestamp() // step_s * step_s, -(-high.timestamp() // step_s) * step_s
        end = max(end, begin + 2 * step_s)
        return self.range(datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(end, UTC), now)

    def range(self, start: datetime, end: datetime, now: datetime) -> str:
        """Write a window as it is; in the night in which clocks change with the names of both times.

        Args:
            start, end: in UTC: of times of one zone Python compares what clocks show.
        """
        if end - start >= timedelta(days=1):
            return " – ".join(f"{self.day(at)}, {self.clock(at)}" for at in (start, end))
        first, last = start.astimezone(self.zone), end.astimezone(self.zone)
        half = "" if self._half(first) == self._half(last) else self._half(first)
        written = f"{_tied(self._digits(first) + half)} – {self.clock(end)}" if start != end else self.clock(start)
        if first.utcoffset() != last.utcoffset():
            written = " – ".join(_tied(f"{self.clock(at)} ({at:%Z})") for at in (first, last))
        near = self.is_today(start, now) or abs(start - now) < _NEAR
        return written if near else f"{self.day(start)}, {written}"

    def is_today(self, at: datetime, now: datetime) -> bool:
        """Tell whether it is of the day that it is there now."""
        return at.astimezone(self.zone).date() == now.astimezone(self.zone).date()

    def _digits(self, there: datetime) -> str:
        return f"{(there.hour - 1) % 12 + 1}:{there.minute:02d}" if self.twelve else f"{there:%H:%M}"

    def _half(self, there: datetime) -> str:
        return f" {_HALVES[self.language][there.hour >= 12]}" if self.twelve else ""


def _tied(text: str) -> str:
    return text.replace(" ", _TIED)


def _region(language: str, accept_language: str) -> str | None:
    for tag in accept_language[:500].split(","):
        own, _, region = tag.partition(";")[0].strip().partition("-")
        if own.lower() == language and len(region) == 2 and region.isalpha():
            return region.upper()
    return None
