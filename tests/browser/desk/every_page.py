"""Every page of the desk, of a firm with something on each, and what all of them hold to."""

from datetime import timedelta
from typing import Any

from tests.api.tour_rows import Tour
from tests.browser.desk.conftest import Office, tell
from tests.browser.desk.test_inbox import alert

SETTINGS = (
    *("me", "phones", "slots", "points", "fences", "brand", "messages", "reasons"),
    *("visibility", "alerts", "kept", "users", "keys", "webhooks"),
)
NEAR = [[-75.575, 6.24], [-75.56, 6.24], [-75.56, 6.25], [-75.575, 6.24]]

_WROTE = """
async ([method, path, body]) => {
  const headers = { "Content-Type": "application/json", "Reparto-Csrf": "1" };
  const response = await fetch(path, { method, headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`); }
"""

_CODES = r"""
() => { const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT), found = [];
  for (let node; (node = walk.nextNode());) {
    const place = node.parentElement;
    if (place.closest("script, style, code, pre, option[value], textarea, svg") || !place.checkVisibility()) continue;
    const words = node.textContent.match(/\b[a-z]+(_[a-z]+)+\b|\{[a-z_]+\}|\b(undefined|null|NaN|None)\b/g);
    if (words) found.push(...words); }
  return found; }
"""
"""Words for programs that a person sees."""


def pages_of(office: Office) -> dict[str, str]:
    """Give the path of each page by its name, of an office with a tour."""
    tour, stop = f"rt_{office.tour.route_id}", f"st_{office.tour.stop_ids[0]}"
    return {
        "day": "/desk",
        "tour": f"/desk/tours/{tour}",
        "replay": f"/desk/tours/{tour}/replay",
        "stop": f"/desk/stops/{stop}",
        "found": "/desk/find?q=4711",
        "found-none": "/desk/find?q=nobody",
        "no-stop": "/desk/stops/st_999",
        **empty_pages(),
    }


def empty_pages() -> dict[str, str]:
    """Give the path of each page that a firm without a tour has, by its name."""
    return {
        "day": "/desk",
        "find": "/desk/find",
        "alerts": "/desk/alerts",
        "closed": "/desk/alerts?state=closed",
        "board": "/desk/board",
        "wall": "/desk/board?wall=1",
        **{f"settings-{name}": f"/desk/settings/{name}" for name in SETTINGS},
    }


async def fill(office: Office, page: Any) -> None:
    """Bring something onto each page; `page` is an owner's."""
    other = await Tour.put(
        office.pool, office.account_id, start_at=office.now - timedelta(minutes=30), external_id="sur-2",
        driver="Beto Ruiz",
    )  # fmt: skip
    await other.see_van(700, at=office.now - timedelta(minutes=9), on_route=False, speed_mps=None, heading_deg=None)
    await tell(office)
    for kind, severity, place in (("driver.sos", 3, None), ("stop.failed", 2, 0), ("message.failed", 1, 0)):
        await alert(office, kind, severity, place)
    await page.goto(f"{office.url}/desk/find")
    noon = f"{office.now + timedelta(days=1):%Y-%m-%d}T12:00:00-05:00"
    until = f"{office.now + timedelta(days=1):%Y-%m-%d}T14:00:00-05:00"
    area = {"type": "Polygon", "coordinates": [NEAR]}
    circle = {"type": "Point", "coordinates": [-75.56, 6.25]}
    for write in (
        ("POST", "/v1/slots", {"zone": "centro", "start": noon, "end": until, "capacity": {"stops": 20}}),
        ("POST", "/v1/pickup-points", {"name": "Kiosko", "address": "Cl. 10 # 43", "lat": 6.25, "lon": -75.56}),
        ("PUT", "/v1/geofences/patio", {"type": "Feature", "geometry": area, "properties": {"dwell_s": 60}}),
        ("PUT", "/v1/geofences/ring", {"type": "Feature", "geometry": circle, "properties": {"radius_m": 300}}),
        ("POST", "/v1/keys", {"role": "viewer", "label": "Tablero de la bodega"}),
        ("POST", "/v1/invitations", {"email": "nueva.persona@tienda.example", "role": "dispatcher"}),
        ("POST", "/v1/webhooks", {"url": "https://127.0.0.1/entregas", "types": ["stop.failed"]}),
        ("POST", f"/v1/drivers/dr_{office.tour.driver_id}/devices", {"app": "traccar"}),
    ):
        await page.evaluate(_WROTE, list(write))


async def codes(page: Any) -> list[str]:
    """Give what of a page's text is for programs, not for people."""
    found: list[str] = await page.evaluate(_CODES)
    return found
