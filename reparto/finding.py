"""What `reparto doctor` looked at, and how bad it is."""

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How bad it is; the value is what is printed."""

    GOOD = "[green]good[/]"
    LOOK = "[yellow]look[/]"
    BAD = "[red]bad [/]"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what to do about it where something is wrong."""

    level: Level
    what: str
    advice: str = ""


def judge(good: bool, what: str, advice: str, otherwise: Level = Level.LOOK) -> Finding:
    """Give what was looked at, with the advice where it is not good."""
    return Finding(Level.GOOD, what) if good else Finding(otherwise, what, advice)
