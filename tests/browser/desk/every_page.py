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

WROTE = """
async ([method, path, body]) => {
  const headers = { "Content-Type": "application/json", "Reparto-Csrf": "1" };
  const response = await fetch(path, { method, headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`); }
"""

_SENT = """
async (sheet) => {
  const asked = { method: "POST", headers: { "Content-Type": "text/csv", "Reparto-Csrf": "1" }, body: sheet };
  const response = await fetch("/v1/imports?kind=orders", asked);
  if (!response.ok) throw new Error(await response.text()); }
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
        "replan-tour": f"/desk/replan?route={tour}",
        "proposal": "/desk/replan/pl_1",
        "import": "/desk/imports/im_1",
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
        "replan": "/desk/replan",
        "imports": "/desk/imports",
        "alerts": "/desk/alerts",
        "closed": "/desk/alerts?state=closed",
        "board": "/desk/board",
        "wall": "/desk/board?wall=1",
        "reports": "/desk/reports?by=driver",
        "reports-wrong": "/desk/reports?from=2026-03-09&to=2026-03-02",
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
    await propose(office, other)
    for kind, severity, place in (("driver.sos", 3, None), ("stop.failed", 2, 0), ("message.failed", 1, 0)):
        await alert(office, kind, severity, place)
    await page.goto(f"{office.url}/desk/find")
    await page.evaluate(
        _SENT, "pedido;nombre;direccion;fecha;Vendedor\n1;Ana;Calle 1;25/12/2026;X\n2;Luis;;31/02/2026;\n"
    )
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
        await page.evaluate(WROTE, list(write))


async def propose(office: Office, other: Tour) -> None:
    """Have something proposed: the first van is out, the other one takes what it can."""
    here, there = f"rt_{office.tour.route_id}", f"rt_{other.route_id}"
    at = {n: (office.now + timedelta(minutes=n)).isoformat() for n in (-30, 0, 12, 29, 40, 55, 62, 90, 120)}
    cost = {"km": 31.2, "minutes": 240.0, "vehicles": 2, "amount": 60.0}

    def means(place: int | None, order: str, what: str, promise: str | None, **more: Any) -> dict[str, Any]:
        stop = None if place is None else f"st_{office.tour.stop_ids[place]}"
        window = {"start": at[-30], "end": at[62]} if promise else None
        nothing: dict[str, Any] = dict.fromkeys(("from_shift", "to_shift", "from_route", "to_route", "before", "after"))
        return {"order": order, "stop": stop, "what": what, "promise": promise, "window": window, **nothing, **more}

    await office.pool.execute("UPDATE route SET depot_name = 'Bodega Centro', depot_lat = 6.2442, depot_lon = -75.569")
    because = "La camioneta de Marta se varó"
    recipients = [
        means(1, "stop-1", "moved", "saved", from_route=here, to_route=there, before=at[90], after=at[55]),
        means(2, "stop-2", "later", "broken", from_route=there, to_route=there, before=at[40], after=at[90]),
        means(3, "stop-3", "stays", "missed", from_route=here, before=at[120]),
        means(None, "express-7", "added", None, to_route=there, after=at[40]),
        means(0, "4711", "cancelled", None, from_route=here, before=at[12]),
    ]
    visit = {"order": "stop-1", "arrive_at": at[55], "begin_at": at[55], "depart_at": at[62]}
    hours = {"shift": None, "vehicle": None, "start_at": at[0], "end_at": at[120], "km": 20.5, "breaks": []}
    result = {
        "cost": cost,
        "tours": [{**hours, "route": there, "stops": [visit] * 3}, {**hours, "route": here, "stops": []}],
        "unplanned": [
            {"order": "stop-3", "why": "It is full.", "would_help": {"any_time": True, "one_more_van": True}}
        ],
        "proposal": {
            "because": because, "as_of": at[0], "until": at[29], "before": cost, "minutes": 12.4,
            "km": -3.25, "windows_saved": 1, "windows_broken": 1, "recipients": recipients,
        },
    }  # fmt: skip
    place = {"name": "Bodega Centro", "lat": 6.2442, "lon": -75.5690, "timezone": "America/Bogota"}
    asked = {"because": because, "out": [{"route": office.tour.route_id}], "place": place}
    await office.pool.execute(
        """INSERT INTO plan (account_id, state, date, depot, asked, progress, result)
           VALUES ($1, 'done', $2, '/', $3, 1, $4)""",
        *(office.account_id, office.now.date(), asked, result),
    )


async def codes(page: Any) -> list[str]:
    """Give what of a page's text is for programs, not for people."""
    found: list[str] = await page.evaluate(_CODES)
    return found
