"""`reparto plan solve` on files like those that planners exchange."""

import gzip
import json
from pathlib import Path

import pytest

from reparto.cli import main

EXPLICIT = """NAME : four
TYPE : VRPTW
DIMENSION : 5
EDGE_WEIGHT_TYPE : EXPLICIT
EDGE_WEIGHT_FORMAT : FULL_MATRIX
VEHICLES : 3
CAPACITY : 3
EDGE_WEIGHT_SECTION
0 10 20 30 40
11 0 10 20 30
21 11 0 10 20
31 21 11 0 10
41 31 21 11 0
NODE_COORD_SECTION
1 0 0
2 1 0
3 2 0
4 3 0
5 4 0
DEMAND_SECTION
1 0
2 1
3 1
4 1
5 1
DEPOT_SECTION
1
-1
SERVICE_TIME_SECTION
1 0
2 5
3 5
4 5
5 5
TIME_WINDOW_SECTION
1 0 500
2 0 400
3 0 400
4 0 400
5 200 210
EOF
"""

EUCLIDEAN = """NAME : three
TYPE : {type}
DIMENSION : 4
VEHICLES : 4
CAPACITY : 10
EDGE_WEIGHT_TYPE : EUC_2D
NODE_COORD_SECTION
1 0 0
2 1 1
3 2 2
4 0 2
DEMAND_SECTION
1 0
2 3
3 3
4 3
{more}DEPOT_SECTION
1
-1
EOF
"""

WINDOWS = "SERVICE_TIME_SECTION\n1 0\n2 1\n3 1\n4 1\nTIME_WINDOW_SECTION\n1 0 99\n2 0 99\n3 0 99\n4 0 99\n"


def solved(capsys: pytest.CaptureFixture[str], file: Path, code: int = 0) -> dict[str, object]:
    assert main(["plan", "solve", str(file), "--limit-s", "1.5", "--seed", "3"]) == code
    answer = json.loads(capsys.readouterr().out)
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize("packed", [False, True])
def test_an_explicit_matrix_is_solved_one_way(tmp_path: Path, capsys: pytest.CaptureFixture[str], packed: bool) -> None:
    file = tmp_path / ("four.txt.gz" if packed else "four.txt")
    file.write_bytes(gzip.compress(EXPLICIT.encode()) if packed else EXPLICIT.encode())
    answer = solved(capsys, file)
    assert answer["feasible"] is True
    assert sorted(node for tour in answer["tours"] for node in tour) == [1, 2, 3, 4]  # type: ignore[attr-defined]
    assert answer["cost"] == 102  # 0 2 3 4 0 and 0 1 0: three and one, since no van takes four


def test_distances_of_places_count_as_the_kind_of_file_has_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.vrp").write_text(EUCLIDEAN.format(type="CVRP", more=""))
    (tmp_path / "b.vrp").write_text(EUCLIDEAN.format(type="VRPTW", more=WINDOWS))
    assert solved(capsys, tmp_path / "a.vrp")["cost"] == 1 + 1 + 2 + 2
    assert solved(capsys, tmp_path / "b.vrp")["cost"] == pytest.approx(1.4 + 1.4 + 2 + 2)


def test_what_cannot_be_done_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "late.txt").write_text(EXPLICIT.replace("5 200 210", "5 0 20"))
    answer = solved(capsys, tmp_path / "late.txt", code=1)
    assert answer["feasible"] is False
    assert {wrong["why"] for wrong in answer["wrong"]} == {"late"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text", ["", "hello", "NAME : x\nDIMENSION : 3\nEOF\n", EXPLICIT.replace("11 0 10 20 30", "11 0 x 20 30")]
)
def test_another_file_is_refused_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (tmp_path / "no.vrp").write_text(text)
    assert main(["plan", "solve", str(tmp_path / "no.vrp")]) == 1
    assert "VRPLIB" in capsys.readouterr().err
    assert main(["plan", "solve", str(tmp_path / "none.vrp")]) == 1


def test_one_van_goes_the_short_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "four.txt").write_text(EXPLICIT)
    assert main(["plan", "solve", str(tmp_path / "four.txt"), "--limit-s", "0.3", "--one-van", "3"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["cost"], answer["tours"]) == (10 + 10 + 10 + 31, [[1, 2, 3]])
    assert main(["plan", "solve", str(tmp_path / "four.txt"), "--one-van", "5"]) == 1
    assert "4 customers" in capsys.readouterr().err
