"""What strangers may send: what a reader reads well with something odd in it, and bytes that are nothing at all."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from hypothesis import strategies as st

from tests.fuzz.readers import Reader

_TOKENS = (
    b"null", b"true", b"1e999", b"NaN", b"-1", b"-0", b"0.1", b"9" * 20, b'""', b'"\\ud800"', b"[]", b"{}", b"[" * 50,
    b"\x00", b"\xff", b"\xc1", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xcf" + b"\xff" * 8, b"%00", b"&",
    b"=", b"\r\n", b"--xXx", b"--", b"\xf0\x9f\x9a\x9a", b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:60Z",
)  # fmt: skip
_EDITS = st.lists(
    st.tuples(
        st.integers(0, 5_000),
        st.sampled_from((0, 0, 1, 1, 2, 8, 60)),
        st.one_of(st.sampled_from(_TOKENS), st.binary(max_size=8)),
    ),
    min_size=1,
    max_size=5,
)
"""Where, how many bytes are left out there, and what comes in their place."""

_NUMBERS = st.one_of(
    st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False), st.sampled_from((0, 1, -1, 90, 180, 1e308, 1e-308))
)
_TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ("", "x" * 3_000, "\x00", "..", "e\u0301", "2026-03-02T08:00:00", "0001-01-01T00:00:00+14:00", "1e5")
    ),
)
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)


def sent_to(reader: Reader) -> st.SearchStrategy[bytes]:
    """Make what may be sent to a reader."""
    kinds = [st.builds(_edited, st.sampled_from(reader.good), _EDITS), st.binary(max_size=300)]
    for decode, encode in ((json.loads, lambda value: json.dumps(value).encode()), (_unpack, msgspec.msgpack.encode)):
        values = [value for good in reader.good if (value := _tried(decode, good)) is not None]
        if values:
            kinds.append(st.builds(_with_odd, st.sampled_from(values), st.integers(0, 10**6), _VALUES).map(_by(encode)))
            break
    return st.one_of(kinds)


def _by(encode: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    return lambda value: _tried(encode, value) or b""


def _unpack(said: bytes) -> Any:
    value = msgspec.msgpack.decode(said)
    return value if isinstance(value, dict | list) else None


def _tried(act: Callable[[Any], Any], value: Any) -> Any:
    try:
        return act(value)
    except (ValueError, OverflowError, TypeError, UnicodeError, msgspec.MsgspecError):
        return None


def _edited(good: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    said = good
    for at, left_out, come in edits:
        at %= len(said) + 1
        said = said[:at] + come + said[at + left_out :]
    return said


def _with_odd(value: Any, number: int, odd: Any) -> Any:
    """Put something odd at one place of a value; every place has a number."""
    places = list(_places(value))
    place = places[number % len(places)]
    if not place:
        return odd
    changed = inside = copy.deepcopy(value)
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = odd
    return changed


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from _places(one, (*at, name))
