import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.pings import UNKNOWN_MS
from geo.plan.facts import FactType
from geo.plan.fence import Fences
from geo.shape import plane
from geo.shape.fence_shape import prepare_fence
from tests.geo.city import LAT, LON, START_MS, fold, kinds, of_type, pings_at, place, walk

IN, OUT, THROUGH, DWELL = FactType.FENCE_ENTERED, FactType.FENCE_EXITED, FactType.FENCE_CROSSED, FactType.FENCE_DWELLED


def fence(
    geometry, properties=None, *, geofence_id=7, version=1, effective_ms=UNKNOWN_MS, ended_ms=UNKNOWN_MS, dwell_s=None
):
    return prepare_fence(
        geofence_id=geofence_id, version=version, effective_ms=effective_ms, ended_ms=ended_ms, dwell_s=dwell_s,
        feature={"type": "Feature", "geometry": geometry, "properties": properties or {}},
    )  # fmt: skip


def circle(x_m, y_m, radius_m, *, at=(LON, LAT), **rest):
    lon, lat = place(x_m, y_m, *at)
    return fence({"type": "Point", "coordinates": [float(lon), float(lat)]}, {"radius_m": radius_m}, **rest)


def ring(*corners_m, at=(LON, LAT)):
    lon, lat = place(*np.array([*corners_m, corners_m[0]], float).T, *at)
    return np.column_stack((lon, lat)).tolist()


AVENUE = np.column_stack(place(np.array([250.0, 250]), np.array([-300.0, 300]))).tolist()
SQUARE = ring((200, -50), (300, -50), (300, 50), (200, 50))


def happened(*fences, seconds, x_m, y_m=0.0, **rest):
    return fold(pings_at(seconds, x_m, y_m, **rest), fences=Fences(fences))[1].happened


@pytest.mark.parametrize(
    "made",
    [
        circle(250, 0, 50),
        fence({"type": "Polygon", "coordinates": [SQUARE]}),
        fence({"type": "MultiPolygon", "coordinates": [[SQUARE], [ring((900, 0), (950, 0), (950, 50))]]}),
        fence({"type": "LineString", "coordinates": AVENUE}, {"buffer_m": 50}),
    ],
    ids=["circle", "polygon", "multipolygon", "corridor"],
)  # fmt: skip
def test_in_and_out(made):
    facts = happened(made, seconds=np.arange(0, 100, 5), x_m=np.arange(0, 500, 25))
    assert kinds(facts) == [IN, OUT]
    assert facts["geofence_id"].tolist() == [7, 7]
    assert facts["ordinal"][0] == facts["ordinal"][1] == facts["occurred_ms"][0]
    assert (facts["occurred_ms"] - START_MS).tolist() == [
        pytest.approx(40_000, abs=5000),
        pytest.approx(60_000, abs=5000),
    ]


def test_driven_through_between_two_pings():
    facts = happened(circle(250, 0, 50), seconds=[0, 30, 60], x_m=[0, 500, 600])
    assert kinds(facts) == [THROUGH]
    assert facts["occurred_ms"][0] - START_MS == pytest.approx(15_000, abs=100)
    square = fence({"type": "Polygon", "coordinates": [SQUARE]})
    assert kinds(happened(square, seconds=[0, 30], x_m=[0, 500])) == [THROUGH]
    # one shallow fix inside is a way through as well, and passing by is nothing
    assert kinds(happened(square, seconds=[0, 30, 60], x_m=[0, 203, 0])) == [THROUGH]
    assert not len(happened(square, seconds=[0, 30], x_m=[0, 500], y_m=70.0))


def test_a_straight_line_over_a_long_gap_says_nothing():
    assert not len(happened(circle(250, 0, 50), seconds=[0, 1200], x_m=[0, 500]))


def test_no_flapping_on_the_border():
    jitter = np.where(np.arange(60) % 2 == 0, 294.0, 304.0)
    facts = happened(circle(250, 0, 50), seconds=np.arange(0, 305, 5), x_m=np.r_[250.0, jitter])
    assert kinds(facts) == [IN]


def test_dwelled_once():
    stay = circle(250, 0, 50, dwell_s=60)
    facts = happened(stay, seconds=np.arange(0, 200, 10), x_m=np.r_[0, np.full(17, 250.0), 0, 0])
    assert kinds(facts) == [IN, DWELL, OUT]
    assert facts["occurred_ms"][1] - facts["occurred_ms"][0] == 60_000


def test_a_fence_that_ends_closes_its_visit():
    facts = happened(circle(0, 0, 50, ended_ms=START_MS + 33_000), seconds=np.arange(0, 60, 10), x_m=0)
    assert kinds(facts) == [IN, OUT]
    assert facts["occurred_ms"][1] == START_MS + 33_000
    assert facts["folded_ms"][1] == START_MS + 40_000


def test_a_new_version_moves_the_border():
    old, new = circle(0, 0, 50), circle(500, 0, 50, version=2, effective_ms=START_MS + 25_000)
    facts = happened(old, new, seconds=np.arange(0, 60, 10), x_m=0)
    assert kinds(facts) == [IN, OUT]
    assert facts["occurred_ms"][1] == START_MS + 20_000


@pytest.mark.parametrize("lon0", [179.9999, -179.9999, 180.0])
def test_over_the_antimeridian(lon0):
    at = (lon0, -17.0)
    made = circle(0, 0, 60, at=at)
    times, x_m, _ = walk((0, -500, 0), (100, 500, 0))
    assert kinds(happened(made, seconds=times, x_m=x_m, at=at)) == [IN, OUT]
    assert kinds(happened(made, seconds=[0, 60], x_m=[-500, 500], at=at)) == [THROUGH]
    cut = fence({"type": "MultiPolygon", "coordinates": [
        [[[179.999, -17.001], [180, -17.001], [180, -16.999], [179.999, -16.999], [179.999, -17.001]]],
        [[[-180, -17.001], [-179.999, -17.001], [-179.999, -16.999], [-180, -16.999], [-180, -17.001]]],
    ]})  # fmt: skip
    assert kinds(happened(cut, seconds=times, x_m=x_m, at=(180.0, -17.0))) == [IN, OUT]


def test_at_most_sixteen_at_once():
    many = [circle(0, 0, 60, geofence_id=geofence_id) for geofence_id in range(1, 31)]
    facts = happened(*many, seconds=[0, 10, 60], x_m=[0, 0, 900])
    assert len(of_type(facts, IN)) == len(of_type(facts, OUT)) == 16


def test_an_inaccurate_phone_needs_two_fixes():
    facts = happened(circle(0, 0, 60), seconds=[0, 10, 20], x_m=[300, 40, 42], accuracy_m=90)
    assert kinds(facts) == [IN]
    assert facts["folded_ms"][0] - facts["occurred_ms"][0] == 10_000


@pytest.mark.parametrize(
    ("geometry", "properties", "why"),
    [
        ({"type": "Point", "coordinates": [0, 0]}, {}, "radius_m"),
        ({"type": "Point", "coordinates": [0, 0]}, {"radius_m": 0}, "radius_m"),
        ({"type": "Point", "coordinates": [0, 0]}, {"radius_m": float("nan")}, "radius_m"),
        ({"type": "Point", "coordinates": [0, 0]}, {"radius_m": 1e9}, "radius_m"),
        ({"type": "Point", "coordinates": [0, 0]}, {"radius_m": True}, "radius_m"),
        ({"type": "Point", "coordinates": [0, 91]}, {"radius_m": 5}, "latitude"),
        ({"type": "Point", "coordinates": [float("nan"), 1]}, {"radius_m": 5}, "longitude"),
        ({"type": "Point", "coordinates": "here"}, {"radius_m": 5}, "position"),
        ({"type": "Point"}, {"radius_m": 5}, "position"),
        ({"type": "LineString", "coordinates": [[0, 0], [0, 0]]}, {"buffer_m": 5}, "two different"),
        ({"type": "LineString", "coordinates": [[0, 0], [1, 0]]}, {"buffer_m": -5}, "buffer_m"),
        ({"type": "LineString", "coordinates": [[0, 0], [9, 0]]}, {"buffer_m": 5}, "degrees"),
        ({"type": "LineString", "coordinates": [[0, 0], [0.001, 0]]}, {"buffer_m": 1e-150}, "no area"),
        ({"type": "Polygon", "coordinates": []}, {}, "rings"),
        ({"type": "Polygon", "coordinates": [[]]}, {}, "rings"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}, {}, "four positions"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}, {}, "end where it begins"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}, {}, "self-intersection"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 0], [0, 0]]]}, {}, "polygon"),
        ({"type": "Polygon", "coordinates": {"a": 1}}, {}, "rings"),
        ({"type": "Circle"}, {}, "must be a Point"),
        ({"type": "GeometryCollection", "geometries": []}, {}, "must be a Point"),
    ],
)  # fmt: skip
def test_a_bad_feature_gets_a_sentence(geometry, properties, why):
    with pytest.raises(ValueError, match=why):
        fence(geometry, properties)


def test_a_feature_that_is_none():
    for feature in ({}, {"type": "Feature"}, {"type": "Feature", "geometry": None}, {"type": "Point", "geometry": {}}):
        with pytest.raises(ValueError):
            prepare_fence(geofence_id=1, version=1, effective_ms=0, ended_ms=0, feature=feature, dwell_s=None)
    with pytest.raises(ValueError, match="dwell_s"):
        circle(0, 0, 50, dwell_s=-1)


keys = st.sampled_from(["type", "coordinates", "a"])
json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


@given(
    kind=st.sampled_from(["Point", "Polygon", "MultiPolygon", "LineString"]),
    coordinates=json_like,
    properties=json_like,
)
@settings(max_examples=200)
def test_nothing_but_value_errors(kind, coordinates, properties):
    feature = {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}
    with contextlib.suppress(ValueError):
        made = prepare_fence(geofence_id=1, version=1, effective_ms=0, ended_ms=0, feature=feature, dwell_s=None)
        assert_sound(made)


@given(
    kind=st.sampled_from(["Point", "Polygon", "MultiPolygon", "LineString"]),
    corners=st.lists(st.tuples(st.floats(-300, 300), st.floats(-300, 300)), min_size=3, max_size=6),
    radius_m=st.floats(-10, 500),
    at=st.sampled_from([(LON, LAT), (179.9995, 60.0), (-180.0, -79.9)]),
)
@settings(max_examples=200)
def test_what_is_accepted_is_sound(kind, corners, radius_m, at):
    shell = ring(*corners, at=at)
    coordinates = {"Point": shell[0], "LineString": shell, "Polygon": [shell], "MultiPolygon": [[shell]]}[kind]
    with contextlib.suppress(ValueError):
        assert_sound(fence({"type": kind, "coordinates": coordinates}, {"radius_m": radius_m, "buffer_m": radius_m}))


def assert_sound(made):
    """A fence has a place inside of it, its box holds its own middle, and outside of its box nobody is inside."""
    west, south, east, north = made.bounds
    assert west < made.lon0 < east or west < made.lon0 + 360 < east or west < made.lon0 - 360 < east
    assert south < made.lat0 < north
    assert np.isfinite(made.radius_m) == (made.shape is None)
    fences = Fences((made,))
    if made.shape is None:
        lon, lat = made.lon0, made.lat0
    else:
        inner = made.shape.representative_point()
        lon, lat = plane.unproject(inner.x, inner.y, made.lon0, made.lat0)
    beyond = np.array([west - 1e-4, east + 1e-4, made.lon0, made.lon0]), np.array([made.lat0, made.lat0, south, north])
    row = np.zeros(4, np.int64)
    assert fences.outside_m(row[:1], np.array([lon]), np.array([lat]))[0] <= 0.001
    assert (fences.outside_m(row, *beyond) >= -0.001).all()


def test_thousands_of_fences_and_drivers():
    random = np.random.default_rng(3)
    x_m, y_m = random.uniform(-20_000, 20_000, (2, 3000))
    many = Fences(tuple(circle(x, y, 40, geofence_id=i + 1) for i, (x, y) in enumerate(zip(x_m, y_m, strict=True))))
    times, px, py = walk((0, -15_000, -15_000), (3000, 15_000, 15_000), every_s=10)
    facts = fold(pings_at(times, px, py), fences=many)[1].happened
    near = np.abs(x_m - y_m) / np.sqrt(2) < 30
    inner = near & (np.abs(x_m + y_m) < 29_000)
    assert set((np.flatnonzero(inner) + 1).tolist()) <= set(facts["geofence_id"].tolist())
    assert np.isin(facts["geofence_id"] - 1, np.flatnonzero(np.abs(x_m - y_m) / np.sqrt(2) < 45)).all()
