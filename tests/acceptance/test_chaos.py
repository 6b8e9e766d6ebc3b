"""A short storm: kill -9 of everything in the middle of a load. `make chaos` makes it a long one."""

from contextlib import AsyncExitStack
from pathlib import Path

from reparto.simulate.simulate import Options
from tests.acceptance.chaos.rounds import SETTINGS, Rounds, Size
from tests.acceptance.chaos.world import living

SHORT = Size(
    fleet=Options(drivers=8, minutes=3, speed=12, every_s=1, batch=4, keep=True),
    acts=(
        "kill its tracker",
        "kill ingest",
        "kill Postgres",
        "cut connections",
        "kill track",
        "kill up",
        "kill api",
        "kill work",
        "network to Postgres stands still",
        "kill a backend",
    ),
    gap_s=(0.7, 1.3),
    bookings=(2, 12),
    folded_again=1,
)


async def test_whatever_is_killed_nothing_acknowledged_is_lost_or_doubled(tmp_path: Path) -> None:
    said: list[str] = []
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(living(tmp_path, has_disk=False, settings=SETTINGS))
        rounds = Rounds(world, said.append, SHORT)
        await rounds.open(stack, seed=1)
        chaos, counts, wrong = await rounds.play("short", 0)
    assert wrong == [], said
    assert chaos.kills >= 6, said
    assert counts["pings acknowledged"] > 1_000
