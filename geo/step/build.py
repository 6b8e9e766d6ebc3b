"""Compile the step, as installing the checkout and making a wheel do by themselves: `python geo/step/build.py`.

Knows nothing of the rest, so that it runs where nothing is installed yet.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOM = Path(__file__).resolve().parent
LIBRARY = ROOM / "step.so"

_FLAGS = ("-O2", "-fPIC", "-shared", "-ffp-contract=off", "-std=c11")
"""No product is fused with a sum: then every machine gives the same bits (`step.h`)."""


def source_hash() -> str:
    """Tell which sources a library must have been made of."""
    told = hashlib.sha256()
    for path in sorted([*ROOM.glob("*.c"), *ROOM.glob("*.h")]):
        told.update(path.read_bytes())
    return told.hexdigest()


def build() -> str | None:
    """Make the library anew; what is there already is replaced in one go, for processes may have it open.

    Returns:
        Why it could not be made; None: it is there.
    """
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        return "there is no C compiler"
    with tempfile.TemporaryDirectory(dir=ROOM, prefix=".build-") as directory:
        made = Path(directory) / LIBRARY.name
        sources = [str(path) for path in sorted(ROOM.glob("*.c"))]
        command = [*compiler.split(), *_FLAGS, f'-DSOURCE="{source_hash()}"', *sources, "-lm", "-o", str(made)]
        try:
            told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        except OSError as error:
            return str(error)
        if told.returncode:
            return told.stderr.strip() or f"{compiler} failed"
        made.replace(LIBRARY)
    return None


if __name__ == "__main__":
    sys.exit(build())
