"""Certificates: one page that a shop sends to a customer who says that nothing came."""

from typing import Any

import numpy as np
from aiohttp import web

from api.certificate.html import write_html
from api.certificate.map import SmallMap, draw_map, reach_m
from api.certificate.sheet import Sheet, Spot, photos_on, sheet_of, spot_of
from api.http import ids
from api.http.app_keys import POOL, PROOFS, now_of
from api.http.auth import caller_of
from api.http.operation import Operations, Parameter, Who
from api.http.problem import FieldError, Invalid, NotFound
from api.pages.catalog import LANGUAGES, certificate_texts, choose
from api.proofs.stop import StopProof, read_stop_proof
from sql.account.settings import settings_of
from sql.delivery import proofs
from sql.delivery.proofs import StopStory
from sql.delivery.tracking import read_stretch
from work.proofs.blobs import BlobMissing
from work.proofs.images import scaled
from work.proofs.store import SHOWN, blob_name

operations = Operations("proofs")

_PHOTO_PX = 1_000
"""The longer side of a photo on a certificate: sharp in print, and the whole can go by e-mail."""

_FORMATS = ("html", "pdf")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; sandbox"
_PLAIN = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


@operations.operation(
    "GET",
    "/v1/stops/{stop}/certificate",
    who=Who.VIEWER,
    query=(
        Parameter(name="format", description="html unless given.", schema={"type": "string", "enum": list(_FORMATS)}),
        Parameter(
            name="lang",
            description="The stop's own unless given, or the account's first.",
            schema={"type": "string", "enum": list(LANGUAGES)},
        ),
    ),
    media=("text/html", "application/pdf"),
)
async def get_certificate(request: web.Request) -> web.Response:
    """Get a page that shows how a stop was served.

    One HTML file with everything inside, or one page of PDF: what, when, where on a small map, who, photos, signature,
    and the SHA-256 of each file.
    """
    written = _one_of(request, "format", _FORMATS) or "html"
    stop_id = ids.id_in_path(request, "stop", ids.STOP)
    account_id = caller_of(request).account_id
    story = await proofs.read_story(request.app[POOL], account_id=account_id, stop_id=stop_id)
    if story is None:
        raise NotFound("There is no stop of this id.")
    whole, settings = await read_stop_proof(request, stop_id), settings_of(story.settings)
    wanted = _one_of(request, "lang", LANGUAGES) or story.locale or ""
    language = choose(wanted, "", LANGUAGES if wanted in LANGUAGES else settings.languages)
    sheet = sheet_of(
        whole,
        settings,
        certificate_texts(language),
        language=language,
        small_map=await _map(request, story, spot_of(whole)),
        pictures=await _pictures(request, account_id, whole),
        now=now_of(request),
    )
    name = f"{ids.shown(ids.STOP, stop_id)}.{written}"
    if written == "html":
        headers = {**_PLAIN, "Content-Security-Policy": _POLICY, "Content-Disposition": f'inline; filename="{name}"'}
        return web.Response(text=write_html(sheet), content_type="text/html", headers=headers)
    content = await request.app[PROOFS].slow(_pdf_of, sheet)
    headers = {**_PLAIN, "Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=content, content_type="application/pdf", headers=headers)


def _pdf_of(sheet: Sheet) -> bytes:
    from api.certificate.pdf import write_pdf  # half a second of loading: no process waits for it when it starts

    return write_pdf(sheet)


def _one_of(request: web.Request, name: str, offered: tuple[str, ...]) -> str | None:
    """Read a query parameter; None when it is not there.

    Raises:
        Invalid: it is none of those.
    """
    text = request.query.get(name)
    if text is not None and text not in offered:
        why = f"must be one of {', '.join(offered)}"
        raise Invalid("A parameter is not usable.", errors=[FieldError(at=name, why=why)])
    return text


async def _map(request: web.Request, story: StopStory, spot: Spot | None) -> SmallMap:
    away_m = None if spot is None else spot.distance_m
    around_m = 2 * reach_m(away_m)  # a path winds
    stretch = await read_stretch(
        request.app[POOL],
        route_id=story.route_id,
        version=story.route_version,
        from_m=story.along_m - around_m,
        to_m=story.along_m + around_m,
    )
    nothing: list[Any] = []
    return draw_map(
        path_lon=np.asarray(stretch.lon if stretch else nothing, np.float64),
        path_lat=np.asarray(stretch.lat if stretch else nothing, np.float64),
        stop=(story.lon, story.lat),
        radius_m=story.radius_m,
        place=None if spot is None else (spot.place.lon, spot.place.lat),
        distance_m=away_m,
    )


async def _pictures(request: web.Request, account_id: int, whole: StopProof) -> dict[str, bytes]:
    """Read the pictures that have room, each made small; one that is not in the store is left out."""
    store = request.app[PROOFS]
    pictures: dict[str, bytes] = {}
    for proof in [*photos_on(whole), *([whole.signature] if whole.signature else [])]:
        number = ids.number_of(ids.PROOF, proof.id) or 0
        try:
            shown = await store.blobs.get(blob_name(account_id, number, SHOWN))
        except BlobMissing:
            continue
        pictures[proof.id] = await store.slow(scaled, shown, _PHOTO_PX)
    return pictures
