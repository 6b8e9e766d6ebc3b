"""What the walls of the house are measured with: rooms, modules, functions and classes, read from the source."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

from radon.complexity import cc_visit

HOUSE = Path(__file__).resolve().parents[2]
PACKAGES = ("reparto", "ingest", "api", "work", "sql", "geo")


_CLOCKS = {
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime", "strftime"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}


@dataclass(frozen=True)
class Function:
    """A function or method, measured.

    Attributes:
        name: `geo/fold/snap.py:step`, of a method with its class before it.
        code_lines: from `def` to its end without docstring, comments and empty lines.
        parameters: without `self` and `cls`.
        complexity: cyclomatic, as radon counts: each branch, loop, `and`, `or`, each `for` and `if` inside brackets.
    """

    name: str
    code_lines: int
    parameters: int
    complexity: int


def modules() -> list[Path]:
    """All files of production code, from the root of the house."""
    return [file.relative_to(HOUSE) for package in PACKAGES for file in sorted((HOUSE / package).rglob("*.py"))]


def clocks_asked() -> dict[str, int]:
    """In which modules this machine's clock is asked, and how often: the one that somebody can set."""
    asked: dict[str, int] = defaultdict(int)
    for file in modules():
        for node in ast.walk(ast.parse((HOUSE / file).read_text())):
            asked[file.as_posix()] += _asks_the_clock(node)
    return {file: count for file, count in asked.items() if count}


def rooms() -> list[Path]:
    """Folders with modules, the packages among them; one that has only data is none."""
    return sorted({file.parent for file in modules() if file.name != "__init__.py"})


@cache
def functions() -> tuple[Function, ...]:
    """Measure every function and method; one inside another counts in that one and for itself."""
    return tuple(chain.from_iterable(_measured(file) for file in modules()))


def classes() -> dict[str, list[str]]:
    """Where each public class is defined that is defined more than once."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in modules():
        for node in ast.parse((HOUSE / file).read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(file.as_posix())
    return {name: files for name, files in found.items() if len(files) > 1}


def repeated(files: Iterable[Path], *, least: int) -> list[list[str]]:
    """Names of functions that do the same, whatever they call things; those of fewer than `least` nodes left out."""
    alike: dict[str, list[tuple[str, list[ast.stmt]]]] = defaultdict(list)
    for file in files:
        for owner, node in _functions(ast.parse(file.read_text())):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            kinds = [type(inner).__name__ for part in body for inner in ast.walk(part)]
            if len(kinds) >= least:
                alike[" ".join(kinds)].append((f"{file.name}:{owner}{node.name}", body))
    same: dict[str, list[str]] = defaultdict(list)
    for name, body in chain.from_iterable(group for group in alike.values() if len(group) > 1):
        same[_shape(body)].append(name)
    return [names for names in same.values() if len(names) > 1]


def _shape(body: list[ast.stmt]) -> str:
    """Write what is done with variables in the order of their appearance, and constants as one."""
    names: dict[str, str] = {}
    copy = ast.parse(ast.unparse(ast.Module(body, [])))
    for node in ast.walk(copy):
        if isinstance(node, ast.Name) and node.id.islower():
            node.id = names.setdefault(node.id, f"v{len(names)}")
        elif isinstance(node, ast.Constant):
            node.value = 0
    return ast.dump(copy)


def _measured(file: Path) -> Iterator[Function]:
    text = (HOUSE / file).read_text()
    tree = ast.parse(text)
    complexity = _complexities(text)
    for owner, node in _functions(tree):
        yield Function(
            name=f"{file.as_posix()}:{owner}{node.name}",
            code_lines=_code_lines(node, text.splitlines()),
            parameters=sum(arg.arg not in ("self", "cls") for arg in _arguments(node)),
            complexity=complexity.get(node.lineno, 1),
        )


def _functions(tree: ast.AST, owner: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        inside = f"{owner}{node.name}." if isinstance(node, ast.ClassDef) else owner
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield owner, node
            inside = f"{owner}{node.name}."
        yield from _functions(node, inside)


def _asks_the_clock(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "time" and any(alias.name in _CLOCKS["time"] for alias in node.names)
    if not isinstance(node, ast.Attribute):
        return False
    owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
    return node.attr in _CLOCKS.get(owner, ())


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def _code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> int:
    assert node.end_lineno is not None
    docstring = node.body[0] if ast.get_docstring(node) is not None else None
    said = range(docstring.lineno, (docstring.end_lineno or 0) + 1) if docstring else range(0)
    own = (lines[number - 1].strip() for number in range(node.lineno, node.end_lineno + 1) if number not in said)
    return sum(bool(line) and not line.startswith("#") for line in own)


def _complexities(text: str) -> dict[int, int]:
    """Complexity of functions by the line of their `def`."""
    found: dict[int, int] = {}
    blocks = list(cc_visit(text))
    while blocks:
        block = blocks.pop()
        for inside in ("methods", "closures", "inner_classes"):
            blocks += getattr(block, inside, ())
        if not hasattr(block, "methods"):
            found[block.lineno] = block.complexity
    return found
