"""What each geocoder answers, in the shapes that its documentation shows, and whatever else comes."""

import contextlib
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from work.addresses.geocode import PROVIDERS
from work.addresses.geocoders.protocol import AskedAddress, Denied, FoundAddress, Strange

BARCELONA = {
    "place_id": 263681481, "licence": "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright",
    "osm_type": "way", "osm_id": 355421084, "lat": "41.40140675", "lon": "2.12872241", "category": "building",
    "type": "apartments", "place_rank": 30, "importance": 0.0001, "addresstype": "building", "name": "",
    "display_name": "68, Carrer de Calatrava, les Tres Torres, Barcelona, Catalunya, 08017, España",
    "address": {"house_number": "68", "road": "Carrer de Calatrava", "city": "Barcelona", "country_code": "es"},
    "boundingbox": ["41.4012270", "41.4015815", "2.1284918", "2.1289520"],
}  # fmt: skip


def nominatim(**changed):
    return [BARCELONA | changed]


def photon(**said):
    place = {"type": "Point", "coordinates": [-75.5690, 6.2442]}
    return {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": place, "properties": said}]}


def pelias(**said):
    return {"geocoding": {"version": "0.2"}, **photon(**said)}


def google(status="OK", location_type="ROOFTOP", **more):
    geometry = {"location": {"lat": 37.4224428, "lng": -122.0842467}, "location_type": location_type}
    result = {"formatted_address": "x", "place_id": "y", "types": ["street_address"], "geometry": geometry, **more}
    return {"status": status, "results": [result] if status == "OK" else []}


def here(result_type="houseNumber", score=1.0, **more):
    item = {
        "title": "Invalidenstraße 117", "id": "here:af:x", "resultType": result_type,
        "position": {"lat": 52.53041, "lng": 13.38527}, "scoring": {"queryScore": score, "fieldScore": {}},
        **more,
    }  # fmt: skip
    return {"items": [item]}


@pytest.mark.parametrize(
    ("name", "said", "quality"),
    [
        ("nominatim", nominatim(), "roof"),
        ("nominatim", nominatim(address={"amenity": "Escuela", "road": "Calle 1"}), "street"),
        ("nominatim", nominatim(place_rank=26, category="highway", type="residential"), "street"),
        ("nominatim", nominatim(place_rank=16, category="boundary", type="administrative"), "area"),
        ("photon", photon(type="house", housenumber="12", street="Calle 10", osm_key="building"), "roof"),
        ("photon", photon(type="house", name="Tienda", osm_key="shop"), "street"),
        ("photon", photon(type="street", name="Calle 10"), "street"),
        ("photon", photon(type="district", name="El Poblado"), "area"),
        ("pelias", pelias(layer="address", match_type="exact", accuracy="point", confidence=1), "roof"),
        ("pelias", pelias(layer="address", match_type="interpolated", accuracy="point"), "street"),
        ("pelias", pelias(layer="street", match_type="fallback", accuracy="centroid"), "street"),
        ("pelias", pelias(layer="locality", match_type="fallback", accuracy="centroid"), "area"),
        ("google", google(), "roof"),
        ("google", google(partial_match=True), "street"),
        ("google", google(location_type="RANGE_INTERPOLATED"), "street"),
        ("google", google(location_type="GEOMETRIC_CENTER", types=["route"]), "street"),
        ("google", google(location_type="APPROXIMATE", types=["locality", "political"]), "area"),
        ("here", here(houseNumberType="PA"), "roof"),
        ("here", here(houseNumberType="interpolated"), "street"),
        ("here", here(result_type="street"), "street"),
        ("here", here(result_type="locality", localityType="city"), "area"),
        ("here", here(houseNumberType="PA", score=0.4), "area"),
    ],
)
def test_how_well_it_is_known(name, said, quality):
    found = PROVIDERS[name].read(json.dumps(said).encode())
    assert isinstance(found, FoundAddress)
    assert found.quality == quality


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nominatim", []),
        ("photon", {"type": "FeatureCollection", "features": []}),
        ("pelias", {"geocoding": {}, "type": "FeatureCollection", "features": []}),
        ("google", google("ZERO_RESULTS")),
        ("here", {"items": []}),
    ],
)
def test_what_is_not_found(name, said):
    assert PROVIDERS[name].read(json.dumps(said).encode()) is None


@pytest.mark.parametrize("status", ["OVER_QUERY_LIMIT", "OVER_DAILY_LIMIT", "REQUEST_DENIED", "INVALID_REQUEST"])
def test_google_says_in_the_body_that_it_does_not_answer(status):
    with pytest.raises(Denied, match=status):
        PROVIDERS["google"].read(json.dumps(google(status)).encode())


def test_google_fails_in_its_body_too():
    with pytest.raises(Strange):
        PROVIDERS["google"].read(b'{"status": "UNKNOWN_ERROR", "results": []}')


HOSTILE = [
    b"", b"<html>busy</html>", b"null", b"[]x", b'"x"', b"\xff\xfe", b"[" * 5_000, b'{"items": [{}]}',
    b'[{"lat": "NaN", "lon": "2", "place_rank": 30}]', b'[{"lat": "91", "lon": "2", "place_rank": 30}]',
    b'{"features": [{"geometry": {"coordinates": [1e999, 2]}, "properties": {"layer": "address"}}]}',
    b'{"features": [{"geometry": {"coordinates": [200, 2]}, "properties": {"layer": "address", "type": "house"}}]}',
    b'{"status": "OK", "results": []}',
    b'{"items": [{"position": {"lat": -95, "lng": 0}, "resultType": "street"}]}',
]  # fmt: skip


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_none_is_told_from_a_place(name, body):
    with contextlib.suppress(Strange):
        assert PROVIDERS[name].read(body) is None


@given(st.binary(max_size=200))
def test_whatever_comes_is_an_outcome(body):
    for geocoder in PROVIDERS.values():
        with contextlib.suppress(Strange, Denied):
            geocoder.read(body)


@pytest.mark.parametrize("name", PROVIDERS)
def test_nothing_of_an_address_breaks_out_of_its_question(name):
    address = "C/ 1 & key=x#?\r\nHost: evil ñ"
    asked = AskedAddress(address=address, near=(6.2442, -75.569), countries=["co", "ec"])
    path = PROVIDERS[name].path(asked, "k&y")
    query = parse_qs(urlsplit(path).query)
    assert address in [value for values in query.values() for value in values]
    assert path.startswith("/")
    assert path.isprintable()
    assert path.isascii()
    if PROVIDERS[name].needs_key:
        assert ["k&y"] in query.values()
