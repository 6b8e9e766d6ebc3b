"""`reparto plan solve` on a file of LoggiBUD, and what it draws."""

import gzip
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from geo.tours.matrix import straight
from reparto.cli import main

PLACES = np.array([(-43.40, -22.80), (-43.40, -22.79), (-43.40, -22.78), (-43.40, -22.81)])
SIZES = (2, 2, 3)


def made_up() -> dict[str, Any]:
    points = [{"lng": lon, "lat": lat} for lon, lat in PLACES.tolist()]
    deliveries = [
        {"id": name, "point": point, "size": size} for name, point, size in zip("abc", points[1:], SIZES, strict=True)
    ]
    head = {"name": "cvrp-x", "region": "x", "origin": points[0], "vehicle_capacity": 4}
    return {**head, "deliveries": deliveries}


@pytest.mark.parametrize("packed", [False, True])
def test_deliveries_go_onto_vans_of_one_size_and_are_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], packed: bool
) -> None:
    file, drawing, body = tmp_path / "rio.json", tmp_path / "rio.svg", json.dumps(made_up()).encode()
    file.write_bytes(gzip.compress(body) if packed else body)
    assert main(["plan", "solve", str(file), "--limit-s", "0.3", "--draw", str(drawing)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {frozenset(tour) for tour in told["tours"]} == {frozenset("ab"), frozenset("c")}
    metres, seconds = straight(*PLACES.T)
    rows = np.array([(0, 1), (1, 2), (2, 0), (0, 3), (3, 0)]).T
    assert told["cost"] == metres[*rows].sum() / 1000
    assert told["km"] == pytest.approx(told["cost"], abs=0.01)
    assert told["minutes"] == pytest.approx(seconds[*rows].sum() / 60, abs=0.1)
    assert told["feasible"] is True
    svg = ET.parse(drawing)
    lines = svg.findall("{*}polyline")
    assert len({line.get("stroke") for line in lines}) == len(lines) == 2
    assert len(svg.findall("{*}circle")) == 3
    ends = {
        point for line in lines for point in (line.get("points", "").split()[0], line.get("points", "").split()[-1])
    }
    assert len(ends) == 1  # each begins and ends at the depot


@pytest.mark.parametrize(
    "change",
    [{"origin": None}, {"vehicle_capacity": -1}, {"deliveries": []}, {"origin": {"lng": -43.4, "lat": 122.8}}],
)
def test_another_file_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any]
) -> None:
    (tmp_path / "no.json").write_text(json.dumps(made_up() | change))
    assert main(["plan", "solve", str(tmp_path / "no.json")]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "no LoggiBUD file that is understood" in said
    assert "Traceback" not in said


def test_what_cannot_be_drawn_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(text: str, drawing: Path) -> str:
        (tmp_path / "file").write_text(text)
        assert main(["plan", "solve", str(tmp_path / "file"), "--limit-s", "0.1", "--draw", str(drawing)]) == 1
        return " ".join(capsys.readouterr().err.split())

    assert "cannot be written" in refused(json.dumps(made_up()), tmp_path / "none" / "rio.svg")
    text = "TYPE : VRPTW\nDIMENSION : 2\nCAPACITY : 1\nEDGE_WEIGHT_TYPE : EXPLICIT\nEDGE_WEIGHT_FORMAT : FULL_MATRIX\n"
    assert "no places" in refused(text + "EDGE_WEIGHT_SECTION\n0 1\n1 0\nEOF\n", tmp_path / "x.svg")
