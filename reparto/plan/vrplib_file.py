"""A VRPLIB file as a problem of ours, and the cost as such files count it.

Distances of TYPE VRPTW with Euclidean places are those of the DIMACS challenge, cut off after one decimal; of any other
TYPE rounded to whole numbers, as TSPLIB does. Explicit ones are taken as they are. Times go by the same numbers.
"""

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geo.pings import Floats
from geo.tours.check import Checked
from geo.tours.numbers import FOREVER
from geo.tours.problem import TourJob, TourProblem, TourVan
from reparto.command import CannotRun

TENTHS = 10
"""Our whole numbers to one of such a file."""

MOST_BYTES = 500_000_000
"""Of an unpacked file: an explicit matrix of 8,000 places."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VrplibInstance:
    """A file that was read.

    Attributes:
        scale: our whole numbers to one of the file.
        weights: (n, n) as costs are counted.
        counts: how, in words.
        nodes: for each job, the number of its customer, the depot being 0.
    """

    problem: TourProblem
    scale: int
    weights: Floats
    counts: str
    nodes: tuple[int, ...]

    def cost(self, judged: Checked) -> float:
        """Count what tours cost: the weights of their drives and nothing else."""
        total = 0.0
        for timed in judged.timed:
            row = [0, *(self.problem.jobs[job].place for job in timed.tour.jobs), 0]
            total += float(self.weights[row[:-1], row[1:]].sum())
        whole = round(total, 6)
        return int(whole) if whole == int(whole) else whole


def one_van(instance: VrplibInstance, count: int) -> VrplibInstance:
    """Leave the customers that are nearest to the first one, for one van without windows, services and loads.

    Raises:
        CannotRun: there are fewer.
    """
    metres = instance.problem.distance_m
    if not 1 <= count <= len(metres) - 1:
        raise CannotRun(f"The file has {len(metres) - 1} customers, so it cannot be {count} of them.")
    near = 1 + np.argsort(metres[1, 1:], kind="stable")[:count]
    at = np.concatenate(([0], near))
    matrix = metres[np.ix_(at, at)]
    jobs = [TourJob(place=row) for row in range(1, count + 1)]
    return VrplibInstance(
        problem=TourProblem(duration_s=matrix, distance_m=matrix, jobs=jobs, vehicles=[TourVan(start=0, end=0)]),
        scale=instance.scale,
        weights=instance.weights[np.ix_(at, at)],
        counts=instance.counts,
        nodes=tuple(instance.nodes[row - 1] for row in near.tolist()),
    )


def read(path: Path) -> VrplibInstance:
    """Read a file, packed or not.

    Raises:
        CannotRun: it cannot be read, or asks what no planner here can keep.
    """
    try:
        import vrplib.parse
    except ImportError:
        raise CannotRun("The planner is not installed: pip install 'reparto[plan]'") from None
    try:
        text = _text(path)
        return _instance(vrplib.parse.parse_vrplib(text))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise CannotRun(f"{path} cannot be read: {error}") from error
    except (RuntimeError, ValueError, TypeError, KeyError, IndexError) as error:
        raise CannotRun(f"{path} is no VRPLIB file that is understood: {error}") from error


def _text(path: Path) -> str:
    opener = gzip.open if path.read_bytes()[:2] == b"\x1f\x8b" else open
    with opener(path, "rb") as file:
        body = file.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES} bytes")
    return body.decode("utf-8")


def _instance(given: dict[str, Any]) -> VrplibInstance:
    if "edge_weight" not in given:
        raise ValueError("there are no distances in it, and no places to take them from")
    weights = np.asarray(given["edge_weight"], np.float64)
    count = len(weights)
    if weights.shape != (count, count) or count < 1 or not np.isfinite(weights).all():
        raise ValueError("its distances are no square of numbers")
    (depot,) = np.atleast_1d(given.get("depot", np.array([0]))).tolist()
    euclidean, timed = str(given.get("edge_weight_type", "")).startswith("EUC"), "time_window" in given
    scale, counts = 1, "as given"
    if euclidean and timed:
        scale, weights, counts = TENTHS, np.floor(weights * TENTHS + 1e-9) / TENTHS, "cut off after one decimal"
    elif euclidean:
        weights, counts = np.floor(weights + 0.5), "rounded"
    elif not (weights == np.round(weights)).all():
        scale = TENTHS**3
    matrix = np.round(weights * scale).astype(np.int64)
    order = [depot, *(node for node in range(count) if node != depot)]
    matrix, weights = matrix[np.ix_(order, order)], weights[np.ix_(order, order)]
    windows = np.asarray(given.get("time_window", np.tile([0, FOREVER // scale], (count, 1))), np.float64)[order]
    service = np.broadcast_to(np.asarray(given.get("service_time", 0), np.float64), count)[order]
    demand = np.asarray(given.get("demand", np.zeros(count)), np.int64).reshape(count)[order]
    capacity = int(given.get("capacity", demand.sum()))
    jobs = [
        TourJob(
            place=row,
            service_s=round(float(service[row]) * scale),
            windows=((round(float(windows[row, 0]) * scale), round(float(windows[row, 1]) * scale)),),
            delivery=(int(demand[row]),),
        )
        for row in range(1, count)
    ]
    shift = (round(float(windows[0, 0]) * scale), round(float(windows[0, 1]) * scale))
    fleet = int(given.get("vehicles", max(count - 1, 1)))
    vehicle = TourVan(start=0, end=0, shift=shift, capacity=(capacity,))
    problem = TourProblem(duration_s=matrix, distance_m=matrix, jobs=jobs, vehicles=[vehicle] * fleet)
    return VrplibInstance(problem=problem, scale=scale, weights=weights, counts=counts, nodes=tuple(order[1:]))
