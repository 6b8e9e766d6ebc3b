"""Plans: what a case and a planner's CSV become for the API."""

from pathlib import Path

import pytest

from reparto.client.planner import drivers_of, routes_of_csv
from reparto.client.recordings import RecordingError, read_case, time_ms
from reparto.data.importer import moved_to_now
from reparto.data.replay import AT_ONCE

MONTEVIDEO = Path(__file__).parents[2] / "journeys" / "montevideo.route.json"
HEADER = (
    "route,driver,timezone,start_at,stop,kind,name,lat,lon,planned_arrival,window_start,window_end,service_s,barcodes\n"
)


def test_plan_and_pings_of_a_case_are_moved_by_the_same_time() -> None:
    case = read_case(MONTEVIDEO)
    assert case.recording is not None
    route, moved = moved_to_now(case, speed=AT_ONCE, timezone="America/Montevideo")
    assert moved is not None
    by_ms = moved.first_ms - case.recording.first_ms
    assert [time_ms(stop["planned_arrival"]) for stop in route.body["stops"]] == [
        stop.planned_ms + by_ms for stop in case.stops
    ]
    start_ms, end_ms = case.hours_ms()
    assert time_ms(route.body["start_at"]) == start_ms + by_ms
    assert time_ms(route.body["end_at"]) == end_ms + by_ms
    assert route.body["return_to_depot"] is True
    assert route.body["path"]["coordinates"][0] == [-56.186, -34.905]
    assert (route.external_id, route.driver) == ("montevideo", "montevideo")


def test_a_csv_of_stops_becomes_routes_in_local_time(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_text(
        HEADER
        + "A,ana,America/Mexico_City,2026-03-02 08:00,,depot,Bodega,20.71,-103.39,,,,,\n"
        + "B,,,2026-03-02T14:00:00Z,,,,20.70,-103.30,,,,,\n"
        + "A,,,,7,pickup,Taller,20.68,-103.37,2026-03-02 08:21,2026-03-02 08:00,2026-03-02 10:00,90,X1 X2\n"
        + "\n"
        + "A,,,,8,,Rosa,20.69,-103.36,2026-03-02 08:40,,,,\n"
    )
    a, b = routes_of_csv(path, timezone="UTC")
    assert drivers_of([a, b]) == ["ana"]
    assert a.body["depot"] == {"name": "Bodega", "lat": 20.71, "lon": -103.39}
    assert (a.body["date"], a.body["timezone"]) == ("2026-03-02", "America/Mexico_City")
    assert a.body["start_at"] == "2026-03-02T14:00:00.000+00:00"
    assert a.body["end_at"] == "2026-03-02T14:50:00.000+00:00"
    assert a.body["path"] is None
    first, second = a.body["stops"]
    assert (first["external_id"], first["kind"], first["service_s"]) == ("7", "pickup", 90.0)
    assert first["window"] == {"start": "2026-03-02T14:00:00.000+00:00", "end": "2026-03-02T16:00:00.000+00:00"}
    assert [parcel["barcode"] for parcel in first["parcels"]] == ["X1", "X2"]
    assert (second["name"], second["kind"]) == ("Rosa", "delivery")
    assert b.driver is None
    assert (b.body["timezone"], b.body["stops"][0]["external_id"]) == ("UTC", "1")


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ("A,,UTC,2026-03-02 08:00,1,,x,north,1,,,,,\n", "line 2: lat must be a number, not 'north'"),
        ("A,,UTC,2026-03-02 08:00,1,,x,,1,,,,,\n", "line 2: lat must be a number, not 'empty'"),
        ("A,,UTC,2026-03-02 08:00,,depot,x,1,1,,,,,\n", "route A has no stops"),
        ("A,,UTC,,1,,x,1,1,,,,,\n", "route A needs a start_at"),
        ("A,,UTC,soon,1,,x,1,1,,,,,\n", "'soon' is not a time"),
        ("A,,Mars/Olympus,2026-03-02 08:00,1,,x,1,1,,,,,\n", "no time zone 'Mars/Olympus'"),
        (",,UTC,2026-03-02 08:00,1,,x,1,1,,,,,\n", "line 2: the row names no route"),
    ],
)
def test_what_a_csv_lacks_is_said_with_its_line(tmp_path: Path, rows: str, why: str) -> None:
    path = tmp_path / "plan.csv"
    path.write_text(HEADER + rows)
    with pytest.raises(RecordingError, match=why):
        routes_of_csv(path, timezone="UTC")


def test_a_csv_without_its_columns_is_no_plan(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_text("route,stop\nA,1\n")
    with pytest.raises(RecordingError, match="no column lat, lon"):
        routes_of_csv(path, timezone="UTC")
