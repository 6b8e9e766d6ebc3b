"""Blocks: what goes into the inbox comes out of it."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.pings import PING, Pings
from ingest.blocks import MAX_BODY_BYTES, MAX_PINGS, VERSION, PackedBlock, decode, decode_all, encode, split

TEXT = st.none() | st.text(st.characters(codec="utf-8"), max_size=64)


@st.composite
def some_pings(draw: st.DrawFn, max_size: int = MAX_PINGS) -> Pings:
    texts = draw(st.lists(st.tuples(TEXT, TEXT), max_size=max_size))
    pings = Pings.empty(len(texts))
    noise = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = np.frombuffer(noise.bytes(pings.rows.nbytes), PING).copy()
    return Pings(rows, np.array(texts, dtype=object).reshape(-1, 2))


def same(one: Pings, other: Pings) -> bool:
    return one.rows.tobytes() == other.rows.tobytes() and one.texts.tolist() == other.texts.tolist()


def of_driver(driver_id: int, n: int, text: str | None = None) -> Pings:
    pings = Pings.empty(n)
    pings.rows["driver_id"] = driver_id
    pings.rows["recorded_ms"] = range(n)
    pings.texts[:, 1] = text
    return pings


def lane_of(blocks: Sequence[PackedBlock], lane: int) -> Pings:
    return Pings.concat([decode(block.body) for block in blocks if block.lane == lane])


@given(some_pings())
def test_a_block_holds_what_was_put_in(pings: Pings) -> None:
    assert same(decode(encode(pings)), pings)


@given(st.lists(some_pings(max_size=9), max_size=5))
def test_many_are_joined_and_what_is_wrong_with_some_is_told(parts: list[Pings]) -> None:
    bodies = [encode(pings) for pings in parts]
    pings, counts, wrong = decode_all([b"torn", *bodies, bodies[-1][:-1] if bodies else b""])
    assert same(pings, Pings.concat(parts))
    assert counts == [0, *map(len, parts), 0]
    assert wrong.keys() == {0, len(bodies) + 1}


@given(st.lists(st.tuples(st.integers(0, 3), some_pings(max_size=40)), max_size=12))
def test_each_lane_gets_its_pings_in_the_order_they_came(parts: list[tuple[int, Pings]]) -> None:
    blocks = split(parts)
    for lane in range(4):
        assert same(lane_of(blocks, lane), Pings.concat([pings for of, pings in parts if of == lane]))
    assert [len(decode(block.body)) for block in blocks] == [block.pings for block in blocks]


@pytest.mark.parametrize("text", [None, "7f8a1c52-9c0a-4d5a-8c55-1f1fd8a6a3aa", "á" * 64])
def test_no_body_is_so_long_that_it_leaves_the_row(text: str | None) -> None:
    blocks = split([(5, of_driver(1, 1_000, text)), (5, of_driver(2, 3, text))])
    assert max(len(block.body) for block in blocks) <= MAX_BODY_BYTES
    assert same(lane_of(blocks, 5), Pings.concat([of_driver(1, 1_000, text), of_driver(2, 3, text)]))


def test_small_requests_of_a_lane_share_a_block() -> None:
    blocks = split([(driver % 2, of_driver(driver, 10)) for driver in range(20)])
    assert [(block.lane, block.pings) for block in blocks] == [(0, 100), (1, 100)]


@given(some_pings(max_size=3), st.data())
def test_a_damaged_block_is_told(pings: Pings, data: st.DataObject) -> None:
    body = bytearray(encode(pings))
    at = data.draw(st.sampled_from([i for i in range(len(body)) if i != 1]))  # byte 1 is padding
    body[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match="block"):
        decode(bytes(body))


@given(some_pings(max_size=3), st.data())
def test_a_block_that_breaks_off_is_told(pings: Pings, data: st.DataObject) -> None:
    body = encode(pings)
    with pytest.raises(ValueError, match="block"):
        decode(body[: data.draw(st.integers(0, len(body) - 1))])


def test_a_block_of_another_version_is_told() -> None:
    body = encode(of_driver(1, 1))
    with pytest.raises(ValueError, match="version 9"):
        decode(b"\x09" + body[1:])


def test_more_pings_than_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        encode(of_driver(1, MAX_PINGS + 1))


def test_the_layout_belongs_to_the_version() -> None:
    """When this fails, raise `VERSION` and keep a reader for blocks that wait in an inbox during the upgrade."""
    fields = " ".join(f"{name}:{PING[name].str}" for name in PING.names or ())
    expected = (
        "driver_id:<i8 device_id:<i8 recorded_ms:<i8 received_ms:<i8 lat_e6:<i4 lon_e6:<i4 accuracy_m:<f4 "
        "altitude_m:<f4 speed_mps:<f4 heading_deg:<f4 battery:<f4 charging:|i1 mock:|i1 flags:<u4"
    )
    assert (VERSION, fields) == (1, expected)
