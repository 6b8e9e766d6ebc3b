"""What is asked of roads, and what comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from geo.pings import Floats

Source: TypeAlias = Literal["road", "straight"]

Line: TypeAlias = tuple[Floats, Floats]
"""Longitudes and latitudes of one length, degrees."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoadPath:
    """A way through places in their order.

    Attributes:
        lon, lat: (v,) its vertices, degrees; neighbours may be equal.
        leg_lengths_m: (k - 1,) metres from each place to the next.
        leg_durations_s: (k - 1,) seconds of driving without traffic, or None where only the distance is known.
    """

    source: Source
    lon: Floats
    lat: Floats
    leg_lengths_m: Floats
    leg_durations_s: Floats | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """Where a phone was, in the order of time.

    Attributes:
        lon, lat: (n,) degrees, n at least 2.
        time_s: (n,) Unix seconds, never decreasing.
        accuracy_m: (n,) what the phone says, metres; NaN where it says nothing.
    """

    lon: Floats
    lat: Floats
    time_s: Floats
    accuracy_m: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matched:
    """The way a trace was driven: lines one after the other, more than one where it tears."""

    source: Source
    lines: Sequence[Line]


class NoWay(Exception):  # noqa: N818 (it reads better where it is raised)
    """The roads are known and there is no such way: asking again does not help. `place`: which one, None for all."""

    def __init__(self, why: str, *, place: int | None = None) -> None:
        """`why` follows "No way along roads was found: "."""
        super().__init__(why)
        self.place = place


class RoadsAway(Exception):  # noqa: N818
    """The roads cannot be asked now; another time they may answer."""


class Roads(Protocol):
    """Something that knows roads."""

    async def route(self, places: Floats) -> RoadPath:
        """Find the way through places.

        Args:
            places: (k, 2) lon and lat in the order of the tour, degrees, k at least 2.

        Raises:
            NoWay: one of them is on no road, or no road leads to it.
            RoadsAway: there was no answer.
        """

    async def table(self, places: Floats) -> tuple[Floats, Floats] | None:
        """Tell how far every place is from every other: (k, k) metres and seconds from each row to each column.

        Returns:
            NaN where there is no way; None where no roads are known, or they cannot be asked.
        """

    async def match(self, trace: Trace) -> Matched:
        """Find the roads that a trace was driven on.

        Raises:
            NoWay: it fits no roads.
            RoadsAway: there was no answer.
        """
