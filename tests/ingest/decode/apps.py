"""What tests of the decoders of apps have in common: a message, the clock it comes in by, and any JSON at all."""

import json
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
from hypothesis import strategies as st

from ingest.decode.columns import Arrival, Decoded
from ingest.decode.message import AppMessage

NOW_MS = 1_750_000_000_000
ARRIVAL = Arrival(driver_id=1, device_id=2, received_ms=NOW_MS, oldest_ms=NOW_MS - 30 * 86_400_000)

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)


def posted(said: Any, *, app: str, query: str = "", max_batch: int = 10_000) -> AppMessage:
    """A message whose body is JSON, or bytes as they are."""
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    fields = dict(parse_qsl(query, keep_blank_values=True))
    return AppMessage(app=app, query=fields, query_text=query, body=body, max_batch=max_batch)


def only(result: Decoded) -> np.void:
    """The one ping of a message of which nothing was refused."""
    assert (len(result.pings), result.rejected) == (1, [])
    return result.pings.rows[0]  # type: ignore[no-any-return]


def lives(result: Decoded) -> bool:
    """Whether a message said that the phone lives, and nothing else."""
    return len(result.pings) == 0 and not result.rejected and result.heard is not None


def whys(result: Decoded) -> list[tuple[int, str]]:
    return [(one.index, one.why) for one in result.rejected]
