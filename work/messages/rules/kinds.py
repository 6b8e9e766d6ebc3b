"""The kinds of messages: when each is told unless an account says otherwise, and what must hold while it waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

from sql.messages.told import ToldStop

Kind: TypeAlias = Literal[
    "booked",
    "departed_depot",
    "approaching",
    "arrived",
    "delivered",
    "failed",
    "delayed",
    "changed",
    "pin",
    "rating",
    "ticket",
    "code",
    "locked",
]
Channel: TypeAlias = Literal["email", "sms", "whatsapp", "push", "log"]

Language: TypeAlias = Literal["es", "pt", "en"]

CHANNELS: tuple[Channel, ...] = ("whatsapp", "sms", "email", "log")
"""In the order in which they are tried unless an account gives another. The last one takes what no other can carry."""

CARRIED: tuple[Channel, ...] = ("whatsapp", "sms", "email")
"""Those that bring something to whoever has the address."""

MOST_TEXT = 4_000
"""Characters of a text that an account writes: forty parts of SMS, a screen of e-mail."""


class Text(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The words of one kind, channel and language: minijinja. `subject` only counts for e-mail."""

    body: Annotated[str, Meta(min_length=1, max_length=MOST_TEXT)]
    subject: Annotated[str, Meta(min_length=1, max_length=300)] | None = None


class QuietHours(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When nobody is written to, at the address: from `start` to `end` of the day or of the next."""

    start: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)", examples=["21:00"])]
    end: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)", examples=["08:00"])]

    def holds(self, at: time) -> bool:
        """Tell whether a time of day is in them."""
        start, end = time.fromisoformat(self.start), time.fromisoformat(self.end)
        return start <= at < end if start <= end else at >= start or at < end


Country: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Z]{2}$(?!\n)", description="ISO 3166-1 alpha-2")]


class KindSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an account says of one kind.

    `channels` are tried in this order, and so are those of `channels_by_country` for numbers and addresses there; each
    recipient hears by one. `after_s`: approaching and arrived know no wait; delayed: by how much a promise is missed;
    rating: how long after the delivery. `quiet_hours` null: at any hour. `holidays`: what does not concern today's tour
    waits on public holidays.
    """

    enabled: bool = True
    channels: Annotated[list[Channel], Meta(min_length=1, max_length=5)] = field(default_factory=lambda: [*CHANNELS])
    channels_by_country: dict[Country, list[Channel]] = field(default_factory=dict)
    texts: dict[Channel, dict[Language, Text]] = field(default_factory=dict)
    after_s: Annotated[int, Meta(ge=0, le=7 * 86_400)] = 0
    quiet_hours: QuietHours | None = QuietHours(start="21:00", end="08:00")
    wait_for_workday: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRule:
    """What holds of a kind for every account.

    Attributes:
        default: what an account that says nothing has.
        any_hour: it leaves in quiet hours too, on the day of its cause.
        lives: how long after its cause it is still worth telling.
        most: of them for one attempt at a stop; 0: no limit.
        asked_for: somebody waits for it now: no hour, no other message and no day's limit holds it.
    """

    default: KindSettings
    lives: timedelta
    any_hour: bool = False
    most: int = 1
    asked_for: bool = False


KINDS: dict[str, KindRule] = {
    "booked": KindRule(default=KindSettings(channels=["email", "log"], wait_for_workday=True), lives=timedelta(days=3)),
    "departed_depot": KindRule(default=KindSettings(), lives=timedelta(hours=12)),
    "approaching": KindRule(
        default=KindSettings(channels=["push", "whatsapp", "sms", "log"]), lives=timedelta(minutes=15), any_hour=True
    ),
    "arrived": KindRule(
        default=KindSettings(enabled=False, channels=["push", "whatsapp", "sms", "log"]), lives=timedelta(minutes=15)
    ),
    "delivered": KindRule(default=KindSettings(), lives=timedelta(hours=24)),
    "failed": KindRule(default=KindSettings(), lives=timedelta(hours=48), any_hour=True),
    "delayed": KindRule(default=KindSettings(after_s=900), lives=timedelta(hours=1), most=2),
    "changed": KindRule(default=KindSettings(), lives=timedelta(hours=24), most=0),
    "pin": KindRule(default=KindSettings(), lives=timedelta(hours=12), most=0),
    "ticket": KindRule(default=KindSettings(), lives=timedelta(days=3), most=0),
    "rating": KindRule(default=KindSettings(after_s=3_600, wait_for_workday=True), lives=timedelta(days=3)),
    "code": KindRule(
        default=KindSettings(channels=[*CARRIED]), lives=timedelta(minutes=10), any_hour=True, most=0, asked_for=True
    ),
    "locked": KindRule(
        default=KindSettings(channels=[*CARRIED]), lives=timedelta(hours=24), any_hour=True, most=0, asked_for=True
    ),
}
"""By kind. Sources: the practice of carriers, and rules of countries: docs/howto/messages-countries.md."""


OF_THE_TRACK = frozenset({"approaching", "arrived", "delayed"})
"""What rests on where the van is: it waits while that is being found out."""


def settings_of(kind: str, stored: dict[str, Any] | None) -> KindSettings:
    """Read what an account says of a kind; what it never said has its default."""
    default = KINDS[kind].default
    return default if stored is None else msgspec.convert(msgspec.to_builtins(default) | stored, KindSettings)


def why_not_true(kind: str, stop: ToldStop, data: Mapping[str, Any], *, retracted: bool, now: datetime) -> str | None:
    """Say why a message is not, or no longer, true; None: it is.

    Args:
        data: what came with its cause.
        retracted: the fact that it rests on is taken back.
    """
    if kind == "ticket":
        return None  # what was answered was answered, whatever became of the tour
    if retracted:
        return "retracted"
    if stop.route_deleted or stop.route_status == "cancelled":
        return "cancelled"
    if data.get("guarded"):
        return None  # also where the change took the stop off its tour
    if stop.removed:
        return "cancelled"
    if kind == "code" and data.get("generation") != stop.code_generation:
        return "overtaken"
    return None if KINDS[kind].asked_for or _holds(kind, stop, now) else "overtaken"


def is_asked_for(kind: str, data: Mapping[str, Any]) -> bool:
    """Tell whether somebody waits for a message now, or has to hear at once of what they may not have done.

    Args:
        data: what came with the cause; `guarded`: a recipient changed what a stranger would like to.
    """
    return KINDS[kind].asked_for or bool(data.get("guarded"))


def _holds(kind: str, stop: ToldStop, now: datetime) -> bool:
    waits = stop.status == "pending"
    match kind:
        case "booked":
            return waits and stop.route_status == "planned" and now < stop.end_at
        case "departed_depot":
            return waits and stop.route_status == "started"
        case "approaching" | "delayed":
            return waits and stop.route_status != "finished"
        case "arrived":
            return stop.status == "arrived" and stop.departed_at is None
        case "delivered" | "rating":
            return stop.status in ("completed", "partially_completed")
        case "failed":
            return stop.status == "failed"
        case "pin":
            return stop.asks_pin and stop.status in ("pending", "arrived") and stop.route_status == "started"
        case _:
            return stop.status in ("pending", "arrived")
