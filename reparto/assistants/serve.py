"""The server of the tools: MCP's Streamable HTTP at `/mcp`, without sessions: any process answers any request."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from mcp.server.transport_security import TransportSecuritySettings

from reparto.assistants.by_link import by_link
from reparto.assistants.tools import MOST_PHOTO_BYTES, tools_for
from reparto.command import out
from reparto.process.serve import url_of

_MAX_BODY_BYTES = MOST_PHOTO_BYTES * 4 // 3 + 64 * 2**10
"""Of a request: a photo in base64, and the longest words that a ticket takes, some times over."""

_LAST_ANSWERS_S = 15


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `run_until_stopped`."""
        yield


async def serve_tools(listener: socket.socket, api_url: str, stop: asyncio.Event) -> None:
    """Serve until stopped.

    Args:
        api_url: where the product answers.
    """
    logging.getLogger("mcp").setLevel(logging.WARNING)  # it writes a line for each request
    async with by_link(api_url) as product:
        app = tools_for(product).streamable_http_app(
            stateless_http=True,
            json_response=True,
            max_request_body_size=_MAX_BODY_BYTES,
            # nothing here is opened by being on this machine: a page that was led to this address has no more rights
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        server = _Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=_LAST_ANSWERS_S,
            )
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listener]))
            out.print(f"reparto mcp listens on {url_of(listener)}/mcp and asks {api_url}", markup=False)
            await stop.wait()
            server.should_exit = True
