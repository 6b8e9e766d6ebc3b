"""Which pings are believable: noise gets a name, is kept, and moves nothing.

The first question asked of a ping that is one ("is this a ping?" is the decoder's). Every reason is a `Flag`; some only
say what was repaired. Whether a phone can have come where it says is the question of `witnesses`. A phone is the active
one for what is believed of it, never for what is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntFlag

import numpy as np

from geo.numbers import BELIEVED_MPS, UNSAID_TO_JUDGE_M
from geo.pings import PING, UNKNOWN_MS, Floats, Ints, Rows, copied
from geo.shape import plane
from geo.trust.numbers import ESTABLISHED, INACCURATE_M, NULL_ISLAND_DEG, QUIET_MS
from geo.trust.witnesses import Place, Verdict, Witnesses, possible


class Flag(IntFlag):
    """Reasons and repairs; stored as bits, shown by `names`."""

    INACCURATE = 1 << 0  # accuracy_m beyond INACCURATE_M
    JUMP = 1 << 1  # cannot have come here from the last believed place, and no later ping agreed
    TOO_FAST = 1 << 2  # the phone's own speed is impossible: the speed does not count, the place does
    CLOCK_AHEAD = 1 << 3  # recorded more than 5 minutes after it was received, and nobody knows when
    NULL_ISLAND = 1 << 4  # at 0, 0
    MOCK = 1 << 5  # the phone says another app made the place up
    OTHER_DEVICE = 1 << 6  # another phone of the driver is the active one
    GPS_WEEK_ROLLOVER = 1 << 7  # repaired: 1024 weeks were added to the time
    EPOCH_2001 = 1 << 8  # repaired: the time counted from 2001
    RECEIVE_TIME = 1 << 9  # repaired: the app sent no time, ours was used
    CLOCK_CORRECTED = 1 << 10  # repaired: the phone's clock is wrong, and by how much was known


UNBELIEVED = Flag.INACCURATE | Flag.JUMP | Flag.CLOCK_AHEAD | Flag.NULL_ISLAND | Flag.MOCK | Flag.OTHER_DEVICE
"""A ping with any of these is kept and moves nothing. One that is CLOCK_AHEAD does not even count as an input: its time
means nothing, so it does not move the track's position, and the pings recorded meanwhile are not late."""


GIVEN = Flag.CLOCK_AHEAD | Flag.GPS_WEEK_ROLLOVER | Flag.EPOCH_2001 | Flag.RECEIVE_TIME | Flag.CLOCK_CORRECTED
"""What a ping brings along. Everything else is judged here, and anew whenever the ping is folded again."""


def names(flags: int) -> list[str]:
    """Give the stable texts of flags: `inaccurate`, `gps_week_rollover`, …"""
    return [str(flag.name).lower() for flag in Flag if flag & flags]


CLEAN = np.dtype(
    [
        ("active_device_id", "<i8"),
        ("active_ms", "<i8"),  # when it last recorded anything; UNKNOWN_MS: there is no active device yet
        ("believed", "u1"),  # fixes believed in a row, up to ESTABLISHED
        ("witnesses", "u1"),  # fixes that agree on the suspect
        ("suspect", PING),  # the last of them; recorded_ms UNKNOWN_MS: none
    ]
)
"""What judging remembers of a driver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveWay:
    """The active phone of a driver was so no more, and another one was heard.

    Attributes:
        row: the ping of that one.
        device_id: the phone that gave way.
        at_ms: when it had recorded its last, ms.
        shut_out: somebody shut it out; False: it was quiet for too long.
    """

    row: int
    device_id: int
    at_ms: int
    shut_out: bool


def fresh(n: int) -> Rows:
    """Make the memory of drivers of whom nothing is known."""
    memory = np.zeros(n, CLEAN)
    memory["active_ms"] = UNKNOWN_MS
    memory["suspect"] = no_suspect()
    return memory


def no_suspect() -> np.void:
    """Make the suspect that is none."""
    row = np.zeros(1, PING)
    row["recorded_ms"] = UNKNOWN_MS
    suspect: np.void = row[0]
    return suspect


def judge(
    memory: Rows, last: Rows, rows: Rows, starts: Ints, ended_ms: Sequence[Mapping[int, int]] = ()
) -> tuple[Rows, Ints, Ints, list[GaveWay]]:
    """Judge pings of many drivers, each driver's in order.

    Args:
        memory: (m,) of dtype `CLEAN`. Not changed.
        last: (m,) with the fields recorded_ms (UNKNOWN_MS: none), lat_e6, lon_e6, accuracy_m of each driver's newest
            believed ping.
        rows: (n,) of dtype `PING`, driver by driver.
        starts: (m + 1,) where each driver's pings begin.
        ended_ms: (m) of each driver's phones that were shut out: when they had recorded their last. From then on
            another one is heard at once. Empty: no phone of anybody was.

    Returns:
        The new memory; (n,) flags; (n,) which earlier ping is believed after all in the light of this one and folded
        just before it: its row, -2 for the suspect in `memory`, -1 for none; and which phones gave way to others.
    """
    n, count = len(rows), np.diff(starts)
    flags = _own_flags(rows)
    again = np.full(n, -1, np.int64)
    memory = copied(memory)
    if not n:
        return memory, flags, again, []

    # most blocks of most drivers have nothing to argue about: everything possible, one phone
    driver = np.repeat(np.arange(len(starts) - 1), count)
    lon, lat = (np.concatenate((rows[name], last[name])) * 1e-6 for name in ("lon_e6", "lat_e6"))
    spots = plane.in_space(lon, lat)
    spot, last_spot = spots[:n], spots[n:]
    before = np.arange(-1, n - 1)
    first = np.flatnonzero(before + 1 == starts[driver])
    from_spot, from_ms, from_accuracy_m = spot[before], rows["recorded_ms"][before], rows["accuracy_m"][before]
    from_spot[first] = last_spot[driver[first]]
    from_ms[first] = last["recorded_ms"][driver[first]]
    from_accuracy_m[first] = last["accuracy_m"][driver[first]]
    accuracy_m = _accuracy_m(rows["accuracy_m"])
    fine = possible(
        _apart_m(spot, from_spot), rows["recorded_ms"], from_ms, accuracy_m, _accuracy_m(from_accuracy_m)
    ) | (from_ms == UNKNOWN_MS)
    active = np.where(
        memory["active_ms"] == UNKNOWN_MS, rows["device_id"][np.minimum(starts[:-1], n - 1)], memory["active_device_id"]
    )
    fine &= ((flags & UNBELIEVED) == 0) & (rows["device_id"] == active[driver])
    fine &= memory["suspect"]["recorded_ms"][driver] == UNKNOWN_MS

    plain = (np.bincount(driver, ~fine, len(count)) == 0) & (count > 0)
    memory["active_device_id"][plain] = active[plain]
    memory["active_ms"][plain] = rows["recorded_ms"][starts[1:][plain] - 1]
    memory["believed"][plain] = np.minimum(memory["believed"][plain] + count[plain], ESTABLISHED)
    all_of = _Columns(rows, spot, accuracy_m, flags, again, [])
    for row in np.flatnonzero(~plain & (count > 0)):
        begin, end = int(starts[row]), int(starts[row + 1])
        ended = ended_ms[int(row)] if ended_ms else {}
        _argue(memory[row : row + 1], last[row], last_spot[row], all_of, range(begin, end), ended)
    return memory, flags, again, all_of.gave_way


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """Pings of all drivers, and what becomes of them: `flags`, `again` and `gave_way` are written."""

    rows: Rows
    spots: Floats
    accuracies_m: Floats
    flags: Ints
    again: Ints
    gave_way: list[GaveWay]


def _argue(
    memory: Rows, last: np.void, last_spot: Floats, all_of: _Columns, mine_of: range, ended_ms: Mapping[int, int]
) -> None:
    """Judge one driver's pings one by one; writes into `memory` (one row) and the columns."""
    begin, end = mine_of.start, mine_of.stop
    mine, rows, flags = memory[0], all_of.rows, all_of.flags
    active, active_ms = int(mine["active_device_id"]), int(mine["active_ms"])
    heard = Witnesses(
        believed=Place(int(last["recorded_ms"]), last_spot.tolist(), float(_accuracy_m(last["accuracy_m"]))),
        suspect=_suspect_of(mine),
        in_a_row=int(mine["believed"]),
        agreeing=int(mine["witnesses"]),
    )
    suspect_row = -1 if heard.suspect is None else -2
    places = zip(
        rows["recorded_ms"][begin:end].tolist(), rows["device_id"][begin:end].tolist(),
        all_of.spots[begin:end].tolist(), all_of.accuracies_m[begin:end].tolist(), flags[begin:end].tolist(),
        strict=True,
    )  # fmt: skip
    for row, (at_ms, device_id, spot, accuracy_m, own) in enumerate(places, begin):
        if own & Flag.CLOCK_AHEAD:
            continue
        holds_ms = min(active_ms + QUIET_MS, ended_ms.get(active, active_ms + QUIET_MS))
        if active_ms != UNKNOWN_MS and device_id != active and at_ms <= holds_ms:
            flags[row] |= Flag.OTHER_DEVICE
            continue
        if own & UNBELIEVED:
            continue
        all_of.gave_way.extend(_gave_way(rows[row], row, active, active_ms, ended_ms))
        active, active_ms = device_id, at_ms
        verdict = heard.hear(Place(at_ms, spot, accuracy_m))
        if verdict is Verdict.AGREED:
            all_of.again[row] = suspect_row
        elif verdict is not Verdict.BELIEVED:
            flags[row] |= Flag.JUMP
        if verdict is not Verdict.SAME_AGAIN:
            suspect_row = row if verdict is Verdict.DOUBTED else -1

    mine["active_device_id"], mine["active_ms"] = active, active_ms
    mine["believed"], mine["witnesses"] = heard.in_a_row, heard.agreeing
    if suspect_row >= 0:
        mine["suspect"] = rows[suspect_row]
        mine["suspect"]["flags"] = flags[suspect_row]
    elif suspect_row == -1:
        mine["suspect"] = no_suspect()


def _gave_way(ping: np.void, row: int, active: int, active_ms: int, ended_ms: Mapping[int, int]) -> Sequence[GaveWay]:
    """Say that the active phone gives way to the one of a ping, if that is another one: shut out by then, or quiet."""
    if active_ms == UNKNOWN_MS or ping["device_id"] == active:
        return ()
    shut_out_ms = ended_ms.get(active)
    if shut_out_ms is not None and shut_out_ms <= ping["recorded_ms"]:
        return (GaveWay(row=row, device_id=active, at_ms=shut_out_ms, shut_out=True),)
    return (GaveWay(row=row, device_id=active, at_ms=active_ms, shut_out=False),)


def _suspect_of(mine: np.void) -> Place | None:
    kept = mine["suspect"]
    if kept["recorded_ms"] == UNKNOWN_MS:
        return None
    spot = plane.in_space(kept["lon_e6"] * 1e-6, kept["lat_e6"] * 1e-6)
    return Place(int(kept["recorded_ms"]), spot.tolist(), float(_accuracy_m(kept["accuracy_m"])))


def _own_flags(rows: Rows) -> Ints:
    """Flags that need no other ping."""
    flags: Ints = rows["flags"].astype(np.int64) & int(GIVEN)
    null = (np.abs(rows["lat_e6"]) < NULL_ISLAND_DEG * 1e6) & (np.abs(rows["lon_e6"]) < NULL_ISLAND_DEG * 1e6)
    for flag, here in (
        (Flag.INACCURATE, rows["accuracy_m"] > INACCURATE_M),
        (Flag.TOO_FAST, rows["speed_mps"] > BELIEVED_MPS),
        (Flag.NULL_ISLAND, null),
        (Flag.MOCK, rows["mock"] == 1),
    ):
        flags |= np.where(here, int(flag), 0)
    return flags


def _accuracy_m(accuracy_m: Floats) -> Floats:
    accuracy_m = accuracy_m.astype(np.float64)
    return np.where(np.isnan(accuracy_m), UNSAID_TO_JUDGE_M, accuracy_m)


def _apart_m(a: Floats, b: Floats) -> Floats:
    dx, dy, dz = (a - b).T
    return np.sqrt(dx * dx + dy * dy + dz * dz)  # type: ignore[no-any-return]
