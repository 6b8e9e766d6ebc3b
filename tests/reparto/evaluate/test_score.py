"""Scoring: every ping has an answer made of those before it, and the files are what a scorer reads."""

import csv
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


def scorer_that_found(etas: dict[str, object], folder: Path) -> Path:
    """A scorer that is content with every snap, and says this of ETAs."""
    found = {"precision": 1.0, "recall": 1.0, "true": 2}
    names = ("gross_rate", "wrong_leg_rate_ambiguous", "along_median_m", "along_p95_m", "dwell_p95_m", "off_recall")
    snap = dict.fromkeys((*names, "off_delay_median_s", "off_false_alarms_per_h"), 0.25)
    said = {"snap": {"all": {**snap, "arrive": found, "depart": found}}, "eta": etas}
    scorer = folder / "scorer.py"
    scorer.write_text(f"import json, sys\nprint(json.dumps({said!r}[sys.argv[1]]))\n")
    return scorer


def test_figures_of_etas_have_a_table_only_where_there_are_any(
    cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("mae_min", "median_ae_min", "p90_ae_min", "bias_min", "coverage", "width_min", "interval_score_min")
    for etas, shown in (({"n": 0}, False), ({"n": 2, **dict.fromkeys(names, 0.5)}, True)):
        scorer = scorer_that_found({"all": etas, "answered": 1.0}, tmp_path)
        assert main(["score", str(cases), "--out", str(tmp_path / "pred"), "--scorer", str(scorer)]) == 0
        said = capsys.readouterr().out
        assert "gross %" in said
        assert ("ETAs, minutes" in said) == shown


def etas(folder: Path) -> list[dict[str, str]]:
    with (folder / "x.eta.csv").open() as file:
        return list(csv.DictReader(file))


def test_stops_ahead_have_etas_and_windows(cases: Path, tmp_path: Path) -> None:
    assert main(["score", str(cases), "--out", str(tmp_path / "pred")]) == 0
    said = etas(tmp_path / "pred")
    assert {row["t"] for row in said} == {"1000"}  # the tour is over before it is asked again
    assert [row["stop"] for row in said] == ["A", "B"]
    assert all(1000 <= float(row["lo"]) <= float(row["eta"]) <= float(row["hi"]) for row in said)
    assert 1200 <= float(said[1]["eta"]) <= 1260  # it stands where it starts: taken for a little late


def test_what_comes_later_changes_nothing_that_was_said(shared_data: Path, tmp_path: Path) -> None:
    """A morning cut off says of its first hours what the whole morning says of them."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    routes = sorted((shared_data / "wmata-bus").glob("*.route.json.gz"))[:10]
    at_s = []
    for route in routes:
        pings = route.with_name(route.name.replace(".route.json", ".pings.csv"))
        head, *lines = gzip.decompress(pings.read_bytes()).decode().split("\n")
        at_s += [float(line.split(",")[1]) for line in lines if line]
        for folder in (whole, cut):
            folder.mkdir(exist_ok=True)
            (folder / route.name).write_bytes(route.read_bytes())
        (whole / pings.name).write_bytes(pings.read_bytes())
    end_s = sorted(at_s)[len(at_s) // 2]
    for route in routes:
        name = route.name.replace(".route.json", ".pings.csv")
        head, *lines = gzip.decompress((whole / name).read_bytes()).decode().split("\n")
        early = [line for line in lines if line and float(line.split(",")[1]) <= end_s]
        if early:
            (cut / name).write_bytes(gzip.compress("\n".join([head, *early]).encode()))
    for folder in (whole, cut):
        assert main(["score", str(folder), "--out", str(tmp_path / "pred" / folder.name)]) == 0
    compared = 0
    for route in routes:
        name = route.name.replace(".route.json.gz", ".eta.csv")
        if (tmp_path / "pred" / "cut" / name).exists():
            said = (tmp_path / "pred" / "cut" / name).read_text().split()[1:]
            # the last moment asked may lie after the cut
            said = [line for line in said if float(line.split(",")[0]) <= end_s]
            later = (tmp_path / "pred" / "whole" / name).read_text().split()[1:]
            assert said == later[: len(said)]
            compared += len(said)
    assert compared > 500
