"""`reparto settings`: what is in force, secrets hidden."""

import argparse

from reparto.command import Subparsers, out
from reparto.settings.settings import Settings


def add_parser(subparsers: Subparsers) -> None:
    """Declare `settings`."""
    parser = subparsers.add_parser(
        "settings",
        help="print the settings in force",
        description="Print the settings in force, one a line; secrets are hidden.",
    )
    parser.add_argument("--check", action="store_true", help="print nothing, only tell mistakes")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the settings; mistakes in them end the command before."""
    shown = Settings.read().shown()
    if not args.check:
        for name, value in shown.items():
            out.print(f"{name}={value}", markup=False)
    return 0
