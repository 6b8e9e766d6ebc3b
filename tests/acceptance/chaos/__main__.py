"""`make chaos MINUTES=10 SEED=1`: kill, stop, fill, cut and misdate a real product, and see what is lost."""

import argparse
import asyncio
import shutil
from pathlib import Path

from tests.acceptance.chaos.rounds import LONG, play_on
from tests.acceptance.chaos.world import disk_of_its_own


def main() -> int:
    """Play rounds; give 1 when anything was lost, doubled or out of order."""
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="begin no round after so long (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed plays the same acts (%(default)s)")
    parser.add_argument("--folder", type=Path, help="logs and score; a seed goes on where it was (build/chaos/SEED)")
    args = parser.parse_args()
    folder = args.folder or Path("build/chaos", str(args.seed))
    disk = folder / "disk"
    with disk_of_its_own(disk) as has_disk:
        if not has_disk:
            shutil.rmtree(disk / "data", ignore_errors=True)
        score = asyncio.run(play_on(folder, seed=args.seed, minutes=args.minutes, size=LONG, has_disk=has_disk))
    print("", *score.lines(), *score.violations, sep="\n")
    return 1 if score.violations else 0


raise SystemExit(main())
