"""Where libraries write files that leave piece by piece."""

import io
from collections import deque
from contextlib import suppress
from typing import Any


class Sink(io.RawIOBase):
    """Takes what is written, by whatever thread, until somebody takes it away; there is no way back in it."""

    def __init__(self) -> None:
        self._parts: deque[bytes] = deque()

    def writable(self) -> bool:
        """Say that it can be written into."""
        return True

    def write(self, data: Any) -> int:
        """Take some bytes."""
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """Give what was written since the last time."""
        parts = []
        with suppress(IndexError):
            while True:
                parts.append(self._parts.popleft())
        return b"".join(parts)
