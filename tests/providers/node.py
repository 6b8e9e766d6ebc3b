"""Node, where it is at hand: others' JavaScript judges what we write.

`npm install --no-save standardwebhooks @asyncapi/parser typescript@5` beside the tests, or anywhere with `NODE_PATH`
leading there.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]


def run_node(package: str, script: str, *, said: str = "") -> str:
    """Run a script that needs a package, with `said` on its standard input; skips where there is none of either."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    path = os.environ.get("NODE_PATH") or str(HOUSE / "node_modules")
    if not (Path(path) / package).is_dir():
        pytest.skip(f"npm's {package} is not in {path}: npm install --no-save {package}")
    there = {**os.environ, "NODE_PATH": path}
    ran = subprocess.run(
        [node, "-e", script], input=said, capture_output=True, text=True, timeout=60, env=there, cwd=HOUSE
    )
    assert ran.returncode == 0, ran.stderr or ran.stdout
    return ran.stdout
