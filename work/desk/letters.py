"""Mails that tell of alerts: what happened and where to look, by ids, without names and places."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sql.desk.alert_mails import ToldAlert
from work.desk.called import words_of_alert

MOST_LISTED = 50
"""Alerts in one mail, one a line."""


@dataclass(frozen=True, slots=True)
class _Words:
    many: str
    more: str
    look: str
    why: str
    severities: tuple[str, str, str]


_WORDS = {
    "es": _Words(
        many="{count} alertas",
        more="y {count} más",
        look="Todas las alertas",
        why="Te llega porque la cuenta {account} lo quiere así; sus administradores lo cambian en:",
        severities=("leve", "alta", "crítica"),
    ),
    "pt": _Words(
        many="{count} alertas",
        more="e mais {count}",
        look="Todos os alertas",
        why="Você recebe isto porque a conta {account} quer assim; seus administradores mudam isso em:",
        severities=("leve", "alta", "crítica"),
    ),
    "en": _Words(
        many="{count} alerts",
        more="and {count} more",
        look="All alerts",
        why="You get this because the account {account} wants it so; its admins change that at:",
        severities=("low", "high", "critical"),
    ),
}


def letter_of(
    alerts: Sequence[ToldAlert], *, account: str, language: str, zone: ZoneInfo, public_url: str
) -> tuple[str, str]:
    """Write the subject and the text of a mail.

    Args:
        alerts: one at least; those that hurry most come first.
        language: es, pt or en.
        zone: in which its times are, and which it names.
        public_url: where people reach this installation, without a slash at its end.
    """
    words, asked = _WORDS[language], f"?lang={language}"
    ordered = sorted(alerts, key=lambda one: (-one.severity, -one.id))
    first = ordered[0]
    called = words_of_alert(first.type, language)
    subject = called if len(alerts) == 1 else f"{words.many.format(count=len(alerts))}: {called}"
    lines = [_line(one, language, zone, f"{public_url}/desk", asked) for one in ordered[:MOST_LISTED]]
    if len(ordered) > MOST_LISTED:
        lines.append(words.more.format(count=len(ordered) - MOST_LISTED))
    after = f"{words.look}: {public_url}/desk/alerts{asked}"
    why = f"{words.why.format(account=account)} {public_url}/desk/settings/alerts{asked}"
    return f"{account}: {subject}", "\n\n".join([*lines, after, why])


def _line(one: ToldAlert, language: str, zone: ZoneInfo, desk: str, asked: str) -> str:
    severity = _WORDS[language].severities[one.severity - 1]
    said = f"{_time(one.occurred_at, zone)}  {words_of_alert(one.type, language)} ({severity})"
    if one.stop_id is not None:
        return f"{said}\n{desk}/stops/st_{one.stop_id}{asked}"
    if one.route_id is not None:
        return f"{said}\n{desk}/tours/rt_{one.route_id}{asked}"
    return said if one.driver_id is None else f"{said}, dr_{one.driver_id}"


def _time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M} {zone.key}"
