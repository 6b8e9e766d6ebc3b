"""What the subcommands share: how one is declared, what it writes to, and how it refuses to run."""

import argparse
import sys
from typing import Protocol, TypeAlias

from rich.console import Console

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_PAPER = 200
"""Columns of what goes into a file or a pipe, so that tables keep all that they say."""

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PAPER)
"""What was asked for: results, tables, links."""

err = Console(stderr=True, highlight=False, soft_wrap=True)
"""What went wrong."""


class CannotRun(Exception):  # noqa: N818 (it reads better where it is raised)
    """The command cannot do its work; the text is a sentence that says why and what to do."""


class Command(Protocol):
    """A module of subcommands. Its parsers set the default `run`: a function of the parsed arguments."""

    def add_parser(self, subparsers: Subparsers) -> None:
        """Declare the module's subcommands."""
