"""`make stress`: tours that nobody has seen, made from a fresh seed, tracked, and held against the truth, by kind."""

import argparse
import secrets
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from tests.tours import recorded
from tests.tours.driver import KINDS
from tests.tours.measure import HEADINGS, Measured, apart, by_rate, measured, tracked
from tests.tours.streets import read
from tests.tours.tours import EVERY_S, SKIES, Tour, made

LOST = 0.02
"""A tour that is grossly wrong at more than this part of its fixes is lost."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--tours", type=int, default=10, help="of each kind of driver")
    parser.add_argument(
        "--streets", type=Path, metavar="FILE.osm.pbf", help="a town to drive in; without, towns are made up"
    )
    args = parser.parse_args()
    sys.stdout.write(f"SEED={args.seed} TOURS={args.tours}\n")
    if args.streets:
        in_town(args.streets, args.seed, args.tours)
        return
    tours, every_s = map(list, zip(*drawn(args.seed, args.tours), strict=True))
    found = [measured(tour, told) for tour, told in zip(tours, tracked(tours, every_s), strict=True)]
    labels: list[tuple[str, Sequence[object]]] = [
        ("driver", [tour.kind for tour in tours]),
        ("sky", [tour.sky for tour in tours]),
        ("a fix every", [f"{seconds} s" for seconds in every_s]),
    ]
    forward = [tour.kind != "backwards" for tour in tours]
    for name, of in labels:
        rows = {label: [one for one, its in zip(found, of, strict=True) if its == label] for label in dict.fromkeys(of)}
        if name != "driver":
            rows = {
                label: [one for one, its, on in zip(found, of, forward, strict=True) if its == label and on]
                for label in rows
            }
        show(name, rows)
    show("all", {"all but backwards": [one for one, on in zip(found, forward, strict=True) if on]})
    same(islice((tour for tour, on in zip(tours, forward, strict=True) if on), 0, None, max(args.tours // 3, 1)))


def in_town(extract: Path, seed: int, count: int) -> None:
    """Print the tables of tours on the streets of a town, so many of each number of seconds between fixes."""
    if not extract.is_file():
        sys.exit(f"there is no {extract}: an extract of OpenStreetMap, of a town, as .osm.pbf")
    town, at = read(extract)
    tours = [
        recorded.made(1_000_000 * (seed + 1) + 1000 * i + k, town, at, seconds)
        for i, seconds in enumerate(recorded.EVERY_S)
        for k in range(count)
    ]
    found = [measured(tour, told) for tour, told in zip(tours, tracked(tours, [1] * len(tours)), strict=True)]
    for name, of in (("a fix every", [tour.kind for tour in tours]), ("phone", [tour.sky for tour in tours])):
        rows = {label: [one for one, its in zip(found, of, strict=True) if its == label] for label in dict.fromkeys(of)}
        show(name, rows)
    show("all", {extract.name.split(".")[0]: found})


def drawn(seed: int, count: int) -> Iterator[tuple[Tour, int]]:
    """Make so many tours of each kind of driver, under all skies, with a fix every 1 to 30 s."""
    for i, kind in enumerate(KINDS):
        for k in range(count):
            sky = list(SKIES)[k % len(SKIES)]
            yield made(1_000_000 * (seed + 1) + 1000 * i + k, kind, sky), EVERY_S[(k + i) % len(EVERY_S)]


def show(name: str, rows: dict[str, list[Measured]]) -> None:
    """Print a table; `worst` is the tour that is grossly wrong most of the time, `lost` those that are LOST of it."""
    headings = (*HEADINGS, "worst gross %", "lost tours")
    sys.stdout.write(f"\n{name:<18}" + "".join(f"{heading:>14}" for heading in headings) + "\n")
    for label, some in rows.items():
        together = Measured()
        for one in some:
            together.add(one)
        worst = max((one.gross for one in some if one.error_m), default=float("nan"))
        lost = sum(one.gross > LOST for one in some)
        cells = [*together.line(), f"{100 * worst:.1f}", f"{lost} of {len(some)}"]
        sys.stdout.write(f"{label:<18}" + "".join(f"{cell:>14}" for cell in cells) + "\n")


def same(some: Iterator[Tour]) -> None:
    """Print how far drives are told otherwise when they are sent more seldom."""
    tours = list(some)
    told = by_rate(tours)
    sys.stdout.write(f"\n{len(tours)} drives, against a fix a second:\n")
    for seconds in EVERY_S[1:]:
        found = [apart(*each) for each in zip(tours, told[1], told[seconds], strict=True)]
        places = sum(one.places for one in found) / len(found)
        other_end = sum(not one.last_m <= 150 for one in found)
        visits = sum(len(one.visits) for one in found) / sum(len(tour.plan.stop_ids) for tour in tours)
        sys.stdout.write(
            f"every {seconds:2d} s: {100 * places:5.2f} % of places, {100 * visits:5.2f} % of stops' visits"
            f" are other ones; {other_end} end elsewhere\n"
        )


if __name__ == "__main__":
    main()
