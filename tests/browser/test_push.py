"""The button of the tracking page, pressed in a real browser, until its notification stands there.

Makers' push services cannot be reached from a test: `PushManager.subscribe` alone is done in the page, with real keys.
What comes to its address is decrypted here and handed to the browser, as its maker's service does.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sql.messages.setup import put_channel, put_kind
from tests.api.messages.conftest import Desk
from tests.browser.conftest import Site
from tests.browser.waiting import SOON_MS, until
from tests.providers.push import Browser, PushService, push_service
from work.messages.channels.push import new_key, public_key_of
from work.outgoing.sealed import Sealer

SUBSCRIBE = """
  const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=+$/, "");
  let made = null;
  PushManager.prototype.getSubscription = async () => made;
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    const keys = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
    const auth = crypto.getRandomValues(new Uint8Array(16));
    const secret = await crypto.subtle.exportKey("jwk", keys.privateKey);
    window.asked = { userVisibleOnly, key: text(applicationServerKey), secret: secret.d, auth: text(auth) };
    const p256dh = text(await crypto.subtle.exportKey("raw", keys.publicKey));
    const endpoint = `${PUSH_SERVICE}/send/b1`;
    made = {
      endpoint,
      toJSON: () => ({ endpoint, expirationTime: null, keys: { p256dh, auth: text(auth) } }),
      unsubscribe: async () => { made = null; return true; },
    };
    return made;
  };
"""


SAID = "document.querySelector('button.push').textContent"


SHOWN = """async (wanted) => {
  const [one] = await (await navigator.serviceWorker.getRegistration()).getNotifications();
  return Boolean(one) && [one.title, one.body, one.tag].every((said, place) => said === wanted[place]);
}"""


def bytes_of(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with push_service() as made:
        yield made


async def read_by(page: Any, service: PushService) -> dict[str, Any]:
    """Read what came to the service, as the page's browser would."""
    asked = await page.evaluate("window.asked")
    key = ec.derive_private_key(int.from_bytes(bytes_of(asked["secret"])), ec.SECP256R1())
    [(_, _, content)] = service.taken
    return Browser(service.url, key=key, auth=bytes_of(asked["auth"])).read(content)


async def bring_to(page: Any, origin: str, data: str) -> None:
    """Hand the page's own worker what its maker's service would bring."""
    session = await page.context.new_cdp_session(page)
    workers: dict[str, str] = {}
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda said: workers.update({one["scopeURL"]: one["registrationId"] for one in said["registrations"]}),
    )
    await session.send("ServiceWorker.enable")
    while page.url not in workers:
        await page.wait_for_timeout(20)
    push = {"origin": origin, "registrationId": workers[page.url], "data": data}
    await session.send("ServiceWorker.deliverPushMessage", push)


async def test_whoever_presses_the_button_is_told_by_a_notification(
    browser: Any, site: Site, pool: Any, sealer: Sealer, service: PushService
) -> None:
    account_id, key = site.tour.account_id, new_key()
    settings, secrets = {"contact": "mailto:soporte@tienda.example"}, sealer.seal({"key": key})
    await put_channel(pool, account_id=account_id, channel="push", enabled=True, settings=settings, secrets=secrets)
    await put_kind(pool, account_id=account_id, kind="approaching", settings={"channels": ["push"]})
    context = await browser.new_context(locale="es-CO", permissions=["notifications"])
    await context.add_init_script(SUBSCRIBE.replace("PUSH_SERVICE", f"'{service.url}'"))
    page = await context.new_page()
    await page.goto(site.page_of(0))
    button = page.locator("button.push")
    await button.wait_for(timeout=SOON_MS)
    offered = await button.text_content()
    await button.click()
    await until(page, f"{SAID} !== {json.dumps(offered)}")
    assert await pool.fetchval("SELECT count(*) FROM push_subscription") == 1
    asked = await page.evaluate("window.asked")
    assert (asked["userVisibleOnly"], asked["key"]) == (True, public_key_of(key))

    await pool.execute(
        "INSERT INTO notice (account_id, route_id, stop_id, kind, happened_at)"
        " SELECT account_id, route_id, id, 'approaching', now() FROM stop WHERE id = $1",
        site.tour.stop_ids[0],
    )
    await Desk(client=None, account=None, pool=pool, sealer=sealer).go()
    read = await read_by(page, service)
    assert read["title"] == "Mensajería Aburrá"
    assert "cerca" in read["body"]
    await bring_to(page, site.url, json.dumps(read))
    await until(page, SHOWN, [read["title"], read["body"], "approaching"])

    await button.click()
    await until(page, f"{SAID} === {json.dumps(offered)}")
    assert await pool.fetchval("SELECT count(*) FROM push_subscription") == 0
    await context.close()
