"""What processes use: CPU time, children included, and memory, as Linux counts them in /proc."""

import os
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def is_measured() -> bool:
    """Tell whether this machine counts: only Linux has /proc."""
    return (_PROC / "self" / "stat").exists()


def cpu_s(pid: int) -> float:
    """Give the CPU time of a process and everything it ever started, seconds; NaN where it is not measured.

    Children count while they live (their own time) and after their parent has taken leave of them (cutime, cstime).
    """
    if not is_measured():
        return float("nan")
    ticks: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        fields = stat.rpartition(")")[2].split()  # proc(5): the name before may hold anything; [0] is field 3, state
        ticks[int(entry.name)] = sum(int(fields[at]) for at in (11, 12, 13, 14))  # utime, stime, cutime, cstime
        children.setdefault(int(fields[1]), []).append(int(entry.name))
    total, family = 0, [pid]
    while family:
        member = family.pop()
        total += ticks.get(member, 0)
        family += children.get(member, [])
    return total / _TICKS_PER_S


def resident_mb(pid: int) -> float:
    """Give the memory that a process holds, megabytes of 10^6 bytes; NaN where it is not measured."""
    if not is_measured():
        return float("nan")
    pages = int((_PROC / str(pid) / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
