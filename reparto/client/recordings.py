"""Recorded pings and planned tours in files: CSV, GPX, and case folders (`NAME.route.json.gz`, `NAME.pings.csv.gz`).

A recording keeps the order of its rows: where a recorder wrote fixes as they came in, that is the order of arrival,
late ones and repeated ones included.
"""

import csv
import gzip
import io
import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import msgspec

from geo.numbers import TYPICAL_MPS
from geo.plan.numbers import EARLY_MS, LATE_MS
from geo.times import ms_of
from reparto.command import CannotRun

_SECONDS_END = 100_000_000_000
"""Epoch numbers below are seconds (until the year 5138), above milliseconds (since 1973)."""

LAST_STOP_S = 600.0
"""What the last stop is given when a plan says nothing of it."""

_BACK_M = 100.0
"""A path that goes on behind its last stop by more than this leads back to the depot."""

_COLUMNS = {
    "time": ("time", "t", "timestamp", "recorded_at", "datetime", "date_time", "utc"),
    "lat": ("lat", "latitude", "y"),
    "lon": ("lon", "lng", "long", "longitude", "x"),
    "accuracy_m": ("accuracy_m", "accuracy", "acc", "horizontal_accuracy"),
    "altitude_m": ("altitude_m", "altitude", "alt", "ele", "elevation"),
    "speed_mps": ("speed_mps", "speed"),
    "heading_deg": ("heading_deg", "heading", "bearing", "course"),
    "battery": ("battery",),
}
"""Our fields, and the names under which CSV headers carry them."""


class RecordingError(CannotRun):
    """A file cannot be read as what it should be; the text names the file, the place in it and what is expected."""


class SentPing(msgspec.Struct, omit_defaults=True, frozen=True):
    """One ping as `POST /v1/pings` takes it; what is None is not sent."""

    time: int  # epoch milliseconds, the phone's clock
    lat: float
    lon: float
    accuracy_m: float | None = None
    altitude_m: float | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    battery: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Pings of one phone in the order in which they arrived; at least one."""

    name: str
    pings: tuple[SentPing, ...]

    @property
    def first_ms(self) -> int:
        return min(ping.time for ping in self.pings)

    @property
    def last_ms(self) -> int:
        return max(ping.time for ping in self.pings)

    def shifted(self, by_ms: int) -> Self:
        """Move every time."""
        moved = (msgspec.structs.replace(ping, time=ping.time + by_ms) for ping in self.pings)
        return type(self)(name=self.name, pings=tuple(moved))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStop:
    """A stop of a case.

    Attributes:
        along_m: where the tour serves it, metres along the path.
        planned_ms: planned arrival, epoch milliseconds.
    """

    name: str
    lat: float
    lon: float
    along_m: float
    radius_m: float
    planned_ms: int
    service_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A planned tour, with the pings of a drive of it where the folder has them.

    Attributes:
        path: (lon, lat) of every vertex, degrees.
        path_along_m: the recorder's own measure of it at every vertex, metres; stops are placed in it.
    """

    name: str
    path: tuple[tuple[float, float], ...]
    path_along_m: tuple[float, ...]
    stops: tuple[CaseStop, ...]
    recording: Recording | None

    @property
    def length_m(self) -> float:
        return self.path_along_m[-1]

    @property
    def returns(self) -> bool:
        """Whether the path leads back to the depot."""
        return not self.stops or self.length_m - self.stops[-1].along_m > _BACK_M

    def hours_ms(self) -> tuple[int, int]:
        """Tell when the tour is planned to begin and to end, epoch milliseconds.

        It begins when it must to reach its first stop as planned, however early the phone was on: a van that stands
        where its tour starts waits. Where the plan would leave pings out of the tour, it is widened to take them in.

        Raises:
            RecordingError: there are neither stops nor pings.
        """
        pings = self.recording
        if self.stops:
            first, last = self.stops[0], self.stops[-1]
            start_ms = first.planned_ms - round(1000 * first.along_m / TYPICAL_MPS)
            end_ms = last.planned_ms + round(1000 * (last.service_s + LAST_STOP_S))
        elif pings is not None:
            start_ms, end_ms = pings.first_ms, pings.last_ms
        else:
            raise RecordingError(f"{self.name}: the tour has no stops")
        if pings is not None:
            start_ms = min(start_ms, pings.first_ms + EARLY_MS)
            end_ms = max(end_ms, pings.last_ms - LATE_MS)
        return start_ms, max(start_ms, end_ms)


def read_recording(path: Path) -> Recording:
    """Read one phone's pings from a `.csv` or `.gpx` file, gzipped or not.

    Raises:
        RecordingError: with the line and the reason.
    """
    name = path.name.removesuffix(".gz")
    if name.endswith(".csv"):
        pings = tuple(_csv_pings(path))
    elif name.endswith(".gpx"):
        pings = tuple(_gpx_pings(path))
    else:
        raise RecordingError(f"{path}: only .csv and .gpx files (also .gz) are read")
    if not pings:
        raise RecordingError(f"{path}: there is no ping in it")
    return Recording(name=name.rpartition(".")[0].removesuffix(".pings"), pings=pings)


def read_case(path: Path) -> Case:
    """Read a planned tour, `NAME.route.json[.gz]`, and its pings from `NAME.pings.csv[.gz]` beside it.

    Raises:
        RecordingError: with the reason.
    """
    name = path.name.removesuffix(".gz").removesuffix(".route.json")
    try:
        plan = msgspec.json.decode(_text(path), type=_Plan)
    except msgspec.DecodeError as error:
        raise RecordingError(f"{path}: not a planned tour: {error}") from error
    stops = tuple(
        CaseStop(
            name=stop.id,
            lat=stop.lat,
            lon=stop.lon,
            along_m=stop.s,
            radius_m=stop.radius,
            planned_ms=round(stop.planned_arrival * 1000),
            service_s=stop.planned_service,
        )
        for stop in sorted(plan.stops, key=lambda stop: stop.seq)
    )
    found = [beside for end in ("csv.gz", "csv") if (beside := path.with_name(f"{name}.pings.{end}")).exists()]
    recording = read_recording(found[0]) if found else None
    return Case(name=name, path=tuple(plan.route), path_along_m=tuple(plan.s), stops=stops, recording=recording)


def case_files(places: Iterable[Path]) -> list[Path]:
    """List the planned tours in folders, and those named themselves, in the order of their names within a folder.

    Raises:
        RecordingError: a place has none.
    """
    found: list[Path] = []
    for place in places:
        inside = sorted(place.glob("*.route.json*")) if place.is_dir() else [place]
        if not inside or not all(one.exists() for one in inside):
            raise RecordingError(f"{place}: there is no planned tour (NAME.route.json.gz)")
        found += inside
    return found


class _PlannedStop(msgspec.Struct):
    id: str
    seq: int
    lat: float
    lon: float
    s: float
    planned_arrival: float
    radius: float = 40.0
    planned_service: float = 0.0


class _Plan(msgspec.Struct):
    route: list[tuple[float, float]]
    s: list[float]
    stops: list[_PlannedStop]


def _csv_pings(path: Path) -> Iterator[SentPing]:
    rows = csv.DictReader(io.StringIO(_text(path)))
    columns = {name.strip().lower(): name for name in rows.fieldnames or ()}
    ours = {
        field: next((columns[name] for name in names if name in columns), None) for field, names in _COLUMNS.items()
    }
    missing = [field for field in ("time", "lat", "lon") if ours[field] is None]
    if missing:
        raise RecordingError(f"{path}: the header has no column for {', '.join(missing)}; it has {', '.join(columns)}")
    for row in rows:
        given = {field: (row[column] or "").strip() for field, column in ours.items() if column is not None}
        yield _ping(given, f"{path}, line {rows.line_num}")


def _gpx_pings(path: Path) -> Iterator[SentPing]:
    try:
        # A file that the person at the keyboard named; expat limits entity expansion itself (since 2.4.1).
        root = ElementTree.fromstring(_text(path))  # noqa: S314
    except ElementTree.ParseError as error:
        raise RecordingError(f"{path}: not GPX: {error}") from error
    number = 0
    for point in root.iter():
        if _bare(point.tag) != "trkpt":
            continue
        number += 1
        inside = {_bare(one.tag): (one.text or "").strip() for one in point.iter()}
        given = {"lat": point.get("lat", ""), "lon": point.get("lon", ""), "time": inside.get("time", "")}
        given |= {"altitude_m": inside.get("ele", ""), "speed_mps": inside.get("speed", "")}
        given |= {"heading_deg": inside.get("course", ""), "accuracy_m": inside.get("accuracy", "")}
        yield _ping(given, f"{path}, track point {number}")


def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]


def _ping(given: Mapping[str, str], where: str) -> SentPing:
    try:
        numbers = {field: _number(text) for field, text in given.items() if field != "time"}
        lat, lon = numbers.pop("lat"), numbers.pop("lon")
        if lat is None or lon is None:
            raise ValueError("a place is missing")
        return SentPing(time=time_ms(given["time"]), lat=lat, lon=lon, **numbers)
    except ValueError as error:
        raise RecordingError(f"{where}: {error}") from error


def _number(text: str) -> float | None:
    """Read a number; None where the recorder wrote nothing."""
    number = float(text) if text else math.nan
    return number if math.isfinite(number) else None


def time_ms(text: str) -> int:
    """Read a time as epoch milliseconds: epoch seconds or milliseconds, or RFC 3339; UTC where it has no zone.

    Raises:
        ValueError: it is none of these.
    """
    try:
        number = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a time") from None
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return ms_of(moment)
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is not a time")
    return round(number * 1000) if abs(number) < _SECONDS_END else round(number)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path}: cannot be read: {error}") from error


def as_json(pings: Iterable[SentPing], sent_ms: int) -> bytes:
    """Write the body of a `POST /v1/pings` that is sent at `sent_ms` by the phone's clock."""
    body: dict[str, Any] = {"pings": list(pings), "sent_at": sent_ms}
    return msgspec.json.encode(body)
