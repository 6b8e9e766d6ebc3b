"""In what encoding a body came: looked at quickly, as RFC 8259 would have it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from api.http.media import as_utf8

_BYTES = st.sampled_from((0, ord("{"), ord("1"), 0x80, 0xBB, 0xBF, 0xEF, 0xFE, 0xFF))


@given(st.lists(_BYTES, max_size=6).map(bytes))
def test_a_quick_look_at_an_encoding_is_as_a_long_one(body: bytes) -> None:
    encoding = json.detect_encoding(body)
    assert as_utf8(body) == (body if encoding == "utf-8" else body.decode(encoding, "replace").encode())
