"""Scoring: every ping has an answer made of those before it, and the files are what a scorer reads."""

import gzip
import json
from pathlib import Path

import pytest

from reparto.cli import main

ROUTE = {
    "route": [[-58.40, -34.60], [-58.38, -34.60]],
    "s": [0, 1834.9],
    "stops": [
        {"id": "A", "seq": 0, "lat": -34.6, "lon": -58.4, "s": 0, "radius": 30, "planned_arrival": 1000},
        {"id": "B", "seq": 1, "lat": -34.6, "lon": -58.39, "s": 917, "radius": 40, "planned_arrival": 1200},
    ],
}


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """A tour of two stops: 10 m/s to B, a minute there, on; one ping comes late, one twice."""
    folder = tmp_path / "cases"
    folder.mkdir()
    at_m = [0, *(50 * k for k in range(19)), *([917] * 12), *(917 + 50 * k for k in range(1, 12))]
    rows = [(1000 + 5 * k, m) for k, m in enumerate(at_m)]
    rows.insert(8, rows.pop(4))
    rows.insert(12, rows[11])
    head = "i,t,lat,lon,acc,speed,heading"
    lines = [f"{i},{t},-34.600000,{-58.4 + m / 91_745:.6f},5,," for i, (t, m) in enumerate(rows)]
    lines.insert(0, head)
    (folder / "x.pings.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    (folder / "x.route.json.gz").write_bytes(gzip.compress(json.dumps(ROUTE).encode()))
    return folder


def test_every_ping_is_answered_from_those_before_it(cases: Path, tmp_path: Path) -> None:
    assert main(["score", str(cases), "--out", str(tmp_path / "pred")]) == 0
    head, *rows = (tmp_path / "pred" / "x.csv").read_text().split()
    assert head == "i,s,off"
    assert [int(row.split(",")[0]) for row in rows] == list(range(44))
    said = [float(row.split(",")[1]) for row in rows]
    assert said[8] == said[7]  # late: it is what was known already
    assert said[12] == said[11]  # a copy
    assert said == sorted(said)
    assert said[-1] == pytest.approx(917 + 550, abs=5)
    assert {row.split(",")[2] for row in rows} == {"0"}
    events = json.loads((tmp_path / "pred" / "x.events.json").read_text())
    assert [(event["stop"], event["kind"]) for event in events][-2:] == [("B", "arrive"), ("B", "depart")]
    assert events[-2]["t"] == pytest.approx(1100, abs=6)


def test_missing_recordings_are_said_in_a_sentence(
    cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", str(tmp_path / "none"), "--out", str(tmp_path / "pred")]) == 1
    assert "no recorded tours" in capsys.readouterr().err
    missing = str(tmp_path / "scorer.py")
    assert main(["score", str(cases), "--out", str(tmp_path / "pred"), "--scorer", missing]) == 1
    assert f"no scorer at {missing}" in " ".join(capsys.readouterr().err.split())
