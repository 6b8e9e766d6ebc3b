"""How a route of the API is declared: its path, who may call it, what it takes and gives.

The declaration is the only truth: the wrapper enforces who may call, `openapi.py` writes the description from it.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import wraps
from typing import Any, Protocol, TypeAlias, TypedDict, Unpack

from aiohttp import web

from api.http.auth import Caller, Role, authorize, authorize_device, authorize_driver, authorize_phone
from api.http.problem import Forbidden
from api.http.trail import note_after

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FindsCaller(Protocol):
    """Finds out who asks, as `api.http.auth.authorize` does."""

    def __call__(self, request: web.Request, least: Role, /, *, polled: bool = False) -> Awaitable[Caller]: ...


class Who(IntEnum):
    """Who may call an operation."""

    ANYONE = 0
    DEVICE = 1  # a driver's device, by its `token`
    VIEWER = 2  # an API key or a session of this role or a higher one, and so on below
    SUPPORT = 3
    DISPATCHER = 4
    ADMIN = 5
    OWNER = 6
    USER = 7  # whoever signed in, whatever their role; no API key
    COLLEAGUE = 8  # whoever signed in and is more than a driver; no API key
    CALLER = 9  # an API key or a session, whatever its role
    DRIVER = 10  # a driver's device, by its `token`, or a driver who signed in
    PHONE = 11  # a driver's device, by its `ingest_token` in a header: Bearer, or the password of HTTP Basic


ROLE_OF = {
    Who.VIEWER: Role.VIEWER,
    Who.SUPPORT: Role.SUPPORT,
    Who.DISPATCHER: Role.DISPATCHER,
    Who.ADMIN: Role.ADMIN,
    Who.OWNER: Role.OWNER,
    Who.USER: Role.DRIVER,
    Who.COLLEAGUE: Role.VIEWER,
    Who.CALLER: Role.DRIVER,
}
"""The least role of those who may call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One query parameter or header, as the description shows it."""

    name: str
    description: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One route.

    Attributes:
        body: the type that the body is read as, or None.
        answer: the type of a good answer, or None where it has no body or is not JSON.
        media: media types of the answer where they are not JSON and MessagePack.
        also: other statuses than `status` that are no problem either, and what they mean.
        headers: what else a request says in its headers.
        takes: schemas of bodies that are not read as a type, by media type.
        polled: asked again and again, so that who asks is not looked up each time.
    """

    method: str
    path: str
    who: Who
    handler: Handler
    summary: str
    description: str
    body: Any = None
    answer: Any = None
    status: int = 200
    query: tuple[Parameter, ...] = ()
    media: tuple[str, ...] = ()
    also: Mapping[int, str] = field(default_factory=dict)
    headers: tuple[Parameter, ...] = ()
    takes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    polled: bool = False


class Shapes(TypedDict, total=False):
    """What an operation takes and gives; the fields are those of `Operation`, with its defaults."""

    body: Any
    answer: Any
    status: int
    query: tuple[Parameter, ...]
    media: tuple[str, ...]
    also: Mapping[int, str]
    headers: tuple[Parameter, ...]
    takes: Mapping[str, Mapping[str, Any]]
    polled: bool


DECLARED: web.AppKey[list[tuple[str, Operation]]] = web.AppKey("declared")
"""Every operation that an application answers, with its tag."""


class Operations:
    """The operations of one module, declared by decorating their handlers.

    Args:
        prepare: puts into an application what the handlers look for there.
        find: finds out which person or program asks, where their clients say it in a way of their own.
    """

    def __init__(
        self, tag: str, *, prepare: Callable[[web.Application], None] | None = None, find: FindsCaller = authorize
    ) -> None:
        self.tag = tag
        self._prepare = prepare
        self._find = find
        self._operations: list[Operation] = []

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._operations)

    def add_to(self, app: web.Application) -> None:
        """Route requests to these operations and describe them; HEAD is answered as GET is, without a body."""
        if self._prepare is not None:
            self._prepare(app)
        has_head = {operation.path for operation in self._operations if operation.method == "HEAD"}
        for operation in self._operations:
            app.router.add_route(operation.method, operation.path, operation.handler)
            if operation.method == "GET" and operation.path not in has_head:
                app.router.add_route("HEAD", operation.path, operation.handler)
        app.setdefault(DECLARED, []).extend((self.tag, operation) for operation in self._operations)

    def operation(self, method: str, path: str, *, who: Who, **shapes: Unpack[Shapes]) -> Callable[[Handler], Handler]:
        """Declare a handler. Its docstring's first line is the summary, the rest the description."""

        def declare(handler: Handler) -> Handler:
            guarded = _guard(handler, who, self._find, polled=shapes.get("polled", False))
            summary, _, description = (handler.__doc__ or "").strip().partition("\n")
            self._operations.append(
                Operation(
                    method=method,
                    path=path,
                    who=who,
                    handler=guarded,
                    summary=summary.strip(),
                    description="\n".join(line.strip() for line in description.strip().splitlines()),
                    **shapes,
                )
            )
            return guarded

        return declare


def _guard(handler: Handler, who: Who, find: FindsCaller, *, polled: bool) -> Handler:
    if who is Who.ANYONE:
        return handler

    @wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        if who is Who.DEVICE:
            await authorize_device(request)
            return await handler(request)
        if who is Who.PHONE:
            await authorize_phone(request)
            return await handler(request)
        if who is Who.DRIVER:
            driver = await authorize_driver(request)
            response = await handler(request)
            if driver is not None:
                await note_after(request, response)
            return response
        caller = await find(request, ROLE_OF[who], polled=polled)
        if who in (Who.USER, Who.COLLEAGUE) and caller.person_id is None:
            raise Forbidden("This is for people who signed in; an API key has no session.")
        response = await handler(request)
        await note_after(request, response)
        return response

    return guarded
