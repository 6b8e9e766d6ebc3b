"""Real processes: what they may lose is nothing, whatever happens to them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reparto.child import Child

Start = Callable[..., Child]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start("up", REPARTO_LISTEN=…)` runs a command of the product; nothing survives the test."""
    children: list[Child] = []

    def make(*command: str, **settings: str) -> Child:
        log = tmp_path / f"{len(children)}-{command[0]}.log"
        child = Child(*command, settings=settings, log=log)
        children.append(child)
        return child

    yield make
    for child in reversed(children):
        if child.exit_code is None:
            assert child.stop() == 0, child.last_words()
