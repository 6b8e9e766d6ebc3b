"""What `reparto doctor` looked at, and how bad it is."""

import shutil
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

_FREE_BYTES = 2_000_000_000


class Severity(Enum):
    """How bad it is; the value is what is printed."""

    GOOD = "[green]good[/]"
    LOOK = "[yellow]look[/]"
    BAD = "[red]bad [/]"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what to do about it where something is wrong."""

    level: Severity
    what: str
    advice: str = ""


def judge(good: bool, what: str, advice: str, otherwise: Severity = Severity.LOOK) -> Finding:
    """Give what was looked at, with the advice where it is not good."""
    return Finding(Severity.GOOD, what) if good else Finding(otherwise, what, advice)


def free_space(folder: Path) -> Finding:
    """Tell how much is free on a folder's disk."""
    free = shutil.disk_usage(folder).free
    advice = (
        "A full disk stops everything. 1,000 drivers need about 2 GB a day at one ping every 5 s, a photo about 4 MB."
    )
    level = Severity.LOOK if free > _FREE_BYTES / 10 else Severity.BAD
    return judge(free >= _FREE_BYTES, f"{free / 1e9:.1f} GB are free in {folder}", advice, level)
