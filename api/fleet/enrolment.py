"""How a phone app is told where to send: what to type, what to scan, what else to do, in the driver's language."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Literal, TypeAlias
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from api.pages.catalog import LANGUAGES, enrolment_texts
from api.pages.qr import qr_svg

App: TypeAlias = Literal["native", "owntracks", "traccar", "overland", "gpslogger", "osmand", "bggeo"]
"""What sends: an app made for Reparto (native), or one from a store."""

APP_NAMES: Mapping[str, str] = {
    "native": "Reparto",
    "owntracks": "OwnTracks",
    "traccar": "Traccar Client",
    "overland": "Overland",
    "gpslogger": "GPSLogger",
    "osmand": "OsmAnd",
    "bggeo": "Background Geolocation",
}
"""What people call them."""


class Setup(Struct, frozen=True, kw_only=True):
    """What makes a phone send here.

    `url` is what to type into the app; `qr_svg` an image to scan that holds all of it where the app can read such a
    thing, else the url; `steps` say what to do, in the driver's language. It holds secrets.
    """

    url: str
    steps: list[str]
    qr_svg: str


_OSMAND_QUERY = "?lat={0}&lon={1}&timestamp={2}&hdop={3}&altitude={4}&speed={5}&bearing={6}"
"""What the OsmAnd app calls the values in its own template: the door's query, filled in by the app."""

_GPSLOGGER_QUERY = "?lat=%LAT&lon=%LON&time=%TIME&acc=%ACC&alt=%ALT&spd=%SPD&dir=%DIR&batt=%BATT&ischarging=%ISCHARGING"
"""What GPSLogger calls them."""

_OWNTRACKS_HTTP, _OWNTRACKS_MOVE = 3, 2
"""Its way to send, and how often: at every move. Source: owntracks.org/booklet/tech/json, `configuration`."""


def setup_of(
    app: App, *, public_url: str, device_id: str, token: str | None, ingest_token: str, locale: str | None
) -> Setup:
    """Say how an app is set up to send for a device.

    Args:
        public_url: of this server, without a slash at its end.
        device_id: as shown; some apps want a name to send under.
        token: of an app that reads, too; None for the others.
        locale: of the driver; Spanish unless it begins with pt or en.
    """
    door = f"{public_url}/ingest/{ingest_token}"
    scan: str | None = None
    match app:
        case "native":
            url = public_url
            scan = msgspec.json.encode({"url": url, "token": token, "ingest_token": ingest_token}).decode()
        case "traccar":
            url = f"{door}/osmand"
            scan = f"{url}?{urlencode({'id': device_id})}"
        case "osmand":
            url = f"{door}/osmand{_OSMAND_QUERY}"
        case "owntracks":
            url = f"{door}/owntracks"
            scan = _owntracks_link(f"{public_url}/pub", device_id=device_id, ingest_token=ingest_token)
        case "overland":
            url = f"{door}/overland"
            by_header = {"url": f"{public_url}/ingest/overland", "token": ingest_token, "device_id": device_id}
            scan = f"overland://setup?{urlencode(by_header)}"
        case "gpslogger":
            url = f"{door}/gpslogger{_GPSLOGGER_QUERY}"
        case "bggeo":
            url = f"{door}/bggeo"
    language = (locale or "")[:2]
    steps = enrolment_texts(language if language in LANGUAGES else LANGUAGES[0])[app]
    return Setup(url=url, steps=list(steps), qr_svg=qr_svg(scan or url))


def _owntracks_link(url: str, *, device_id: str, ingest_token: str) -> str:
    """Write the link by which OwnTracks sets itself up; the token is a password there, so that no log has it."""
    configuration = {
        "_type": "configuration",
        "mode": _OWNTRACKS_HTTP,
        "monitoring": _OWNTRACKS_MOVE,
        "url": url,
        "auth": True,
        "username": device_id,
        "password": ingest_token,
        "deviceId": device_id,
        "tid": device_id[-2:],
    }
    return f"owntracks:///config?inline={b64encode(msgspec.json.encode(configuration)).decode()}"
