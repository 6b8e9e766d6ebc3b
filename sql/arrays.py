"""Columns as Postgres array text: asyncpg asks of every item of a list whether it is a list, which takes longer than to
write all of them as text, and than Postgres takes to read that. And it sends no ragged arrays.

A statement takes one as `$1::text::bigint[]`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from geo.pings import Bools


def array_text(values: NDArray[Any] | Sequence[Any], null: Bools | None = None) -> str:
    """Write numbers or bools as Postgres reads an array: as JSON does, but for the brackets.

    Args:
        values: (n,) NaN and None are null.
        null: (n,) what else is null.
    """
    found: list[Any] = values.tolist() if isinstance(values, np.ndarray) else list(values)
    if null is not None:
        for i in np.flatnonzero(null).tolist():  # mostly few
            found[i] = None
    return "{" + msgspec.json.encode(found)[1:-1].decode() + "}"
