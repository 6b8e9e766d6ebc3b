"""A VRPLIB file as a problem of ours.

Distances of TYPE VRPTW with Euclidean places are those of the DIMACS challenge, cut off after one decimal; of any other
TYPE rounded to whole numbers, as TSPLIB does. Explicit ones are taken as they are. Times go by the same numbers.
"""

from typing import Any

import numpy as np

from geo.tours.numbers import FOREVER
from geo.tours.problem import TourJob, TourProblem, TourVan
from reparto.command import CannotRun
from reparto.plan.instance import PlanInstance

TENTHS = 10
"""Our whole numbers to one of such a file."""


def instance_of(text: str) -> PlanInstance:
    """Read the text of a file.

    Raises:
        CannotRun: what reads such files is not installed.
        RuntimeError, ValueError, TypeError, KeyError, IndexError: it is another one, or asks what no planner can keep.
    """
    try:
        import vrplib.parse
    except ImportError:
        raise CannotRun("The planner is not installed: pip install 'reparto[plan]'") from None
    return _instance(vrplib.parse.parse_vrplib(text))


def _instance(given: dict[str, Any]) -> PlanInstance:
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
    places = np.asarray(given["node_coord"], np.float64)[order] if "node_coord" in given else None
    return PlanInstance(problem=problem, weights=weights, counts=counts, nodes=tuple(order[1:]), places=places)
