"""Versions in HTTP: `ETag` out, `If-Match` in, so that nobody overwrites an edit they have not seen."""

from aiohttp import web

from api.http.operation import Parameter
from api.http.problem import PreconditionFailed

MADE = {201: "Made."}
"""What a PUT answers for what was not there."""

IF_MATCH = Parameter(name="If-Match", description="`ETag` of the version that you know; 412 if it is another one.")
IF_NEW = Parameter(name="If-None-Match", description="`*`: only where there is none yet; 412 if there is one.")
UNCHANGED = {304: "What you have is what there is."}
IF_NONE_MATCH = Parameter(name="If-None-Match", description="`ETag` of what you have; 304 if that is what there is.")


def etag(version: int) -> dict[str, str]:
    """Give the headers that tell a version."""
    return {"ETag": f'"{version}"'}


def check_if_match(request: web.Request, version: int | None) -> None:
    """Hold a write against the version in force, None when there is none yet.

    Raises:
        PreconditionFailed: `If-Match` is there and does not name it.
    """
    tags = {tag.strip().removeprefix("W/") for tag in request.headers.get("If-Match", "").split(",")} - {""}
    if not tags or (version is not None and not tags.isdisjoint({"*", f'"{version}"'})):
        return
    there = "there is none yet" if version is None else f"version {version} is in force"
    raise PreconditionFailed(f"If-Match names another version; {there}. Read it again, then repeat your change.")


def check_if_new(request: web.Request, version: int | None) -> None:
    """Hold a write that is to make something against what is there; `version` is None when there is nothing.

    Raises:
        PreconditionFailed: `If-None-Match: *` is there, and so is a version.
    """
    if version is not None and request.headers.get("If-None-Match", "").strip() == "*":
        raise PreconditionFailed(f"There is one already, version {version}. Read it, then change it.")
