"""How two runs of all benches are held against each other; never how fast anything is."""

import argparse
import math
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reparto.bench import whole as command
from reparto.bench.figures import figures, medians, ratios
from reparto.cli import main


def test_every_number_has_a_name_that_a_program_can_find() -> None:
    report = {
        "ingest": {
            "machine": "2 cores",
            "rows": [
                {"door": "native", "batch": 1, "ack_ms": 2.5, "cpu_us": {"server": 80}},
                {"door": "osmand", "batch": 1, "ack_ms": math.nan, "refused": 0},
            ],
        },
        "eta": {"times": [3, 4], "is_warm": True, "unknown": None},
    }
    assert figures(report) == {
        "ingest.rows[native 1].ack_ms": 2.5,
        "ingest.rows[native 1].cpu_us.server": 80,
        "ingest.rows[osmand 1].refused": 0,
        "eta.times[0]": 3,
        "eta.times[1]": 4,
    }


def test_medians_are_of_the_runs_that_know_a_number_and_ratios_of_what_both_know() -> None:
    now = medians([{"a": 1, "b": 7}, {"a": 5}, {"a": 2, "c": 0}])
    assert now == {"a": 2, "b": 7, "c": 0}
    assert ratios({"a": 4, "c": 0, "d": 1}, now) == {"a": 0.5}


def test_a_run_is_held_against_an_earlier_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    took_ms = iter([30.0, 10.0, 20.0, 80.0, 40.0, 40.0])

    def measure(args: argparse.Namespace) -> Any:
        return {"polls": [{"poll": "since, [nothing] new", "took_ms": next(took_ms)}]}

    monkeypatch.setitem(command.PARTS, "eta", measure)
    assert main(["bench", "all", "--only", "eta", "--json"]) == 0
    before = tmp_path / "before.json"
    before.write_text(capsys.readouterr().out)
    assert msgspec.json.decode(before.read_bytes())["figures"] == {"eta.polls[since, [nothing] new].took_ms": 20.0}
    assert main(["bench", "all", "--only", "eta", "--against", str(before)]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if "took_ms" in line]
    assert line.split()[-3:] == ["40", "20", "2.00"]
    assert "since, [nothing] new" in line


@pytest.mark.parametrize(("text", "why"), [(None, "cannot be read"), ("[]", "is not what")])
def test_what_is_no_earlier_run_is_refused(
    tmp_path: Path, text: str | None, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tmp_path / "before.json"
    if text is not None:
        before.write_text(text)
    assert main(["bench", "all", "--only", "eta", "--against", str(before)]) == 1
    assert why in capsys.readouterr().err
