"""Rows of reports. A share has how many it rests on beside it, and is null where that is nothing."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from msgspec import Struct

By: TypeAlias = Literal["all", "day", "driver", "depot", "kind", "place", "reason", "channel", "country"]


class ReportRow(Struct, frozen=True, kw_only=True):
    """What a row is of: `by` what, `of` which one, and its name where it has one; `of` is null where nobody knows."""

    by: By
    of: str | None = None
    name: str | None = None


class Punctuality(ReportRow, frozen=True, kw_only=True):
    """How promises were kept at `stops`.

    `first_…`: against the window that was promised first; `last_…`: against the one in force at the end. `…_n` stops
    had a promise and are judged: the van arrived within it, before (`early`), after (`late`), or never (`missed`).
    Not among them: `no_promise`; `arrival_unknown`, where the driver said what became of it and nobody saw the van;
    `still_open`. `otif` of `otif_n`: within the last window and in full, by counts of items. `items_n` stops have items
    of which it is known what became of them.
    """

    stops: int
    no_promise: int
    arrival_unknown: int
    still_open: int
    first_n: int
    first_on_time: int
    first_early: int
    first_late: int
    first_missed: int
    first_on_time_share: float | None
    first_late_mean_s: float | None
    last_n: int
    last_on_time: int
    last_early: int
    last_late: int
    last_missed: int
    last_on_time_share: float | None
    last_late_mean_s: float | None
    otif_n: int
    otif: int
    otif_share: float | None
    items_n: int
    items_planned: int
    items_handed: int


class PlanVsActual(ReportRow, frozen=True, kw_only=True):
    """Tours against their plans.

    `in_order` of `order_n`: stops that the van came to after one that was before it in the plan. `late_mean_s`:
    arrivals after their planned times, `arrivals_n` have both; negative is early. `start_late_mean_s` of `starts_n`
    tours. The minutes are of `minutes_n` tours of which begin and end are known. `km_planned` is along their paths;
    `km_detours` what was driven beside them, in so many `detours`.
    """

    tours: int
    tours_started: int
    tours_finished: int
    tours_cancelled: int
    stops: int
    done: int
    failed: int
    skipped: int
    left_open: int
    still_open: int
    order_n: int
    in_order: int
    arrivals_n: int
    late_mean_s: float | None
    starts_n: int
    start_late_mean_s: float | None
    minutes_n: int
    minutes_planned: float
    minutes_actual: float
    km_planned: float
    detours: int
    km_detours: float


class ServiceTimes(ReportRow, frozen=True, kw_only=True):
    """How long the van was at stops, seconds; all its visits of one together.

    `stops` were visited, at `places` different places; of `n` it is known how long. `planned_mean_s` is of these. A
    place is `lat,lon`, rounded to 11 m, and named by its address.
    """

    stops: int
    places: int
    n: int
    mean_s: float | None
    median_s: float | None
    p90_s: float | None
    planned_mean_s: float | None


class Outcomes(ReportRow, frozen=True, kw_only=True):
    """What became of stops. Rows by reason are of those that failed or were skipped.

    `first_attempts` were made to hand over or to collect for the first time; `first_attempts_done` of them, in full or
    in part.
    """

    stops: int
    completed: int
    partially_completed: int
    failed: int
    skipped: int
    left_open: int
    first_attempts: int
    first_attempts_done: int
    first_attempt_share: float | None


class MessagesSent(ReportRow, frozen=True, kw_only=True):
    """Messages to recipients. `sent` left; `delivered` and `read` are known to have come, and are among them.

    `parts` and `price` are of those that left; `priced` of these have a price, the others nobody has given one.
    Countries are those of phone numbers; null is an address that has none.
    """

    messages: int
    sent: int
    delivered: int
    read: int
    failed: int
    suppressed: int
    expired: int
    waiting: int
    parts: int
    priced: int
    price: float


class Ratings(ReportRow, frozen=True, kw_only=True):
    """What recipients thought: `n` ratings, of `done` stops; `done` is null by reason."""

    done: int | None
    n: int
    mean: float | None
    stars_1: int
    stars_2: int
    stars_3: int
    stars_4: int
    stars_5: int


class CashCollected(ReportRow, frozen=True, kw_only=True):
    """Cash of one currency; null where nobody said which.

    `due` at `stops`. Of them `not_done` were not done; at `not_said` nobody said what was taken. At `n` stops it was
    said: `taken`, of `expected` there; `difference` is negative where less was taken.
    """

    currency: str | None
    stops: int
    due: float
    not_done: int
    not_done_due: float
    not_said: int
    not_said_due: float
    n: int
    expected: float
    taken: float
    difference: float


NOTHING_RATED = Ratings(by="all", done=0, n=0, mean=None, stars_1=0, stars_2=0, stars_3=0, stars_4=0, stars_5=0)


def by_country(rows: Sequence[Mapping[str, Any]], country: Callable[[str], str | None]) -> list[dict[str, Any]]:
    """Add up what numbers of one country have; rows of other things stay as they are.

    Args:
        rows: of these, those by country are of how addresses begin.
        country: of an address that begins so.
    """
    others = [dict(row) for row in rows if row["by"] != "country"]
    summed: dict[str | None, dict[str, Any]] = {}
    for row in (dict(row) for row in rows if row["by"] == "country"):
        of = None if row["of"] is None else country(row["of"])
        if of not in summed:
            summed[of] = row | {"of": of}
            continue
        for name in row.keys() - {"by", "of", "name"}:
            summed[of][name] += row[name]
    return others + sorted(summed.values(), key=lambda row: (-row["messages"], row["of"] or ""))
