"""No reader breaks, whatever it is sent: the same examples each time here, ever new ones by `make fuzz`."""

import pytest
from hypothesis import given, settings

from tests.fuzz.made import sent_to
from tests.fuzz.readers import READERS, Reader

every_reader = pytest.mark.parametrize("reader", READERS.values(), ids=lambda reader: reader.name)


@every_reader
def test_what_is_good_is_read(reader: Reader) -> None:
    for good in reader.good:
        reader.read(good)


@every_reader
def test_whatever_is_sent_is_read_or_refused(reader: Reader) -> None:
    @settings(max_examples=100)
    @given(sent_to(reader))
    def read(said: bytes) -> None:
        reader.try_on(said)

    read()
