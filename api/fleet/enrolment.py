"""How a phone app is told where to send: what to type, what to scan, what else to do, in the driver's language."""

import base64
import io
from collections.abc import Mapping
from typing import Literal, TypeAlias
from urllib.parse import urlencode

import msgspec
import segno
from msgspec import Struct

App: TypeAlias = Literal["native", "owntracks", "traccar", "overland", "gpslogger", "osmand", "bggeo"]
"""What sends: an app made for Reparto (native), or one from a store."""

WELCOME: tuple[App, ...] = ("native", "traccar", "osmand")
"""Those that have a door here; for the others there is none yet."""


class Setup(Struct, frozen=True, kw_only=True):
    """What makes a phone send here.

    `url` is what to type into the app; `qr_svg` an image to scan that holds all of it where the app can read such a
    thing, else the url; `steps` say what to do, in the driver's language. It holds secrets.
    """

    url: str
    steps: list[str]
    qr_svg: str


# What the apps call the values in their own templates: a door's query, filled in by the app.
_GPSLOGGER_QUERY = "?%ALL"
_OSMAND_QUERY = "?lat={0}&lon={1}&timestamp={2}&hdop={3}&altitude={4}&speed={5}&bearing={6}"

_STEPS: Mapping[str, Mapping[App, tuple[str, ...]]] = {
    "es": {
        "native": ("Abre la aplicación y escanea el código.", "Permite la ubicación «siempre»."),
        "owntracks": (
            "Instala OwnTracks.",
            "Escanea el código con la cámara y acepta la configuración; o elige el modo HTTP y escribe la dirección.",
            "Permite la ubicación «siempre» y elige el modo «Movimiento» durante el reparto.",
        ),
        "traccar": (
            "Instala Traccar Client.",
            "Escanea el código; o escribe la dirección en «URL del servidor».",
            "Permite la ubicación «siempre» y activa el servicio.",
        ),
        "overland": (
            "Instala Overland.",
            "Escanea el código con la cámara; o escribe la dirección en «Receiver Endpoint».",
            "Permite la ubicación «siempre» y activa el seguimiento.",
        ),
        "gpslogger": (
            "Instala GPSLogger.",
            "En «Registro», activa «URL personalizada» y escribe la dirección.",
            "Empieza el registro.",
        ),
        "osmand": (
            "En OsmAnd, activa el complemento «Grabación de viaje».",
            "Activa «Seguimiento en línea» y escribe la dirección.",
            "Empieza la grabación.",
        ),
        "bggeo": ("Pon la dirección como «url» de BackgroundGeolocation.", "Permite la ubicación «siempre»."),
    },
    "pt": {
        "native": ("Abra o aplicativo e escaneie o código.", "Permita a localização «sempre»."),
        "owntracks": (
            "Instale o OwnTracks.",
            "Escaneie o código com a câmera e aceite a configuração; ou escolha o modo HTTP e digite o endereço.",
            "Permita a localização «sempre» e escolha o modo «Movimento» durante a entrega.",
        ),
        "traccar": (
            "Instale o Traccar Client.",
            "Escaneie o código; ou digite o endereço em «URL do servidor».",
            "Permita a localização «sempre» e ative o serviço.",
        ),
        "overland": (
            "Instale o Overland.",
            "Escaneie o código com a câmera; ou digite o endereço em «Receiver Endpoint».",
            "Permita a localização «sempre» e ative o rastreamento.",
        ),
        "gpslogger": (
            "Instale o GPSLogger.",
            "Em «Registro», ative «URL personalizada» e digite o endereço.",
            "Inicie o registro.",
        ),
        "osmand": (
            "No OsmAnd, ative o complemento «Gravação de viagem».",
            "Ative «Rastreamento on-line» e digite o endereço.",
            "Inicie a gravação.",
        ),
        "bggeo": ("Use o endereço como «url» do BackgroundGeolocation.", "Permita a localização «sempre»."),
    },
    "en": {
        "native": ("Open the app and scan the code.", "Allow location “always”."),
        "owntracks": (
            "Install OwnTracks.",
            "Scan the code with the camera and accept the configuration; or choose the mode HTTP and type the address.",
            "Allow location “always” and choose the mode “Move” while delivering.",
        ),
        "traccar": (
            "Install Traccar Client.",
            "Scan the code; or type the address as “Server URL”.",
            "Allow location “always” and switch the service on.",
        ),
        "overland": (
            "Install Overland.",
            "Scan the code with the camera; or type the address as “Receiver Endpoint”.",
            "Allow location “always” and switch tracking on.",
        ),
        "gpslogger": (
            "Install GPSLogger.",
            "Under “Logging details”, switch “Log to custom URL” on and type the address.",
            "Start logging.",
        ),
        "osmand": (
            "In OsmAnd, switch the plugin “Trip recording” on.",
            "Switch “Online tracking” on and type the address.",
            "Start the recording.",
        ),
        "bggeo": ("Set the address as `url` of BackgroundGeolocation.", "Allow location “always”."),
    },
}


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
        case "owntracks":
            url = f"{door}/owntracks"
            config = {"_type": "configuration", "mode": 3, "url": url, "auth": False, "deviceId": device_id}
            inline = base64.b64encode(msgspec.json.encode(config)).decode()
            scan = f"owntracks:///config?{urlencode({'inline': inline})}"
        case "traccar":
            url = f"{door}/osmand"
            scan = f"{url}?{urlencode({'id': device_id})}"
        case "overland":
            url = f"{door}/overland"
            scan = f"overland://setup?{urlencode({'url': url, 'device_id': device_id})}"
        case "gpslogger":
            url = f"{door}/gpslogger{_GPSLOGGER_QUERY}"
        case "osmand":
            url = f"{door}/osmand{_OSMAND_QUERY}"
        case "bggeo":
            url = f"{door}/bggeo"
    language = (locale or "es")[:2]
    steps = _STEPS.get(language, _STEPS["es"])[app]
    return Setup(url=url, steps=list(steps), qr_svg=_qr(scan or url))


def _qr(text: str) -> str:
    image = io.BytesIO()
    segno.make(text, error="m", micro=False).save(image, kind="svg", scale=4, border=4, xmldecl=False, svgns=True)
    return image.getvalue().decode()
