"""When, in words: a window of quarters of an hour, never a minute, as people write times where they read it."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

_STEP_S = 900
_LEAST_S = 1800

_TWELVE_HOURS = frozenset({"CO", "VE", "DO", "PA", "PR", "US", "CA", "AU", "NZ", "PH", "IN"})
"""Where clocks go to twelve (CLDR); elsewhere to 24."""

DAYS = {
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    "pt": ("segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
MONTHS = {
    "es": [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
    "pt": [
        "janeiro",
        "fevereiro",
        "março",
        "abril",
        "maio",
        "junho",
        "julho",
        "agosto",
        "setembro",
        "outubro",
        "novembro",
        "dezembro",
    ],
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
}
_NEAR = {
    "es": {-1: "ayer", 0: "hoy", 1: "mañana"},
    "pt": {-1: "ontem", 0: "hoje", 1: "amanhã"},
    "en": {-1: "yesterday", 0: "today", 1: "tomorrow"},
}


def goes_to_twelve(country: str | None, language: str) -> bool:
    """Tell whether clocks go to twelve for whoever reads; `country` None: by their language."""
    return country in _TWELVE_HOURS if country else language == "en"


def day_words(day: date, today: date, language: str) -> str:
    """Name a day: today, tomorrow, yesterday, or by weekday and date."""
    near = _NEAR[language].get((day - today).days)
    if near:
        return near
    name, month = DAYS[language][day.weekday()], MONTHS[language][day.month - 1]
    if language == "en":
        return f"on {name}, {month} {day.day}"
    return f"{'el' if language == 'es' else 'na' if day.weekday() < 5 else 'no'} {name} {day.day} de {month}"


def window_words(low: datetime, high: datetime, now: datetime, *, zone: str, language: str, country: str | None) -> str:
    """Say a window of time, widened to quarters of an hour, and to half an hour at least.

    Args:
        country: of whoever reads it; None: clocks go to 24.
    """
    there = ZoneInfo(zone)
    low_s = low.timestamp() // _STEP_S * _STEP_S
    high_s = max(-(-high.timestamp() // _STEP_S) * _STEP_S, low_s + _LEAST_S)
    low, high = datetime.fromtimestamp(low_s, there), datetime.fromtimestamp(high_s, there)
    day = day_words(low.date(), now.astimezone(there).date(), language)
    twelve = goes_to_twelve(country, language)
    begin, end = _clock(low, language, twelve=twelve), _clock(high, language, twelve=twelve)
    between, joined = {"es": ("entre", "y"), "pt": ("entre", "e"), "en": ("between", "and")}[language]
    return f"{day} {between} {begin} {joined} {end}"


def _clock(at: datetime, language: str, *, twelve: bool) -> str:
    hour = (at.hour - 1) % 12 + 1 if twelve else at.hour
    if language == "pt":
        return f"{at.hour}h{at.minute:02d}" if at.minute else f"{at.hour}h"
    if language == "en":
        return f"{hour}:{at.minute:02d} {'am' if at.hour < 12 else 'pm'}" if twelve else f"{at:%H:%M}"
    half = f" {'a' if at.hour < 12 else 'p'}.m." if twelve else ""
    return f"{'la' if hour == 1 else 'las'} {hour}:{at.minute:02d}{half}"
