"""The API's own description, written from the declared operations: OpenAPI 3.1, and a page to browse it."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from string import Template
from typing import Any

import msgspec
from aiohttp import web

from api.http import assets
from api.http.auth import CSRF_HEADER
from api.http.media import JSON, MSGPACK
from api.http.operation import DECLARED, Operation, Operations, Parameter, Who
from api.http.problem import FieldError

DOCUMENT: web.AppKey[Callable[[], bytes]] = web.AppKey("openapi_document")
"""Gives it, written when it is first asked for."""

_PAGE = Template((assets.ROOT / "docs.html").read_text(encoding="utf-8"))
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_IN_PATH = re.compile(r"\{(\w+)(:[^}]*)?\}")
_REF = "#/components/schemas/{name}"

_ABOUT = """
What programs, planners, dispatchers and drivers' phones can ask of Reparto.

Send `Authorization: Bearer …` with an API key, or with a device's token where it says so. Bodies and answers are JSON,
or the same shapes in MessagePack by `Content-Type` and `Accept`; bodies may be gzip. Things are named by the server's
id (`rt_7`) or by your own external id wherever a path takes one. Times are RFC 3339 with their zone, places WGS 84
degrees, lengths metres. Lists come in pages: ask again with `?cursor=` and the `next` of the page before.
""".strip()

_NEEDS = {
    Who.ANYONE: "Needs no credential.",
    Who.DEVICE: "Needs the token of a device.",
    Who.VIEWER: "Needs an API key, or a session of another role than driver.",
    Who.SUPPORT: "Needs an API key of the role dispatcher or admin, or a session of the role support or a higher one.",
    Who.DISPATCHER: "Needs an API key or a session of the role dispatcher or a higher one.",
    Who.ADMIN: "Needs an API key of the role admin, or a session of the role admin or owner.",
    Who.OWNER: "Needs a session of the role owner.",
    Who.USER: "Needs a session.",
    Who.COLLEAGUE: "Needs a session of another role than driver.",
    Who.CALLER: "Needs an API key or a session.",
    Who.DRIVER: "Needs the token of a device, or a session of the role driver.",
    Who.PHONE: "Needs the ingest token of a device: as the password of HTTP Basic, or as Bearer.",
}

_PATH_WORDS = {
    "route": "The route's id or its external id.",
    "driver": "The driver's id or their external id.",
    "geofence": "The geofence's id or its external id.",
    "token": "The token of a link that a recipient was given.",
    "channel": "email, sms, whatsapp or log.",
    "kind": "The kind of message.",
    "address": "A number like +573001112233, or an e-mail address.",
    "hook": "What only the provider was told.",
}


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong (RFC 9457). `errors` name bad fields, as JSON pointers into the body or names of parameters."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


def _prepare(app: web.Application) -> None:
    written: Callable[[], bytes] = cache(partial(_write, app))
    app[DOCUMENT] = written


def _write(app: web.Application) -> bytes:
    declared = app[DECLARED]
    return msgspec.json.encode(document(declared))


operations = Operations("description", prepare=_prepare)


@operations.operation("GET", "/openapi.json", who=Who.ANYONE, media=("application/json",))
async def get_openapi(request: web.Request) -> web.Response:
    """Read this description."""
    return web.Response(body=request.app[DOCUMENT](), content_type=JSON)


@operations.operation("GET", "/docs", who=Who.ANYONE, media=("text/html",))
async def get_docs(_request: web.Request) -> web.Response:
    """Browse this description, and try it."""
    headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
    return web.Response(text=_PAGE.substitute(assets=assets.PATH), content_type="text/html", headers=headers)


def document(described: Sequence[tuple[str, Operation]]) -> dict[str, Any]:
    """Write the description of operations, each with its tag."""
    shapes = [shape for _, one in described for shape in (one.body, one.answer) if shape is not None]
    schemas, components = msgspec.json.schema_components([*shapes, ProblemDocument], ref_template=_REF)
    schema_of = dict(zip(map(repr, shapes), schemas, strict=False))
    paths: dict[str, dict[str, Any]] = {}
    for tag, one in described:
        paths.setdefault(_IN_PATH.sub(r"{\1}", one.path), {})[one.method.lower()] = _operation(tag, one, schema_of)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Reparto",
            "version": "1",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(tag for tag, _ in described)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key."},
                "device": {"type": "http", "scheme": "bearer", "description": "The token of a device."},
                "phone": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The password is the ingest token of a device; the user name is not read.",
                },
                "phone_bearer": {"type": "http", "scheme": "bearer", "description": "The ingest token of a device."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "__Host-reparto",
                    "description": "Somebody who signed in; `reparto` where the server is not reached by https."
                    f" What changes something carries `{CSRF_HEADER}: 1` too.",
                },
            },
        },
    }


def _operation(tag: str, one: Operation, schema_of: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": one.handler.__name__,
        "tags": [tag],
        "summary": one.summary,
        "description": "\n\n".join(part for part in (one.description, _NEEDS[one.who]) if part),
        "parameters": [
            *_in_path(one.path),
            *(_parameter(each, "query") for each in one.query),
            *(_parameter(each, "header") for each in one.headers),
        ],
        "responses": _responses(one, schema_of),
        "security": [{scheme: []} for scheme in _schemes(one.who)],
    }
    if one.body is not None:
        schema = schema_of[repr(one.body)]
        described["requestBody"] = {
            "required": True,
            "content": {media: {"schema": schema} for media in (JSON, MSGPACK)},
        }
    if one.takes:
        described["requestBody"] = {"content": {media: {"schema": schema} for media, schema in one.takes.items()}}
    return described


def _schemes(who: Who) -> tuple[str, ...]:
    """Name what each by itself is enough; none: nothing is needed."""
    if who is Who.ANYONE:
        return ()
    if who in (Who.DEVICE, Who.DRIVER):
        return ("device",) if who is Who.DEVICE else ("device", "session")
    if who is Who.PHONE:
        return ("phone", "phone_bearer")
    return ("session",) if who in (Who.OWNER, Who.USER, Who.COLLEAGUE) else ("key", "session")


def _in_path(path: str) -> Iterator[dict[str, Any]]:
    for match in _IN_PATH.finditer(path):
        description = _PATH_WORDS.get(match[1], f"The {match[1]}'s id.")
        if path.startswith("/ingest/"):
            description = "The ingest token of a device."
        yield {
            "name": match[1],
            "in": "path",
            "required": True,
            "description": description,
            "schema": {"type": "string"},
        }


def _parameter(parameter: Parameter, where: str) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": where,
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _responses(one: Operation, schema_of: dict[str, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done."}
    kinds = one.media or ((JSON, MSGPACK) if one.answer is not None else ())
    if kinds:
        good["content"] = {
            kind: {"schema": schema_of[repr(one.answer)]} if one.answer is not None and kind in (JSON, MSGPACK) else {}
            for kind in kinds
        }
    problem = {"$ref": _REF.format(name=ProblemDocument.__name__)}
    return {
        str(one.status): good,
        **{
            str(status): {**({} if status == 304 else good), "description": meaning}
            for status, meaning in one.also.items()
        },
        "default": {
            "description": "It was refused, or cannot be done now.",
            "content": {"application/problem+json": {"schema": problem}},
        },
    }
