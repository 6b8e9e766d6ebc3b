"""The scripts of the desk are what their types say: TypeScript's compiler reads them, and writes nothing."""

from tests.providers.node import HOUSE, run_node

TSC = 'process.argv.push("tsc", "-p", ".ci/desk.tsconfig.json"); require("typescript/lib/tsc.js")'


def test_scripts_hold_to_their_types() -> None:
    assert (HOUSE / ".ci" / "desk.tsconfig.json").is_file()
    run_node("typescript", TSC)
