"""Where a photo says that it was taken: what is not known is no place."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from PIL.ExifTags import GPS
from PIL.TiffImagePlugin import IFDRational

from tests.api.proofs.pictures import NOW, PLACE, photo
from work.proofs.images import judge

LAT, LAT_SIDE, LON, LON_SIDE = GPS.GPSLatitude, GPS.GPSLatitudeRef, GPS.GPSLongitude, GPS.GPSLongitudeRef


def taken_at(now: datetime) -> datetime | None:
    return judge("photo", photo(80, 60), max_pixels=10_000, zone=ZoneInfo("America/Bogota"), now=now).taken.at


def test_a_camera_may_be_two_days_ahead_and_no_more():
    at = taken_at(NOW)
    assert at is not None
    assert taken_at(at - timedelta(days=2)) == at
    assert taken_at(at - timedelta(days=2, seconds=1)) is None


def place(gps: dict) -> tuple[float | None, float | None]:
    shown = judge("photo", photo(80, 60, gps=gps), max_pixels=10_000, zone=ZoneInfo("America/Bogota"), now=NOW)
    assert shown.taken.at is not None  # whatever is wrong with the place, the time stands
    return shown.taken.lat, shown.taken.lon


@pytest.mark.parametrize(
    ("gps", "sides"),
    [
        ({}, (1, 1)),
        ({LAT_SIDE: "S", LON_SIDE: "E"}, (-1, -1)),
        ({LAT_SIDE: "n", LON_SIDE: "w"}, (1, 1)),
        ({LAT_SIDE: " S", LON_SIDE: "E\0"}, (-1, -1)),
        ({GPS.GPSStatus: "A"}, (1, 1)),
        ({LAT: (6.0, 14.88360, 0.0)}, (1, 1)),
    ],
)
def test_a_place_that_names_its_hemispheres_is_read(gps, sides):
    assert place(gps) == pytest.approx((PLACE[0] * sides[0], PLACE[1] * sides[1]), abs=1e-6)


@pytest.mark.parametrize(
    "gps",
    [
        {LAT_SIDE: None, LON_SIDE: None},
        {LAT_SIDE: "", LON_SIDE: ""},
        {LAT_SIDE: "\0", LON_SIDE: " "},
        {LAT_SIDE: None},
        {LON_SIDE: ""},
        {LAT_SIDE: "E"},
        {LON_SIDE: "N"},
        {LAT_SIDE: "?"},
        {LAT_SIDE: "W", LON_SIDE: "N"},
        {LAT: None},
        {LON: None, LON_SIDE: None},
        {LAT: (0.0, 0.0, 0.0), LON: (0.0, 0.0, 0.0)},
        {LAT: (IFDRational(0, 0),) * 3, LON: (IFDRational(0, 0),) * 3},
        {LAT: (6.0, IFDRational(14, 0), 0.0)},
        {LAT: (90.0, 0.0, 1.0)},
        {LON: (181.0, 0.0, 0.0)},
        {LAT: (6.0, 75.0, 0.0)},
        {LON: (75.0,)},
        {GPS.GPSStatus: "V"},
    ],
    ids=str,
)
def test_what_is_not_known_is_no_place(gps):
    assert place(gps) == (None, None)
