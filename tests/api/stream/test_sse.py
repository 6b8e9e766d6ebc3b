"""What a stream writes: events as they were meant, never more at once than a slow client may leave lying."""

from typing import Any, cast

import pytest

from api.stream.sse import PIECE_BYTES, EventStream


class Slow:
    """A response that keeps what was written to it, each write by itself."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    async def write(self, data: bytes | memoryview) -> None:
        self.writes.append(bytes(data))


@pytest.mark.parametrize(("size", "writes"), [(0, 1), (PIECE_BYTES, 1), (PIECE_BYTES + 1, 4), (40 * PIECE_BYTES, 42)])
async def test_a_large_event_leaves_in_pieces_and_is_read_as_one(size: int, writes: int) -> None:
    slow = Slow()
    stream = EventStream(cast(Any, slow), is_head=False, name="here")
    data = bytes(33 + n % 90 for n in range(size))
    await stream.send("snapshot", data)
    assert b"".join(slow.writes) == b"id: here.1\nevent: snapshot\ndata: " + data + b"\n\n"
    assert len(slow.writes) == writes
    assert max(map(len, slow.writes)) <= PIECE_BYTES + 50
