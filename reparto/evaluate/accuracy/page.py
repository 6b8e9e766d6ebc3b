"""The page: the table and two plots, in one HTML file that needs nothing else. English and Spanish."""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from statistics import NormalDist
from string import Template

import numpy as np

from geo.eta.numbers import LEVEL
from geo.eta.score import BUCKETS_MIN, bucket_name
from geo.pings import Floats
from reparto.evaluate.accuracy.compare import ALL, Line, ToldAhead

_WORDS = {
    "timetable": ("Timetable", "Horario", "--plan"),
    "timetable and delay": ("Timetable and delay", "Horario y atraso", "--delay"),
    "before learning": ("Before learning", "Antes de aprender", "--before"),
    "today": ("Today", "Hoy", "--today"),
}
_HEADINGS = (
    ("Lead, min", "Anticipación, min"), ("", ""), ("n", "n"), ("Mean error", "Error medio"), ("Median", "Mediana"),
    ("90 %", "90 %"), ("Bias", "Sesgo"), ("Coverage", "Cobertura"), ("Width", "Ancho"), ("Score", "Puntaje"),
)  # fmt: skip

_LEFT, _TOP, _WIDE, _HIGH = 44.0, 8.0, 400.0, 300.0
"""Where a plot is in its drawing, and how large."""

FEWEST = 30
"""Arrivals below which a curve says nothing."""

_LEVELS = np.linspace(0.05, 0.95, 19)


def page_of(title: str, tours: int, told: Mapping[str, ToldAhead], lines: Sequence[Line]) -> str:
    """Write what a comparison found as one HTML page."""
    template = (files("reparto.evaluate.accuracy") / "page.html").read_text(encoding="utf-8")
    return Template(template).substitute(
        title=escape(title),
        tours=tours,
        calibration=_calibration(told["today"]) if "today" in told else "",
        errors=_errors(lines),
        table=_table(lines),
    )


def held(told: ToldAhead) -> Floats:
    """Tell which part of the arrivals windows held that were made to hold other parts than `LEVEL` (`_LEVELS`).

    A window's sides are stretched as those of a normal distribution are from one level to another.
    """
    assert told.low_ms is not None
    assert told.high_ms is not None
    error_ms = told.came_ms - told.expected_ms
    side_ms = np.where(error_ms < 0, told.expected_ms - told.low_ms, told.high_ms - told.expected_ms)
    far = np.abs(error_ms) / np.maximum(side_ms, 1.0)
    normal = NormalDist()
    stretch = [normal.inv_cdf((1 + level) / 2) / normal.inv_cdf((1 + LEVEL) / 2) for level in _LEVELS.tolist()]
    return np.array([(far <= times).mean() for times in stretch])


def _calibration(told: ToldAhead) -> str:
    parts = [
        f'<rect class="promise" x="{_x(LEVEL - 0.02)}" y="{_TOP}" width="{0.04 * _WIDE:.1f}" height="{_HIGH}"/>',
        *_axes([(n / 5, f"{20 * n}") for n in range(6)], [(n / 5, f"{20 * n} %") for n in range(6)]),
        f'<line class="ideal" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>',
    ]
    legend = []
    for bucket in range(len(BUCKETS_MIN)):
        mine = told.bucket == bucket
        if mine.sum() < FEWEST:
            continue
        observed = held(told.part(mine))
        parts.append(_curve(zip(_LEVELS.tolist(), observed.tolist(), strict=True), f"--b{bucket}"))
        legend.append((f"--b{bucket}", f"{bucket_name(bucket)} min"))
    return _drawing(parts) + _legend(legend)


def _errors(lines: Sequence[Line]) -> str:
    shown = [line for line in lines if line.bucket != ALL and line.figures.n >= FEWEST]
    if not shown:
        return ""
    most = max(line.figures.mae_s for line in shown) / 60
    step = 10 ** math.floor(math.log10(max(most, 0.1)))
    step = next(step * times for times in (0.2, 0.5, 1, 2, 5) if most <= 6 * step * times)
    top = step * math.ceil(most / step)
    count = len(BUCKETS_MIN)
    places = [((n + 0.5) / count, bucket_name(n)) for n in range(count)]
    ticks = [(n * step / top, f"{n * step:g}") for n in range(round(top / step) + 1)]
    parts = list(_axes(places, ticks))
    legend = []
    for source, (english, spanish, colour) in _WORDS.items():
        mine = [(places[line.bucket][0], line.figures.mae_s / 60 / top) for line in shown if line.source == source]
        if mine:
            parts.append(_curve(mine, colour))
            parts += [f'<circle cx="{_x(x)}" cy="{_y(y)}" r="3.5" style="fill: var({colour})"/>' for x, y in mine]
            legend.append((colour, _both(english, spanish)))
    return _drawing(parts) + _legend(legend)


def _table(lines: Sequence[Line]) -> str:
    head = "".join(f"<th>{_both(*words)}</th>" for words in _HEADINGS)
    rows = []
    before = None
    for line in lines:
        found = line.figures
        english, spanish, colour = _WORDS[line.source]
        name = f'<i style="background: var({colour})"></i>{_both(english, spanish)}'
        lead = "" if line.bucket == before else _both("all", "todas") if line.bucket == ALL else line.lead
        minutes = [_minutes(one) for one in (found.mae_s, found.median_s, found.p90_s, found.bias_s)]
        coverage = "–" if math.isnan(found.coverage) else f"{100 * found.coverage:.0f} %"
        cells = [lead, name, f"{found.n}", *minutes, coverage, _minutes(found.width_s), _minutes(found.score_s)]
        kinds = ["first"] * (line.bucket != before) + ["today"] * (line.source == "today")
        rows.append(f'<tr class="{" ".join(kinds)}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
        before = line.bucket
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _minutes(seconds: float) -> str:
    return "–" if math.isnan(seconds) else f"{seconds / 60:z.1f}"


def _both(english: str, spanish: str) -> str:
    return english if english == spanish else f'<span lang="en">{english}</span><span lang="es">{spanish}</span>'


def _x(part: float) -> str:
    return f"{_LEFT + part * _WIDE:.1f}"


def _y(part: float) -> str:
    return f"{_TOP + (1 - part) * _HIGH:.1f}"


def _axes(across: Sequence[tuple[float, str]], up: Sequence[tuple[float, str]]) -> Iterator[str]:
    for part, text in up:
        yield f'<line class="axis" x1="{_x(0)}" y1="{_y(part)}" x2="{_x(1)}" y2="{_y(part)}"/>'
        yield f'<text x="{_LEFT - 8}" y="{_y(part)}" dy="4" text-anchor="end">{text}</text>'
    for part, text in across:
        yield f'<text x="{_x(part)}" y="{_TOP + _HIGH + 20}" text-anchor="middle">{text}</text>'


def _curve(places: Iterator[tuple[float, float]] | Sequence[tuple[float, float]], colour: str) -> str:
    points = " ".join(f"{_x(x)},{_y(y)}" for x, y in places)
    return f'<polyline class="curve" points="{points}" style="stroke: var({colour})"/>'


def _drawing(parts: Sequence[str]) -> str:
    wide, high = _LEFT + _WIDE + 8, _TOP + _HIGH + 28
    return f'<svg viewBox="0 0 {wide:.0f} {high:.0f}" role="img">{"".join(parts)}</svg>'


def _legend(names: Sequence[tuple[str, str]]) -> str:
    items = (f'<li><i style="background: var({colour})"></i>{name}</li>' for colour, name in names)
    return f"<ul>{''.join(items)}</ul>"
