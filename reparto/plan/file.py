"""Files that planners exchange, packed or not: LoggiBUD's are JSON, any other one is VRPLIB's."""

import gzip
from pathlib import Path

from reparto.command import CannotRun
from reparto.plan import loggibud_file, vrplib_file
from reparto.plan.instance import PlanInstance

MOST_BYTES = 500_000_000
"""Of an unpacked file: an explicit matrix of 8,000 places."""


def read(path: Path) -> PlanInstance:
    """Read a file.

    Raises:
        CannotRun: it cannot be read, or asks what no planner here can keep.
    """
    try:
        text = _text(path)
    except (OSError, EOFError, ValueError) as error:
        raise CannotRun(f"{path} cannot be read: {error}") from error
    is_json = text.lstrip().startswith("{")
    try:
        return loggibud_file.instance_of(text) if is_json else vrplib_file.instance_of(text)
    except (RuntimeError, ValueError, TypeError, KeyError, IndexError) as error:
        kind = "LoggiBUD" if is_json else "VRPLIB"
        raise CannotRun(f"{path} is no {kind} file that is understood: {error}") from error


def _text(path: Path) -> str:
    opener = gzip.open if path.read_bytes()[:2] == b"\x1f\x8b" else open
    with opener(path, "rb") as file:
        body = file.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES} bytes")
    return body.decode("utf-8")
