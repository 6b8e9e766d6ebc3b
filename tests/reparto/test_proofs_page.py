"""What the page about proofs tells people to type works, on a fresh start of the product."""

import json
import re
import sys
from pathlib import Path

import pytest

from reparto.child import Child, free_port
from tests.api.proofs.pictures import large_photo
from tests.reparto.typed import needs_a_shell, typed

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "proofs.md"


def blocks() -> list[tuple[str, str]]:
    """Language and text of each block that is to be run, in order."""
    marked = r"is_run -->\n```(\w+)\n(.*?)```"
    text = PAGE.read_text().replace("run by tests/reparto/test_proofs_page.py", "is_run")
    return re.findall(marked, text, re.DOTALL)


@needs_a_shell
async def test_the_page_ends_on_a_certificate(tmp_path: Path) -> None:
    pytest.importorskip("tusclient", reason="tuspy is not installed")
    port = free_port()
    settings = {"REPARTO_LISTEN": f"127.0.0.1:{port}", "REPARTO_DATA_DIR": str(tmp_path / ".reparto")}
    (tmp_path / "puerta.jpg").write_bytes(large_photo(3_000_000))
    script = [f'python3() {{ {sys.executable} "$@"; }}']
    for number, (language, text) in enumerate(blocks()):
        if language == "python":
            (tmp_path / f"{number}.py").write_text(text)
            script.append(f"python3 {number}.py")
        else:
            script.append(text.replace("127.0.0.1:8080", f"127.0.0.1:{port}"))
    script.append("ask $HERE/v1/stops/$STOP/proofs > proofs.json")
    up = Child("up", settings=settings, log=tmp_path / "log")
    try:
        await up.ready(f"http://127.0.0.1:{port}")
        typed("\n".join(script), tmp_path)
    finally:
        up.stop()
    proofs = json.loads((tmp_path / "proofs.json").read_text())["proofs"]
    assert [(one["kind"], one["state"]) for one in proofs] == [
        *(("photo", "stored"), ("signature", "stored"), ("photo", "stored"))
    ]
    assert (tmp_path / "certificate.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "certificate.pdf").read_bytes().startswith(b"%PDF-")
