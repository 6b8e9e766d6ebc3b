"""`reparto mcp`: the door for assistants, a process of its own beside the API."""

import argparse
from functools import partial

from reparto.command import CannotRun, Subparsers
from reparto.process import logs
from reparto.process.process import run_until_stopped
from reparto.process.serve import bind
from reparto.settings.settings import Settings


def add_parser(subparsers: Subparsers) -> None:
    """Declare `mcp`."""
    words = "the door for assistants (Model Context Protocol): what recipients may see and do by their links"
    subparsers.add_parser("mcp", help=words, description=f"mcp: {words}.").set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until stopped.

    Raises:
        CannotRun: the extra is not installed, or somebody else has the address.
    """
    settings = Settings.read()
    try:
        from reparto.assistants.serve import serve_tools
    except ModuleNotFoundError as error:
        raise CannotRun(
            f"`reparto mcp` needs a package that is not here ({error.name}): pip install 'reparto[mcp]'."
        ) from error
    logs.configure(settings.server.log_level, "mcp")
    server = settings.server
    with bind(server.mcp_listen, "REPARTO_MCP_LISTEN") as listener:
        run_until_stopped(partial(serve_tools, listener, server.mcp_api_url or f"http://{server.listen}"))
    return 0
