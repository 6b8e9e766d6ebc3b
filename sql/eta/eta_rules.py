"""What an account says of ETAs: when somebody must hear of one. Part of its settings; trackers and the API read it."""

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

LateAfter: TypeAlias = Annotated[float, Meta(ge=0, le=240)]


class Approaching(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a stop is told that the van is near: as soon as one of these holds; null: that one never does.

    `minutes`: expected within so many. `stops`: at most so many are before it.
    """

    # A quarter of an hour is enough to come home from around the corner, and short enough to wait at the door. How many
    # stops are left says nothing of time: two are five minutes in a city and an hour in the country.
    minutes: Annotated[int, Meta(ge=1, le=240)] | None = 15
    stops: Annotated[int, Meta(ge=0, le=100)] | None = None


class EtaRules(Struct, frozen=True, kw_only=True):
    """The part of an account's settings that trackers look at."""

    approaching: Approaching = Approaching()
    late_after_minutes: LateAfter = 5.0
    """A stop is late when it is expected so long after the end of its window."""
