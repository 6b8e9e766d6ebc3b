"""What the book says: pins outrank, minorities move nothing, and too little says nothing."""

import numpy as np
import pytest

from geo.shape.middle import middle
from sql.addresses.book import Sighting
from work.addresses.book import place_of

LAT, LON = 6.25, -75.57
STREET_M = 1 / 111_000


def seen(source, north_m=0.0, person="tel 1", east_m=0.0):
    return Sighting(
        address="calle 10", person=person, source=source, lat=LAT + north_m * STREET_M, lon=LON + east_m * STREET_M
    )


def test_the_middle_is_not_moved_by_a_minority():
    rng = np.random.default_rng(1)
    lat = LAT + rng.normal(0, 10, 20) * STREET_M
    lon = LON + rng.normal(0, 10, 20) * STREET_M
    lat[:6] += 5
    found = middle(lon, lat)
    assert abs(found.lat - LAT) * 111_000 < 20
    assert found.spread_m < 30


def test_too_few_say_nothing():
    assert place_of([], "tel 1") is None
    assert place_of([seen("proof")], "tel 1") is None
    assert place_of([seen("van"), seen("van")], "tel 1") is None


def test_proofs_outrank_vans_and_a_pin_outranks_both():
    sightings = [*(seen("van", 40) for _ in range(5)), seen("proof", 2), seen("proof", 4)]
    place = place_of(sightings, "tel 1")
    assert place is not None
    assert (place.quality, place.seen) == ("learned", 2)
    assert place.lat == pytest.approx(LAT + 3 * STREET_M, abs=1e-6)
    pinned = place_of([*sightings, seen("pin", -30)], "tel 1")
    assert pinned is not None
    assert (pinned.quality, pinned.lat) == ("pinned", pytest.approx(LAT - 30 * STREET_M, abs=1e-6))


def test_sightings_that_do_not_agree_say_nothing():
    assert place_of([seen("proof", 0), seen("proof", 900), seen("proof", -700)], "tel 1") is None


def test_one_recipient_cannot_move_another():
    others_pin = seen("pin", 500, person="tel 2")
    assert place_of([others_pin], "tel 1") is None
    company_pin = seen("pin", 10, person="")
    place = place_of([others_pin, company_pin], "tel 1")
    assert place is not None
    assert place.lat == pytest.approx(LAT + 10 * STREET_M, abs=1e-6)


def test_a_neighbour_at_the_same_address_helps_until_there_is_more():
    others = [seen("proof", 100, person="tel 2"), seen("proof", 102, person="tel 2")]
    place = place_of(others, "tel 1")
    assert place is not None
    assert place.lat == pytest.approx(LAT + 101 * STREET_M, abs=1e-6)
    own = place_of([*others, seen("proof", 0), seen("proof", 2)], "tel 1")
    assert own is not None
    assert own.lat == pytest.approx(LAT + 1 * STREET_M, abs=1e-6)
