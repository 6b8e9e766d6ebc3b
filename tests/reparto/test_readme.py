"""What the README tells people to type works, on a fresh start of the product."""

import asyncio
import re
from pathlib import Path

import pytest
from aiohttp import ClientSession

from reparto.child import Child, free_port
from tests.reparto.typed import needs_a_shell, typed

README = Path(__file__).resolve().parents[2] / "README.md"


def first_curl() -> str:
    [block] = re.findall(
        r"is run by tests/reparto/test_readme\.py\. -->\n```bash\n(.*?)```", README.read_text(), re.DOTALL
    )
    return block


@needs_a_shell
async def test_the_first_curl_ends_on_a_tracking_page_with_the_van(tmp_path: Path) -> None:
    port = free_port()
    settings = {"REPARTO_LISTEN": f"127.0.0.1:{port}", "REPARTO_DATA_DIR": str(tmp_path / ".reparto")}
    up = Child("up", settings=settings, log=tmp_path / "log")
    try:
        await up.ready(f"http://127.0.0.1:{port}")
        text = first_curl().replace("127.0.0.1:8080", f"127.0.0.1:{port}")
        said = typed(text, tmp_path)
        assert '{"accepted":1,"rejected":[]}' in said
        page = said.splitlines()[-1]
        async with ClientSession() as client:
            async with client.get(page) as response:
                assert response.status == 200
                assert response.content_type == "text/html"
            van = None
            async with asyncio.timeout(60):
                while van is None:  # until the tracker has seen the ping
                    await asyncio.sleep(0.05)
                    async with client.get(page.replace("/t/", "/v1/track/")) as response:
                        van = (await response.json())["position"]
        assert van["lat"] == pytest.approx(4.648, abs=0.001)
    finally:
        up.stop()
