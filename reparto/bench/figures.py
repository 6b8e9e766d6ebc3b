"""The numbers of a report by their names: what is compared, and what medians are taken of."""

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

_SAYS_WHICH = ("door", "batch", "poll", "drivers", "stored_pings", "streams", "each")
"""Fields that tell an item of a list from the others of it; never a result."""


def figures(report: Any) -> dict[str, float]:
    """Name every number of a report of plain objects, lists and numbers; those that are not known are left out.

    Returns:
        By names such as `ingest.rows[native 1].tracked_per_s`.
    """
    return dict(_named("", report))


def _named(name: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _named(f"{name}.{key}" if name else str(key), part)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _named_item(name, number, item)
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        yield name, float(value)


def _named_item(name: str, number: int, item: Any) -> Iterator[tuple[str, float]]:
    which = {key: item[key] for key in _SAYS_WHICH if key in item} if isinstance(item, Mapping) else {}
    left = {key: part for key, part in item.items() if key not in which} if which else item
    return _named(f"{name}[{' '.join(map(str, which.values())) or number}]", left)


def medians(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Take the median of every number over the runs that have it."""
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: median(run[name] for run in runs if name in run) for name in names}


def ratios(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    """Divide what is now by what was before, where both are known and the divisor is not 0."""
    return {name: now[name] / before[name] for name in now if before.get(name)}
