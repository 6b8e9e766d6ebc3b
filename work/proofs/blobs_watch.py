"""What is seen of the store of proofs: how long it takes, how often it fails, and why, in words."""

import errno
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError, NotFoundError
from prometheus_client import Counter, Histogram

from work.away import Away

log = logging.getLogger(__name__)

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


class StoreAway(Away):
    """The store of proofs failed.

    Attributes:
        why: the end of the sentence "The store of proofs …", for an operator.
    """

    def __init__(self, why: str) -> None:
        super().__init__("The store of proofs cannot be used now; what it had is kept. Please try again.")
        self.why = why


class BlobsWatch:
    """Follows one store. The log says when an operation begins to fail and when it works again, not every time."""

    def __init__(self) -> None:
        self._failing: set[str] = set()

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
            why = _why(error)
            if operation not in self._failing:
                log.error("the store of proofs %s (%s: %s)", why, operation, _reason(error))
            self._failing.add(operation)
            raise StoreAway(why) from error
        finally:
            SECONDS.labels(operation).observe(time.perf_counter() - began_s)
        if operation in self._failing:
            log.warning("the store of proofs works again (%s)", operation)
            self._failing.remove(operation)


def _why(error: Exception) -> str:
    status = _STATUS.search(str(error))
    if status and status[1] in ("401", "403"):
        return "refuses us: the credentials are wrong, or do not give the right to do this"
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
