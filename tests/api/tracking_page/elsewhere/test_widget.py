"""The page in small, for frames on other sites."""

import asyncio
import re

from tests.api.portal.conftest import Recipient


async def test_only_sites_that_the_account_names_may_frame_it(recipient: Recipient) -> None:
    shop = "https://tienda.example"
    frames = re.compile(r"frame-ancestors ([^;]*)$")
    widget = f"/t/{recipient.ana}/widget?lang=pt"
    before = await recipient.client.get(widget)
    assert before.status == 200
    assert frames.search(before.headers["Content-Security-Policy"])[1] == "'self'"  # type: ignore[index]
    for wrong in ("*", "https://*.example", "https://tienda.example/x", "tienda.example", "https://x 'unsafe-inline'"):
        refused = await recipient.client.patch(
            "/v1/account", json={"widget_sites": [wrong]}, headers=recipient.account.headers
        )
        assert refused.status == 422, wrong
    sites = {"widget_sites": [shop]}
    named = await recipient.client.patch("/v1/account", json=sites, headers=recipient.account.headers)
    assert named.status == 200, await named.text()
    async with asyncio.timeout(20):
        while shop not in (framed := await recipient.client.get(widget)).headers["Content-Security-Policy"]:
            await asyncio.sleep(0.02)  # settings reach pages that are open by a notification
    html = await framed.text()
    assert frames.search(framed.headers["Content-Security-Policy"])[1] == f"'self' {shop}"  # type: ignore[index]
    assert "<script" not in html
    assert f'href="/t/{recipient.ana}?lang=pt" target="_top"' in html
    assert framed.headers["Refresh"] == "60"
    page = await recipient.client.get(f"/t/{recipient.ana}")
    assert frames.search(page.headers["Content-Security-Policy"])[1] == "'self'"  # type: ignore[index]
    component = await recipient.client.get("/widget.js")
    assert component.headers["Access-Control-Allow-Origin"] == "*"
    assert "customElements.define" in await component.text()
    assert (await recipient.client.get(f"/t/{'x' * 24}/widget")).status == 404
