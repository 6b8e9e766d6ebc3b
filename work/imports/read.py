"""Files are read in processes of their own (`work.imports.child`)."""

import asyncio
import logging
import os
import sys
from typing import IO
from weakref import WeakValueDictionary

import msgspec

from work.imports.sheet import TOO_COSTLY, PlanSheet, RefusedSheet, SheetError

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Files that are read at a time, and of those one of an account: nobody waits long behind another one's."""

_LONGEST_S = 60.0


class SheetReader:
    """Reads files."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._of_accounts: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def read(self, file: IO[bytes], account_id: int, *, most_rows: int) -> PlanSheet:
        """Read a file of the disk from where it stands.

        Raises:
            SheetError: it cannot be read, or takes too much to be read.
        """
        mine = self._of_accounts.setdefault(account_id, asyncio.Lock())
        async with mine, self._turns:
            said = await _asked(file, most_rows)
        if isinstance(said, RefusedSheet):
            raise SheetError(said.kind, said.why)
        return said


async def _asked(file: IO[bytes], most_rows: int) -> PlanSheet | RefusedSheet:
    own_packages = [] if os.getcwd() in sys.path else ["-P"]  # no folder that happens to be called `work`
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *own_packages, "-m", "work.imports.child", str(most_rows)),
        stdin=file,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in a terminal is for us
        env={**os.environ, "MALLOC_ARENA_MAX": "1"},
    )
    try:
        async with asyncio.timeout(_LONGEST_S):
            content, _ = await process.communicate()
    except TimeoutError:
        return RefusedSheet("too-large", TOO_COSTLY)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        log.warning("the process that read a sheet ended (%d)", process.returncode)
        return RefusedSheet("too-large", TOO_COSTLY)
    said: PlanSheet | RefusedSheet = await asyncio.to_thread(
        msgspec.msgpack.decode, content, type=PlanSheet | RefusedSheet
    )
    return said
