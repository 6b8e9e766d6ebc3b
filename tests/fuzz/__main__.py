"""`make fuzz MINUTES=10`: ever new bytes for every reader, so long for each, by hypothesis and, where it is installed,
by atheris, which is led by the branches that they reach; then requests for the whole API as it describes itself.
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.made import sent_to
from tests.fuzz.readers import READERS, Reader

_AT_ONCE = 500
_ATHERIS = "tests.fuzz.by_atheris"


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one reader, or of the API: how often it was tried, how long; what broke it, if anything did."""

    name: str
    by: str
    times: int
    seconds: float
    broke: str = ""


def by_hypothesis(reader: Reader, seconds: float, first_seed: int) -> Tried:
    """Send what hypothesis makes, with one seed after the other."""
    began_s, times, number = time.monotonic(), 0, first_seed

    def read(said: bytes) -> None:
        nonlocal times
        times += 1
        reader.try_on(said)

    rules = settings(
        max_examples=_AT_ONCE, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink), derandomize=False,
    )  # fmt: skip
    while time.monotonic() - began_s < seconds:
        try:
            seed(number)(rules(given(sent_to(reader))(read)))()
        except Exception as error:
            return Tried(reader.name, "hypothesis", times, time.monotonic() - began_s, f"seed {number}: {error!r}")
        number += 1
    return Tried(reader.name, "hypothesis", times, time.monotonic() - began_s)


def by_atheris(reader: Reader, seconds: float, first_seed: int) -> Tried:
    """Send what atheris makes, in a process of its own: it does not come back."""
    began_s = time.monotonic()
    command = [sys.executable, "-m", _ATHERIS, reader.name, f"-max_total_time={seconds:.0f}", f"-seed={first_seed + 1}"]
    ran = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    found = re.findall(r"stat::number_of_executed_units: (\d+)|^#(\d+)", ran.stderr, re.MULTILINE)
    times = max((int(number) for pair in found for number in pair if number), default=0)
    broke = "" if ran.returncode == 0 else ran.stderr[-2_000:]
    return Tried(reader.name, "atheris", times, time.monotonic() - began_s, broke)


def everything(minutes: float, first_seed: int, only: str) -> Iterator[Tried]:
    """Try every reader for so long, and then the API."""
    ways = [by_hypothesis]
    if find_spec("atheris") is None:
        print("without atheris: it is not installed (pip install --group fuzz; it has wheels for Linux)")
    else:
        ways.append(by_atheris)
    for reader in READERS.values():
        if only in reader.name:
            for way in ways:
                yield way(reader, minutes * 60 / len(ways), first_seed)
    if only in "API":
        if find_spec("schemathesis") is None:
            print("without schemathesis: it is not installed (pip install --group fuzz)")
        else:
            from tests.fuzz.by_schemathesis import ask_everything

            yield Tried("API", "schemathesis", *ask_everything(minutes * 60, first_seed))


def main() -> int:
    """Fuzz; give 1 when anything broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="for each reader (%(default)s)")
    parser.add_argument("--seed", type=int, default=round(time.time()), help="of the first examples (the time)")
    parser.add_argument("--only", default="", help="readers whose names have this in them; `API` is the last")
    args = parser.parse_args()
    broken = 0
    for tried in everything(args.minutes, args.seed, args.only):
        pace = f"{tried.times:>12,} times in {tried.seconds / 60:5.1f} min"
        print(f"{tried.name:<28} {tried.by:<12} {pace}  {'BROKE' if tried.broke else 'held'}", flush=True)
        if tried.broke:
            print(tried.broke, flush=True)
            broken += 1
    return 1 if broken else 0


raise SystemExit(main())
