"""The product as anybody with a tracking link sees it: what is asked of it by HTTP, and what it refuses, in words."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec

_ANSWER_TIMEOUT_S = 20.0
_LINK = re.compile(r"(?:.*/t/)?(?P<token>[A-Za-z0-9_-]{16,64})(?:[/?#].*)?", re.DOTALL)


class RefusedInWords(Exception):  # noqa: N818 (it reads better where it is raised)
    """The product said no, or does not answer; the text says why and what to do."""


class ByLink:
    """The API without a key. Addresses in links are never asked: only the token is taken out of them."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        came_by: str,
        query: Mapping[str, str] | None = None,
        code: str = "",
        photo: bytes = b"",
    ) -> Any:
        """Ask, and give the answer.

        Args:
            came_by: `X-Forwarded-For`: for whom it is asked, so that limits count them and not this process.
            code: what was sent to the contact on file; empty for none.
            photo: is sent as a form's `file`, in place of `body`; empty for none.

        Raises:
            RefusedInWords: it is refused, or nobody answers.
        """
        headers = {"X-Forwarded-For": came_by, "Accept": "application/json"} | ({"Reparto-Code": code} if code else {})
        sent: dict[str, Any] = {"json": body} if not photo else {"data": _form(photo)}
        try:
            async with self._session.request(
                method, self._url + path, **sent, params=query, headers=headers, allow_redirects=False
            ) as response:
                content = await response.read()
                if response.status < 300:
                    return msgspec.json.decode(content)
                raise RefusedInWords(_in_words(response.status, content))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RefusedInWords("The delivery service does not answer. Try again in a minute.") from error


@asynccontextmanager
async def by_link(url: str) -> AsyncIterator[ByLink]:
    """Hold connections to the product at `url` during the block."""
    timeout = aiohttp.ClientTimeout(total=_ANSWER_TIMEOUT_S)
    async with aiohttp.ClientSession(
        timeout=timeout, json_serialize=lambda value: msgspec.json.encode(value).decode()
    ) as session:
        yield ByLink(session, url)


def path_of(link: str, what: str = "") -> str:
    """Give the path of the API for a tracking link, or for its token alone.

    Raises:
        RefusedInWords: it is neither.
    """
    found = _LINK.fullmatch(link.strip())
    if found is None:
        raise RefusedInWords("That is no tracking link: it ends in /t/ and some twenty letters and digits.")
    return f"/v1/track/{found['token']}{what}"


def _form(photo: bytes) -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("file", photo, filename="photo", content_type="application/octet-stream")
    return form


def _in_words(status: int, content: bytes) -> str:
    try:
        problem = msgspec.json.decode(content)
        fields = "".join(f" {one['at'] or 'body'}: {one['why']}." for one in problem.get("errors", ()))
        return f"{problem['type']}: {problem['detail']}{fields}"
    except (msgspec.DecodeError, AttributeError, KeyError, TypeError):
        return f"The delivery service could not answer ({status}). Try again in a minute."
