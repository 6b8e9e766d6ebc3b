"""Counts the rooms of each package, the floors they stand on and the arrows between them, from the import graph.

    .venv/bin/python .ci/rooms.py [ROOT]

A room is a folder with modules; a module at the root of a package is one of its own. An arrow leads from a room to one
that it imports. Floors are counted from below: a room stands one floor above the highest room it imports. Prints a
table in Markdown: docs/decisions/0005-rooms.md has the figures of before and after.
"""

import sys
from collections.abc import Mapping, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp

PACKAGES = ("reparto", "ingest", "api", "work", "sql", "geo")


def room_of(module: str, root: Path) -> str:
    """Give the room of a module: its folder, or itself where it stands at the root of its package."""
    folder, _, _ = module.rpartition(".")
    if (root / module.replace(".", "/")).is_dir():
        return module
    return folder if "." in folder else module


def arrows_in(package: str, graph: grimp.ImportGraph, root: Path) -> dict[str, set[str]]:
    """Give each room of a package with the rooms of the package that it imports."""
    modules = [one for one in graph.modules if one == package or one.startswith(f"{package}.")]
    arrows: dict[str, set[str]] = {room_of(one, root): set() for one in modules if one != package}
    for module in modules:
        for imported in graph.find_modules_directly_imported_by(module):
            if imported.startswith(f"{package}.") and module != package:
                arrows[room_of(module, root)].add(room_of(imported, root))
    for room, others in arrows.items():
        others.discard(room)
    imported = set().union(*arrows.values())
    return {room: others for room, others in arrows.items() if room in imported or _has_modules(room, root)}


def floors_of(arrows: Mapping[str, Set[str]]) -> tuple[int, list[str]]:
    """Give the number of floors, and the rooms of a circle if there is one: then its last arrow is not counted."""
    arrows = {room: set(others) for room, others in arrows.items()}
    circle: list[str] = []
    while True:
        try:
            order = list(TopologicalSorter(arrows).static_order())
            break
        except CycleError as error:
            circle = circle or sorted(set(error.args[1]))
            arrows[error.args[1][1]].discard(error.args[1][0])
    floor: dict[str, int] = {}
    for room in order:
        floor[room] = 1 + max((floor[other] for other in arrows[room]), default=0)
    return max(floor.values(), default=0), circle


def _has_modules(room: str, root: Path) -> bool:
    """Tell whether there is more than the sentence of what may live there."""
    folder = root / room.replace(".", "/")
    return not folder.is_dir() or any(file.name != "__init__.py" for file in folder.glob("*.py"))


def main() -> None:
    """Print the table of the tree at ROOT, or of the one this file is in."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]
    sys.path.insert(0, str(root))
    packages = [package for package in PACKAGES if (root / package).is_dir()]
    graph = grimp.build_graph(*packages, cache_dir=None)
    print("| package | files | rooms | floors | arrows | circle |\n|---|---|---|---|---|---|")
    for package in packages:
        arrows = arrows_in(package, graph, root)
        floors, circle = floors_of(arrows)
        files = len(list((root / package).rglob("*.py")))
        count = sum(map(len, arrows.values()))
        print(f"| {package} | {files} | {len(arrows)} | {floors} | {count} | {', '.join(circle) or '–'} |")


if __name__ == "__main__":
    main()
