"""One client's connection. What comes over it and is no request is refused as every other request is: in our words.

aiohttp answers that below the application, with plain text, and would log each as an error of ours, with what was sent.
"""

import logging

from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError

from api.problem import BadRequest, UnsupportedMediaType, respond

log = logging.getLogger(__name__)


class Connection(web.RequestHandler):
    """Parses what a client sends, and has the application answer it."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what cannot be read as a request; the connection ends with that."""
        if status >= 500 or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        log.info("refused before it was a request: %s", type(exc).__name__)
        if isinstance(exc, ContentEncodingError):
            response = respond(UnsupportedMediaType("Bodies are read as they are, or packed with gzip or deflate."))
        else:
            response = respond(BadRequest("This is no HTTP request that can be read: its first line or its headers."))
        response.force_close()
        return response
