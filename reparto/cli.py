"""The `reparto` command: finds the subcommand, runs it, and says in one sentence why it cannot."""

import argparse
import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from reparto.command import CannotRun, Command, err
from reparto.postgres import PostgresError
from reparto.settings.settings import SettingsError
from reparto.version import __version__

COMMANDS = {
    "up": "reparto.run.up",
    "demo": "reparto.simulate.demo",
    "ingest": "reparto.run.servers",
    "track": "reparto.run.track",
    "api": "reparto.run.servers",
    "work": "reparto.run.work",
    "mqtt": "reparto.run.mqtt",
    "mcp": "reparto.assistants.command",
    "migrate": "reparto.run.migrate",
    "status": "reparto.operate.status",
    "doctor": "reparto.operate.doctor",
    "retention": "reparto.operate.retention",
    "settings": "reparto.operate.show_settings",
    "key": "reparto.run.key",
    "user": "reparto.run.user",
    "secrets": "reparto.operate.secrets",
    "bounce": "reparto.operate.bounce",
    "simulate": "reparto.simulate.simulate",
    "replay": "reparto.evaluate.replay",
    "score": "reparto.evaluate.score",
    "backtest": "reparto.evaluate.accuracy.backtest",
    "bench": "reparto.bench",
    "roads": "reparto.operate.roads",
    "tiles": "reparto.operate.tiles.command",
    "plan": "reparto.plan.command",
    "import": "reparto.data.importer",
    "export": "reparto.data.exporter",
}
"""Every subcommand and the module that declares it; a module is imported only when it is needed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0 done, 1 not done, 2 asked wrongly, 130 interrupted."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    args = _parser(arguments).parse_args(arguments)
    try:
        code: int = args.run(args)
    except KeyboardInterrupt:
        return 130
    except SettingsError as mistakes:
        err.print("These settings cannot be used:", style="bold")
        for line in str(mistakes).splitlines():
            err.print(f"  {line}", markup=False)
        return 2
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        err.print(f"reparto: {sentence}", markup=False)
        return 1
    return code


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Declare only the subcommand that is asked for, or all of them to show the help."""
    parser = argparse.ArgumentParser(prog="reparto", description="The open backend of the last mile.")
    parser.add_argument("--version", action="version", version=f"reparto {__version__}")
    subparsers = parser.add_subparsers(metavar="command", required=True)
    asked = COMMANDS.get(arguments[0]) if arguments else None
    with _without_garbage():
        for name in [asked] if asked else dict.fromkeys(COMMANDS.values()):
            module: Command = import_module(name)
            module.add_parser(subparsers)
    return parser


@contextmanager
def _without_garbage() -> Iterator[None]:
    """Look for none in the block: what is loaded stays, and looking costs a sixth of the time to load it."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _sentence(error: BaseException) -> str | None:
    """Say in words what went wrong; None for a defect of ours, which keeps its traceback."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]  # a TaskGroup wraps what is raised inside it
    return str(error) if isinstance(error, CannotRun | PostgresError) else None
