"""What a page tells people to type, typed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

needs_a_shell = pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("bash") is None, reason="curl and bash are needed"
)


def typed(script: str, folder: Path) -> str:
    """Run a script of bash in a folder, ended by the first mistake; return what it printed."""
    said = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout
