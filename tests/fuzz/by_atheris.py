"""One reader in a process of its own, tried by atheris: `python -m tests.fuzz.by_atheris "route, JSON"`."""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ingest", "api", "geo", "aiohttp.multipart"], enable_loader_override=False):
    from tests.fuzz.readers import READERS


def main() -> None:
    """Begin with what the reader reads well. Does not come back."""
    reader = READERS[sys.argv[1]]
    with tempfile.TemporaryDirectory() as corpus:
        for number, good in enumerate(reader.good):
            Path(corpus, str(number)).write_bytes(good)
        atheris.Setup([sys.argv[0], corpus, "-max_len=4096", "-print_final_stats=1", *sys.argv[2:]], reader.try_on)
        atheris.Fuzz()


main()
