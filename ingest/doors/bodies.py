"""Bodies on their way in, within what this process may hold of them: ten thousand phones can come back at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from api.http.media import read_limited
from api.http.problem import Unavailable

BODIES: web.AppKey["Bodies"] = web.AppKey("bodies")


class Bodies:
    """Counts the bytes of all bodies that are being read or decoded."""

    def __init__(self, *, max_bytes: int, max_total_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._max_total_bytes = max_total_bytes
        self.total_bytes = 0

    async def read(self, request: web.Request) -> bytes:
        """Read a whole body, unpacked if it came compressed.

        Raises:
            TooLarge: it is (or unpacks to) more than one body may have; no more than that is ever held.
            Unavailable: all bodies together are too much now.
            BadRequest: it breaks off or does not unpack.
        """
        size = 0

        def hold(part: int) -> None:
            nonlocal size
            self._hold(part)
            size += part

        try:
            return await read_limited(request, self.max_bytes, hold=hold)
        finally:
            self.total_bytes -= size

    @contextmanager
    def held(self, size: int) -> Iterator[None]:
        """Count a body that is already here.

        Raises:
            Unavailable: all bodies together are too much now.
        """
        self._hold(size)
        try:
            yield
        finally:
            self.total_bytes -= size

    def _hold(self, size: int) -> None:
        if self.total_bytes and self.total_bytes + size > self._max_total_bytes:
            raise Unavailable("Too much is being sent at once. Please send this again later.")
        self.total_bytes += size
