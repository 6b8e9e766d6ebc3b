"""What is seen of the store of proofs: how long it takes, how often it fails, and why, in words."""

import asyncio
import errno
import logging
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from obstore.exceptions import BaseError, NotFoundError
from prometheus_client import Counter, Histogram

from work.away import Away

log = logging.getLogger(__name__)

T = TypeVar("T")

SECONDS = Histogram(
    "reparto_blob_seconds",
    "Time of one operation of the store of proofs, its own retries included, seconds",
    ("operation",),
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60),
)
BYTES = Counter("reparto_blob_bytes_total", "Bytes written into the store of proofs, and read from it", ("operation",))
FAILURES = Counter("reparto_blob_failures_total", "Operations that the store of proofs failed", ("operation",))

NOT_THERE = (NotFoundError, FileNotFoundError)
"""What obstore raises where there is no object of a name, and where there is no bucket."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS)
_STATUS = re.compile(r"status code: (\d{3})")  # obstore has a kind of error for it, and does not always use it
_LONGEST_REASON = 300
_HANGS = "does not answer"

PATIENCE_S = 2.0
"""What takes longer is asked about, and so long may a sign of life take: whoever asks has an answer within 5 s."""

_LET_GO_S = 0.2
_BELIEVED_S = 3.0  # a store that gave no sign is not asked again for so long


class StoreAway(Away):
    """The store of proofs failed.

    Attributes:
        why: the end of the sentence "The store of proofs …", for an operator.
    """

    def __init__(self, why: str) -> None:
        super().__init__("The store of proofs cannot be used now; what it had is kept. Please try again.")
        self.why = why


class BlobsWatch:
    """Follows one store. The log says when an operation begins to fail and when it works again, not every time.

    Waiting is bounded: while something takes long the store is asked for a sign of life, and whoever waits for one that
    gives none is let go. Then nobody waits for it until it gives one.
    """

    def __init__(self, sign_of_life: Callable[[], Awaitable[object]]) -> None:
        """Follow a store; `sign_of_life` asks it something small, and fails where it does not answer."""
        self._failing: set[str] = set()
        self._sign_of_life = sign_of_life
        self._asking: asyncio.Task[bool] | None = None
        self._is_hung = False
        self._asked_s = 0.0

    async def done(self, operation: str, work: Coroutine[Any, Any, T]) -> T:
        """Have an operation (put, get, head, drop, list) done, and time it.

        Raises:
            StoreAway: in place of what it fails with, or the store hangs.
            BlobMissing: as the work.
        """
        if self._is_hung and (time.monotonic() < self._asked_s + _BELIEVED_S or not await asyncio.shield(self._ask())):
            work.close()
            raise StoreAway(_HANGS)
        with self.over(operation):
            task = asyncio.ensure_future(work)
            try:
                while not (await asyncio.wait({task}, timeout=PATIENCE_S))[0]:
                    if not await asyncio.shield(self._ask()):
                        raise TimeoutError
            finally:
                if not task.done():
                    task.cancel()
                    await asyncio.wait({task}, timeout=_LET_GO_S)
            return task.result()

    def _ask(self) -> "asyncio.Task[bool]":
        """Ask for a sign of life, unless that is being done; the task tells whether there was one."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._lives(), name="sign of life of the store")
        return self._asking

    async def _lives(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._sign_of_life()
        except TimeoutError:
            self._say_hung(True)
        except (BaseError, OSError):
            self._say_hung(False)  # it fails, which whoever waits will hear
        else:
            self._say_hung(False)
        self._asked_s = time.monotonic()
        return not self._is_hung

    def _say_hung(self, is_hung: bool) -> None:
        if is_hung != self._is_hung:
            log.warning("the store of proofs %s", _HANGS if is_hung else "answers again")
        self._is_hung = is_hung

    @contextmanager
    def over(self, operation: str) -> Iterator[None]:
        """Time an operation (put, get, head, drop, list).

        Raises:
            StoreAway: in place of what it fails with.
        """
        began_s = time.perf_counter()
        try:
            yield
        except (BaseError, OSError) as error:
            FAILURES.labels(operation).inc()
            why = why_of(error)
            if operation not in self._failing:
                log.error("the store of proofs %s (%s: %s)", why, operation, _reason(error))
            self._failing.add(operation)
            raise StoreAway(why) from error
        finally:
            SECONDS.labels(operation).observe(time.perf_counter() - began_s)
        if operation in self._failing:
            log.warning("the store of proofs works again (%s)", operation)
            self._failing.remove(operation)


def why_of(error: Exception) -> str:
    """Say what is wrong, as the end of the sentence "The store of proofs …"."""
    status = _STATUS.search(str(error))
    if status and status[1] in ("401", "403"):
        return "refuses us: the credentials are wrong, or do not give the right to do this"
    if isinstance(error, TimeoutError):
        return _HANGS
    if isinstance(error, NOT_THERE) or (status and status[1] == "404"):
        return "is not there: there is no such bucket or folder"
    if isinstance(error, OSError) and error.errno in _FULL:
        return "is full: no space is left on its disk"
    if isinstance(error, OSError) and error.errno in _NOT_OURS:
        return "cannot be written: its folder is another user's, or mounted to be read only"
    return "fails, or cannot be reached"


def _reason(error: Exception) -> str:
    """Give what obstore says without the server's own words, which may repeat what was signed."""
    return str(error).partition("\n")[0].partition(": <")[0][:_LONGEST_REASON]
