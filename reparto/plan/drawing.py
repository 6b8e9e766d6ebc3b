"""Tours as a drawing that any browser opens: SVG, a line a van, without streets."""

import numpy as np

from geo.tours.check import Checked
from reparto.plan.instance import PlanInstance

_SIDE, _EDGE = 1000, 20
_TURN_DEG = 137.508
"""Between the hues of two vans: no two of a few dozen look alike."""


def draw(instance: PlanInstance, judged: Checked) -> str:
    """Draw tours, north above; of a file that has places."""
    assert instance.places is not None
    at = instance.places * (1, -1)  # down a page is more
    if instance.in_metres:
        at = at * (np.cos(np.radians(instance.places[:, 1].mean())), 1)
    at = at - at.min(axis=0)
    at = _EDGE + at * (_SIDE / max(float(at.max()), 1e-9))
    width, height = (at.max(axis=0) + _EDGE).tolist()
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for number, timed in enumerate(judged.timed):
        rows = [0, *(instance.problem.jobs[visit.job].place for visit in timed.visits), 0]
        colour = f"hsl({number * _TURN_DEG % 360:.0f} 70% 40%)"
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in at[rows].tolist())
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in at[rows[1:-1]].tolist()]
    x, y = at[0].tolist()
    lines.append(f'<rect x="{x - 8:.1f}" y="{y - 8:.1f}" width="16" height="16"><title>depot</title></rect>')
    return "\n".join([*lines, "</svg>", ""])
