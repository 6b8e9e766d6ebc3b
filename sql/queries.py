"""The text of every query, read from the `.sql` file beside the module that asks it.

A file holds named statements: a line `-- name: move_live_positions`, comments that say what it does and what each
parameter is, then one statement. `load(__name__)["move_live_positions"]` is the text of that statement.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_NAME = re.compile(r"^-- name: (?P<name>[a-z_0-9]+)$", re.MULTILINE)


@cache
def load(module: str) -> Mapping[str, str]:
    """Read the queries of a module, `sql.track.live`, as name → statement.

    Raises:
        FileNotFoundError: there is no `.sql` beside it.
        ValueError: a name occurs twice or the file does not start with one.
    """
    room, _, stem = module.rpartition(".")
    text = (files(room) / f"{stem}.sql").read_text(encoding="utf-8")
    starts = list(_NAME.finditer(text))
    if not starts or text[: starts[0].start()].strip():
        raise ValueError(f"{stem}.sql must start with a line '-- name: …'")
    ends = [start.start() for start in starts[1:]] + [len(text)]
    queries: dict[str, str] = {}
    for start, end in zip(starts, ends, strict=True):
        name = start["name"]
        if name in queries:
            raise ValueError(f"{stem}.sql names {name} twice")
        queries[name] = text[start.end() : end].strip().rstrip(";")
    return MappingProxyType(queries)
