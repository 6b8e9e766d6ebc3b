"""A file is read in a process of its own (`work.imports.child`). For threads."""

import logging
import os
import subprocess
import sys
import threading

import msgspec

from work.away import Away
from work.imports.sheet import TOO_COSTLY, PlanSheet, RefusedSheet, SheetError

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Files that a process has read at a time."""

_LONGEST_S = 60.0
_TURNS = threading.BoundedSemaphore(AT_ONCE)


class SheetsAway(Away):
    """Other files are read."""

    def __init__(self) -> None:
        super().__init__("Other files are being read now. Please try again.")


def read_sheet(content: bytes, *, most_rows: int) -> PlanSheet:
    """Read a file.

    Raises:
        SheetError: it cannot be read, or takes too much to be read.
        SheetsAway: too many want that at once.
    """
    if not _TURNS.acquire(timeout=_LONGEST_S):
        raise SheetsAway
    try:
        said = _asked(content, most_rows)
    finally:
        _TURNS.release()
    if isinstance(said, RefusedSheet):
        raise SheetError(said.kind, said.why)
    return said


def _asked(content: bytes, most_rows: int) -> PlanSheet | RefusedSheet:
    own_packages = [] if os.getcwd() in sys.path else ["-P"]  # no folder that happens to be called `work`
    try:
        done = subprocess.run(  # noqa: S603 (this very program)
            [sys.executable, *own_packages, "-m", "work.imports.child", str(most_rows)],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_LONGEST_S,
            check=False,
            start_new_session=True,  # Ctrl-C in a terminal is for us
            env={**os.environ, "MALLOC_ARENA_MAX": "1"},
        )
    except subprocess.TimeoutExpired:
        return RefusedSheet("too-large", TOO_COSTLY)
    if done.returncode:
        log.warning("the process that read a sheet of %d bytes ended (%d)", len(content), done.returncode)
        return RefusedSheet("too-large", TOO_COSTLY)
    said: PlanSheet | RefusedSheet = msgspec.msgpack.decode(done.stdout, type=PlanSheet | RefusedSheet)
    return said
