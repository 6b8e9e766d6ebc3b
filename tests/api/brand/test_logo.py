"""A company's logo: what is taken, how it is served, and where recipients see it."""

import io
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData, web
from PIL import Image

from api.brand import logo
from api.find import endpoints as find
from api.http.app_keys import PROOFS
from api.proofs.uploads import form as proofs_post
from api.recipient import stream as tracking
from api.tracking_page import endpoints as tracking_page
from tests.api.driver.driver_day import Phone
from tests.api.proofs.pictures import photo
from work.messages.words.letter import Logo
from work.proofs.config import ProofConfig
from work.proofs.logos import Logos
from work.proofs.store import open_proof_store


@pytest.fixture
async def proof_store(tmp_path: Path) -> Any:
    async with open_proof_store(ProofConfig(), folder=tmp_path / "blobs") as store:
        yield store


@pytest.fixture
def app_parts(app_parts: list[Any], proof_store: Any) -> list[Any]:
    def put(app: web.Application) -> None:
        app[PROOFS] = proof_store

    modules = (logo, find, proofs_post, tracking, tracking_page)
    return [put, *app_parts, *(one.operations.add_to for one in modules)]


async def send(client: Any, content: bytes, headers: Any) -> Any:
    form = FormData()
    form.add_field("file", io.BytesIO(content), filename="logo.png", content_type="image/png")
    return await client.put("/v1/account/logo", data=form, headers=headers)


async def test_a_logo_is_drawn_anew_and_shown_to_recipients(
    client: Any, account: Any, phone: Phone, refused: Any, bearer: Any, proof_store: Any
) -> None:
    await client.patch("/v1/account", json={"brand": "Sur & Cía"}, headers=account.headers)
    clear = Image.new("RGBA", (600, 200), (0, 0, 0, 0))
    content = io.BytesIO()
    clear.save(content, "PNG")
    put = await send(client, content.getvalue(), account.headers)
    assert put.status == 200, await put.text()
    path = "/logo/" + (await put.json())["logo_url"].rpartition("/")[2]
    served = await client.get(path)
    assert served.status == 200
    assert "immutable" in served.headers["Cache-Control"]
    assert served.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    content_of_letters = await Logos(proof_store.blobs).find(account.id, path.removeprefix("/logo/"))
    assert content_of_letters == Logo(content=await served.read(), width=144, height=48)
    assert await Logos(proof_store.blobs).find(account.id, f"{account.id}-{'0' * 24}") is None
    shown = Image.open(io.BytesIO(await served.read()))
    assert (shown.format, shown.size, shown.getpixel((5, 5))) == ("JPEG", (320, 107), (255, 255, 255))

    route = await (await client.get("/v1/routes/tour-1", headers=account.headers)).json()
    page = "/t/" + route["stops"][0]["tracking_url"].rpartition("/")[2]
    mark = f'<img class="logo" src="{path}" alt="Sur &amp; Cía" height="32">'
    for address in (page, "/find"):
        response = await client.get(address)
        assert mark in await response.text()
        assert "img-src 'self'" in response.headers["Content-Security-Policy"]

    other = await send(client, photo(300, 300), account.headers)
    assert (await client.get(path)).status == 404  # the one before is gone
    assert (await (await client.get("/v1/account", headers=account.headers)).json())["logo"] in str(await other.json())
    gone = await client.delete("/v1/account/logo", headers=account.headers)
    assert (await gone.json())["logo_url"] is None
    assert "Sur &amp; Cía</span>" in await (await client.get("/find")).text()


async def test_what_is_no_logo_changes_nothing(client: Any, account: Any, refused: Any, bearer: Any) -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    for content in (b"", b"nothing", svg, photo()[:200]):
        assert (await send(client, content, account.headers)).status == 422, content
    assert (await send(client, b"x" * (logo.MOST_BYTES + 1), account.headers)).status == 413
    assert (await send(client, photo(), bearer(account.viewer_key))).status == 403
    assert (await (await client.get("/v1/account", headers=account.headers)).json())["logo"] == ""
    for path in ("/logo/x", "/logo/1-" + "0" * 24, "/logo/..%2F..%2Fetc"):
        assert (await client.get(path)).status == 404
    wrong = await client.patch("/v1/account", json={"logo": "1-x"}, headers=account.headers)
    await refused(wrong, 422)
