"""Road data made of an OpenStreetMap extract: built aside, and put in place when it is whole.

What lies in the folder of road data:

    valhalla                a link to the data in use, the same for osrm
    valhalla-2f6a01c35b9e   that data; named after the extract and the engine's version, so that it is built once
    .making-…               data being made; what a build that was killed left is removed by the next one
    .lock                   held by the process that builds

Processes that run keep the files they opened, and take the new data when they start again.
"""

import fcntl
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from reparto.command import CannotRun
from work.roads.choose import LIBRARIES

PACKAGES = {"osrm": ("osrm-bindings",), "valhalla": ("pyvalhalla", "pyvalhalla-weekly")}
"""Distributions that bring each engine."""

_LAST_WORDS = 20
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_NAME_LETTERS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A part of a build: what it does, for people, and the program that does it, or a function of ours."""

    words: str
    do: Sequence[str | Path] | Callable[[], None]


def build(engine: str, extract: Path, folder: Path, *, tell: Callable[[str, int, int], None]) -> bool:
    """Make the road data of an extract and put it in use; tell whether there was anything to do.

    Args:
        tell: is called with a word on what is done now, the number of the step, and how many there are.

    Raises:
        CannotRun: the extract cannot be read or made into road data.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        tell("reading the extract", 0, 1)
        name = f"{engine}-{_key(engine, extract)}"
        if (folder / name).is_dir() and (folder / engine).resolve() == (folder / name).resolve():
            return False
        making = Path(tempfile.mkdtemp(prefix=".making-", dir=folder))
        try:
            steps = _STEPS[engine](extract.resolve(), making)
            for number, step in enumerate(steps, start=1):
                tell(step.words, number, len(steps))
                _do(step, lambda line, number=number: tell(line, number, len(steps)))  # type: ignore[misc]
            if not (making / LIBRARIES[engine].file).is_file():
                raise CannotRun(f"{engine} found no roads in {extract}: is it an OpenStreetMap extract (.osm.pbf)?")
            _put_in_use(making, folder / name, folder / engine)
        finally:
            shutil.rmtree(making, ignore_errors=True)
        for old in folder.glob(f"{engine}-*"):
            if old.name != name:
                shutil.rmtree(old)
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Be the only one who builds in a folder; what a build that was killed left there is removed."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRun(f"Another `reparto roads build` is at work in {folder}.") from None
        for left in folder.glob(".making-*"):
            shutil.rmtree(left)
        yield


def _key(engine: str, extract: Path) -> str:
    """Name what is built from an extract by an engine's version."""
    try:
        with extract.open("rb") as opened:
            content = hashlib.file_digest(opened, "sha256")
    except OSError as error:
        raise CannotRun(f"{extract} cannot be read: {error.strerror}.") from error
    content.update(_version(engine).encode())
    return content.hexdigest()[:_NAME_LETTERS]


def _version(engine: str) -> str:
    for package in PACKAGES[engine]:
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "unknown"


def _put_in_use(made: Path, place: Path, link: Path) -> None:
    """Move whole data to its place, and let the link lead there from one moment to the next."""
    shutil.rmtree(place, ignore_errors=True)
    made.chmod(0o755)  # another user than the builder may run the engine
    for file in made.iterdir():
        file.chmod(0o644)
    made.rename(place)
    new_link = link.with_name(f".{link.name}.new")
    new_link.unlink(missing_ok=True)
    new_link.symlink_to(place.name)
    os.replace(new_link, link)


def _do(step: Step, tell: Callable[[str], None]) -> None:
    if callable(step.do):
        step.do()
        return
    said: deque[str] = deque(maxlen=_LAST_WORDS)
    with (
        tempfile.TemporaryDirectory(prefix="reparto-roads-") as aside,  # Valhalla leaves notes where it stands
        subprocess.Popen(  # noqa: S603 (a program of the engine's package)
            [str(word) for word in step.do],
            cwd=aside,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as running,
    ):
        assert running.stdout is not None
        for raw in running.stdout:
            if line := _COLOUR.sub("", raw.decode(errors="replace")).strip(" .\r\n"):
                said.append(line)
                tell(f"{step.words}: {line.rsplit('] ', 1)[-1]}")
    if running.returncode:
        raise CannotRun(
            f"The road data was not made: {Path(step.do[0]).name} ended with code {running.returncode}."
            " The last it said:\n" + "\n".join(said)
        )


def _osrm_steps(extract: Path, into: Path) -> list[Step]:
    package = _package("osrm")
    source, data = into / "roads.osm.pbf", into / "roads.osrm"
    source.symlink_to(extract)
    return [
        Step(
            words="reading roads",
            do=[package / "bin/osrm-extract", "-p", package / "share/profiles/car.lua", source],
        ),
        Step(words="parting the network", do=[package / "bin/osrm-partition", data]),
        Step(words="weighing the parts", do=[package / "bin/osrm-customize", data]),
        Step(words="tidying up", do=source.unlink),
    ]


def _valhalla_steps(extract: Path, into: Path) -> list[Step]:
    import valhalla

    tiles, config = into / "tiles", into / "valhalla.json"
    tiles.mkdir()
    config.write_text(json.dumps(valhalla.get_config(tile_extract="", tile_dir=tiles, verbose=True)))

    def pack() -> None:
        """One file, which processes share in memory."""
        with tarfile.open(into / "tiles.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            for tile in sorted(tiles.rglob("*.gph")):
                tar.add(tile, arcname=tile.relative_to(tiles).as_posix())
        if not any(tiles.rglob("*.gph")):
            (into / "tiles.tar").unlink()
        shutil.rmtree(tiles)
        config.unlink()

    return [
        Step(
            words="making tiles of roads", do=[_package("valhalla") / "bin/valhalla_build_tiles", "-c", config, extract]
        ),
        Step(words="packing tiles", do=pack),
    ]


_STEPS = {"osrm": _osrm_steps, "valhalla": _valhalla_steps}


def _package(module: str) -> Path:
    """Find the folder of a package without importing it."""
    found = find_spec(module)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent
