"""Recordings: what is read from the files that recorders write."""

import gzip
from pathlib import Path

import pytest

from geo.numbers import TYPICAL_MPS
from geo.plan.numbers import EARLY_MS, LATE_MS
from reparto.client.recordings import (
    LAST_STOP_S,
    Case,
    CaseStop,
    Recording,
    RecordingError,
    SentPing,
    case_files,
    read_case,
    read_recording,
    time_ms,
)


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    raw = text.encode()
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def test_a_csv_is_read_under_the_names_that_recorders_use(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "ana.csv",
        "Timestamp,Latitude,Longitude,Accuracy,bearing,speed\n2026-03-02T15:00:00Z,20.67,-103.35,6,181,\n",
    )
    recording = read_recording(path)
    assert recording.name == "ana"
    assert recording.pings == (
        SentPing(time=1_772_463_600_000, lat=20.67, lon=-103.35, accuracy_m=6.0, heading_deg=181.0),
    )


def test_rows_keep_their_order_because_it_is_the_order_of_arrival(tmp_path: Path) -> None:
    path = written(tmp_path, "case.pings.csv.gz", "t,lat,lon\n30,1,2\n10,1,2\n20,1,2\n10,1,2\n")
    recording = read_recording(path)
    assert recording.name == "case"
    assert [ping.time for ping in recording.pings] == [30_000, 10_000, 20_000, 10_000]
    assert (recording.first_ms, recording.last_ms) == (10_000, 30_000)
    assert [ping.time for ping in recording.shifted(5).pings] == [30_005, 10_005, 20_005, 10_005]


def test_a_gpx_track_is_read_with_its_extensions(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "day.gpx",
        """<?xml version="1.0"?>
        <gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"
             xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v2"><trk><trkseg>
        <trkpt lat="-34.905" lon="-56.191"><ele>12.5</ele><time>2026-03-02T15:00:00.250Z</time>
          <extensions><gpxtpx:TrackPointExtension><gpxtpx:speed>8.1</gpxtpx:speed><gpxtpx:course>90</gpxtpx:course>
          </gpxtpx:TrackPointExtension></extensions></trkpt>
        <trkpt lat="-34.906" lon="-56.192"><time>2026-03-02T15:00:05Z</time></trkpt>
        </trkseg></trk></gpx>""",
    )
    first, second = read_recording(path).pings
    assert first == SentPing(
        time=1_772_463_600_250, lat=-34.905, lon=-56.191, altitude_m=12.5, speed_mps=8.1, heading_deg=90.0
    )
    assert second == SentPing(time=1_772_463_605_000, lat=-34.906, lon=-56.192)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1771272052", 1_771_272_052_000),
        ("1771272052.5", 1_771_272_052_500),
        ("1771272052000", 1_771_272_052_000),
        ("2026-02-16T20:00:52Z", 1_771_272_052_000),
        ("2026-02-16T15:00:52-05:00", 1_771_272_052_000),
        ("2026-02-16 20:00:52", 1_771_272_052_000),
    ],
)
def test_a_time_is_seconds_milliseconds_or_rfc3339(text: str, expected: int) -> None:
    assert time_ms(text) == expected


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.csv", "time,lat\n1,2\n", "no column for lon"),
        ("a.csv", "time,lat,lon\n", "no ping"),
        ("a.csv", "time,lat,lon\n1,2,3\nyesterday,2,3\n", "line 3: 'yesterday' is not a time"),
        ("a.csv", "time,lat,lon\n1,,3\n", "line 2: a place is missing"),
        ("a.csv", "time,lat,lon\n1,north,3\n", "line 2: could not convert"),
        ("a.gpx", "<gpx><trk", "not GPX"),
        ("a.txt", "", "only .csv and .gpx"),
    ],
)
def test_what_cannot_be_read_is_said_with_file_and_place(tmp_path: Path, name: str, text: str, why: str) -> None:
    path = written(tmp_path, name, text)
    with pytest.raises(RecordingError, match=why) as caught:
        read_recording(path)
    assert str(path) in str(caught.value)


def test_a_case_is_a_plan_with_the_pings_beside_it(tmp_path: Path) -> None:
    plan = """{"route": [[-58.38, -34.60], [-58.37, -34.60]], "s": [0, 917], "stops": [
        {"id": "B", "seq": 1, "lat": -34.6, "lon": -58.37, "s": 917, "radius": 40, "planned_arrival": 160},
        {"id": "A", "seq": 0, "lat": -34.6, "lon": -58.38, "s": 0, "radius": 30, "planned_arrival": 100.5,
         "planned_service": 20}]}"""
    path = written(tmp_path, "x1.route.json.gz", plan)
    assert read_case(path).recording is None
    written(tmp_path, "x1.pings.csv.gz", "i,t,lat,lon,acc,speed,heading\n0,99,-34.6,-58.38,5,,\n")
    case = read_case(path)
    assert case.name == "x1"
    assert [(stop.name, stop.planned_ms, stop.service_s) for stop in case.stops] == [
        ("A", 100_500, 20),
        ("B", 160_000, 0),
    ]
    assert case.recording is not None
    assert case.recording.pings == (SentPing(time=99_000, lat=-34.6, lon=-58.38, accuracy_m=5.0),)


def test_folders_are_searched_for_cases_and_an_empty_one_is_a_mistake(tmp_path: Path) -> None:
    for name in ("b.route.json.gz", "a.route.json.gz", "a.pings.csv.gz"):
        written(tmp_path, name, "")
    assert [path.name for path in case_files([tmp_path])] == ["a.route.json.gz", "b.route.json.gz"]
    (tmp_path / "empty").mkdir()
    for place in (tmp_path / "empty", tmp_path / "missing.route.json.gz"):
        with pytest.raises(RecordingError, match="no planned tour"):
            case_files([place])


def case_of(*pings_ms: int, first_m: float = 0.0, stops: bool = True) -> Case:
    """A tour of two stops, planned at 10,000 s and 11,000 s, and a minute at the last."""
    planned = ((10_000_000, first_m, 0.0), (11_000_000, 5_000.0, 60.0)) if stops else ()
    return Case(
        name="x",
        path=((-58.40, -34.60), (-58.34, -34.60)),
        path_along_m=(0.0, 5_500.0),
        stops=tuple(
            CaseStop(name=f"{m}", lat=-34.6, lon=-58.4, along_m=m, radius_m=40.0, planned_ms=ms, service_s=service_s)
            for ms, m, service_s in planned
        ),
        recording=Recording(name="x", pings=tuple(SentPing(time=ms, lat=-34.6, lon=-58.4) for ms in pings_ms))
        if pings_ms
        else None,
    )


@pytest.mark.parametrize("pings_ms", [(), (9_000_000,), (10_500_000, 12_000_000)])
def test_a_tour_begins_as_planned_however_early_its_phone_was_on(pings_ms: tuple[int, ...]) -> None:
    planned_end_ms = 11_060_000 + round(1000 * LAST_STOP_S)
    assert case_of(*pings_ms).hours_ms() == (10_000_000, planned_end_ms)
    begins_ms, _ = case_of(*pings_ms, first_m=1000 * TYPICAL_MPS).hours_ms()
    assert begins_ms == 9_000_000  # it must be a thousand seconds on its way by then


def test_pings_far_from_the_hours_of_a_plan_belong_to_the_tour_still() -> None:
    hours_ms = case_of(1_000_000, 40_000_000).hours_ms()
    assert hours_ms == (1_000_000 + EARLY_MS, 40_000_000 - LATE_MS)
    assert case_of(1_000_000, 2_000_000, stops=False).hours_ms() == (1_000_000, 2_000_000)
    with pytest.raises(RecordingError, match="no stops"):
        case_of(stops=False).hours_ms()
