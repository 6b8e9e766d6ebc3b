import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest

from api.history import track
from geo.trust.clean import Flag
from sql.pool import Pool
from sql.queries import load
from tests.api.tour_rows import Tour

START = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)

GPX = "{http://www.topografix.com/GPX/1/1}"
KML = "{http://www.opengis.net/kml/2.2}"
KML_TRACK = "{http://www.google.com/kml/ext/2.2}"


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, track.operations.add_to]


@pytest.fixture
async def tour(pool: Pool, account: Any) -> Tour:
    return await Tour.put(pool, account.id, start_at=START)


def every(seconds: int, n: int, start: datetime = START) -> list[datetime]:
    return [start + timedelta(seconds=seconds * place) for place in range(n)]


async def columns_of(client: Any, path: str, headers: dict[str, str]) -> dict[str, list[Any]]:
    response = await client.get(path, headers=headers)
    assert response.status == 200, await response.text()
    return (await response.json())["columns"]  # type: ignore[no-any-return]


async def test_a_route_s_pings_are_columns_in_the_order_of_time(client: Any, account: Any, tour: Tour) -> None:
    await tour.keep_pings(every(10, 3)[::-1])
    columns = await columns_of(client, "/v1/routes/tour-1/track", account.headers)
    assert list(columns) == list(track.TrackColumns.__struct_fields__)
    assert columns["time"] == ["2026-03-02T13:00:00Z", "2026-03-02T13:00:10Z", "2026-03-02T13:00:20Z"]
    assert columns["received_at"][0] == "2026-03-02T13:00:02Z"
    assert columns["lat"][2] == pytest.approx(6.2443)
    assert columns["snapped_lat"][2] == pytest.approx(6.2442)
    assert columns["accuracy_m"] == [12.3] * 3
    assert columns["believed"] == [True] * 3
    assert columns["flags"] == [[], [], []]
    assert columns["route_version"] == [1, 1, 1]


async def test_a_route_is_found_by_either_of_its_ids(client: Any, account: Any, tour: Tour) -> None:
    await tour.keep_pings(every(10, 2))
    for route in ("tour-1", f"rt_{tour.route_id}"):
        assert len((await columns_of(client, f"/v1/routes/{route}/track", account.headers))["time"]) == 2


async def test_noise_is_there_with_its_reasons(client: Any, account: Any, tour: Tour) -> None:
    await tour.keep_pings(
        every(10, 1),
        believed=False,
        on_route=False,
        flags=int(Flag.JUMP | Flag.INACCURATE),
        along_m=None,
        offset_m=None,
        snapped_lat_e6=None,
        snapped_lon_e6=None,
    )
    columns = await columns_of(client, "/v1/routes/tour-1/track", account.headers)
    assert columns["flags"] == [["inaccurate", "jump"]]
    assert columns["believed"] == [False]
    assert columns["along_m"] == columns["snapped_lon"] == [None]


async def test_only_pings_on_the_route_are_in_its_track(client: Any, account: Any, tour: Tour) -> None:
    await tour.keep_pings(every(10, 2))
    await tour.keep_pings(every(10, 2, START + timedelta(hours=1)), route_id=None, route_version=None, believed=None)
    assert len((await columns_of(client, "/v1/routes/tour-1/track", account.headers))["time"]) == 2
    whole = await columns_of(
        client,
        f"/v1/drivers/dr_{tour.driver_id}/track?from=2026-03-02T00:00:00Z&to=2026-03-03T00:00:00Z",
        account.headers,
    )
    assert whole["believed"] == [True, True, None, None]


async def test_a_driver_s_track_is_of_the_time_asked_for(client: Any, account: Any, tour: Tour) -> None:
    await tour.keep_pings(every(10, 6))
    path = f"/v1/drivers/dr_{tour.driver_id}/track?from=2026-03-02T13:00:10Z&to=2026-03-02T08:00:40-05:00"
    columns = await columns_of(client, path, account.headers)
    assert [time[-4:-1] for time in columns["time"]] == [":10", ":20", ":30"]


async def test_without_times_a_driver_s_last_day_is_meant(client: Any, account: Any, tour: Tour) -> None:
    now = datetime.now(UTC)
    await tour.keep_pings([now - timedelta(hours=30), now - timedelta(hours=1), now + timedelta(hours=1)])
    columns = await columns_of(client, f"/v1/drivers/dr_{tour.driver_id}/track", account.headers)
    assert len(columns["time"]) == 2


async def test_pages_follow_each_other_without_gap_or_repetition(client: Any, account: Any, tour: Tour) -> None:
    await tour.keep_pings(every(10, 7))
    other = await tour.pool.fetchval(
        "INSERT INTO device (account_id, driver_id, app, ingest_token_hash)"
        " VALUES ($1, $2, 'osmand', '\\x00') RETURNING id",
        tour.account_id,
        tour.driver_id,
    )
    await tour.keep_pings(every(10, 4), device_id=other)  # the same moments, from another phone
    seen: list[str] = []
    path = "/v1/routes/tour-1/track?limit=3"
    cursor = ""
    while cursor is not None:
        response = await client.get(f"{path}&cursor={cursor}", headers=account.headers)
        page = await response.json()
        assert len(page["columns"]["time"]) <= 3
        seen += page["columns"]["time"]
        cursor = page["next"]
    assert len(seen) == 11
    assert seen == sorted(seen)


async def test_msgpack_gives_the_same_columns(client: Any, account: Any, tour: Tour) -> None:
    await tour.keep_pings(every(10, 2))
    accept = {"Accept": "application/msgpack", **account.headers}
    response = await client.get("/v1/routes/tour-1/track", headers=accept)
    packed = msgspec.msgpack.decode(await response.read())
    assert packed["columns"] == await columns_of(client, "/v1/routes/tour-1/track", account.headers)


async def test_geojson_has_a_point_with_everything_for_each_ping(client: Any, account: Any, tour: Tour) -> None:
    await tour.keep_pings(every(10, 2))
    response = await client.get("/v1/routes/tour-1/track?format=geojson", headers=account.headers)
    assert response.content_type == "application/geo+json"
    collection = msgspec.json.decode(await response.read())
    first = collection["features"][0]
    assert first["geometry"] == {"type": "Point", "coordinates": [-75.5689, 6.2443]}
    assert first["properties"]["time"] == "2026-03-02T13:00:00Z"
    assert first["properties"]["flags"] == []


async def test_gpx_is_the_drive_without_its_noise(client: Any, account: Any, tour: Tour) -> None:
    await tour.keep_pings(every(10, 3))
    await tour.keep_pings([START + timedelta(seconds=15)], believed=False, flags=int(Flag.JUMP))
    response = await client.get("/v1/routes/tour-1/track?format=gpx", headers=account.headers)
    assert response.content_type == "application/gpx+xml"
    assert response.headers["Content-Disposition"] == f'attachment; filename="rt_{tour.route_id}.gpx"'
    root = ET.fromstring(await response.read())
    points = root.findall(f"{GPX}trk/{GPX}trkseg/{GPX}trkpt")
    assert [point.findtext(f"{GPX}time") for point in points] == [
        f"2026-03-02T13:00:{second}.000Z" for second in ("00", "10", "20")
    ]
    assert points[0].attrib == {"lat": "6.244300", "lon": "-75.568900"}
    speed = points[0].find(f"{GPX}extensions/*/{{http://www.garmin.com/xmlschemas/TrackPointExtension/v2}}speed")
    assert speed is not None
    assert speed.text == "6.5"


async def test_kml_is_a_track_in_time(client: Any, account: Any, tour: Tour) -> None:
    await tour.keep_pings(every(10, 2))
    response = await client.get("/v1/routes/tour-1/track?format=kml", headers=account.headers)
    drawn = ET.fromstring(await response.read()).find(f".//{KML_TRACK}Track")
    assert drawn is not None
    assert [when.text for when in drawn.findall(f"{KML}when")] == [
        "2026-03-02T13:00:00.000Z",
        "2026-03-02T13:00:10.000Z",
    ]
    assert drawn.findtext(f"{KML_TRACK}coord") == "-75.568900 6.244300 0"


async def test_csv_has_a_line_for_each_ping(client: Any, account: Any, tour: Tour) -> None:
    await tour.keep_pings(every(10, 1), flags=int(Flag.JUMP | Flag.MOCK), believed=False)
    response = await client.get("/v1/routes/tour-1/track?format=csv", headers=account.headers)
    assert response.content_type == "text/csv"
    (row,) = csv.DictReader(io.StringIO(await response.text()))
    assert row["time"] == "2026-03-02T13:00:00.000Z"
    assert (row["believed"], row["flags"]) == ("false", "jump mock")


async def test_a_file_s_next_page_is_in_the_link_header(client: Any, account: Any, tour: Tour) -> None:
    await tour.keep_pings(every(10, 3))
    first = await client.get("/v1/routes/tour-1/track?format=csv&limit=2", headers=account.headers)
    assert str(first.links["next"]["url"]).count("format=csv") == 1
    second = await client.get(first.links["next"]["url"].relative(), headers=account.headers)
    assert len((await second.text()).splitlines()) == 2
    assert "Link" not in second.headers


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=10001", "limit=x", "format=shp", "cursor=x", "cursor=gA", "cursor=lM__________8BAgM"],
)
async def test_a_parameter_that_means_nothing_is_refused(client: Any, account: Any, tour: Tour, query: str) -> None:
    response = await client.get(f"/v1/routes/tour-1/track?{query}", headers=account.headers)
    assert response.status == 422
    assert (await response.json())["errors"][0]["at"] == query.split("=")[0]


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ("from=yesterday", "from"),
        ("from=2026-03-02T00:00:00", "from"),  # without a zone
        ("to=0001-01-01T00:00:00%2B14:00", "to"),
        ("from=2026-03-02T00:00:00Z&to=2026-03-02T00:00:00Z", "from"),
    ],
)
async def test_times_that_mean_nothing_are_refused(client: Any, account: Any, tour: Tour, query: str, at: str) -> None:
    response = await client.get(f"/v1/drivers/dr_{tour.driver_id}/track?{query}", headers=account.headers)
    assert response.status == 422
    assert (await response.json())["errors"][0]["at"] == at


async def test_a_plus_that_nobody_escaped_is_read_as_one(client: Any, account: Any, tour: Tour) -> None:
    await tour.keep_pings(every(10, 1))
    path = f"/v1/drivers/dr_{tour.driver_id}/track?from=2026-03-02T13:00:00 00:00&to=2026-03-02T14:00:00 00:00"
    assert len((await columns_of(client, path, account.headers))["time"]) == 1


async def test_what_is_another_account_s_is_not_there(
    client: Any, account: Any, other_account: Any, tour: Tour, bearer: Callable[[str], dict[str, str]]
) -> None:
    await tour.keep_pings(every(10, 1))
    for path in (f"/v1/routes/rt_{tour.route_id}/track", f"/v1/drivers/dr_{tour.driver_id}/track"):
        assert (await client.get(path, headers=other_account.headers)).status == 404
        assert (await client.get(path)).status == 401
        assert (await client.get(path, headers=bearer(account.viewer_key))).status == 200
    assert (await client.get("/v1/routes/tour-2/track", headers=account.headers)).status == 404


async def explained(pool: Pool, plans: str, statement: str, arguments: str) -> tuple[str, list[str]]:
    """Run a statement on tables of these sizes; give its plan, and the lines of it that ran."""
    await pool.execute("ANALYZE ping")
    async with pool.acquire() as db:
        await db.execute(f"SET plan_cache_mode = {plans}")
        await db.execute("SET enable_seqscan = off")  # the tables are tiny
        await db.execute("PREPARE asked AS " + load("sql.pings.trace")[statement])
        lines = await db.fetch(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE asked ({arguments})")
    plan = "\n".join(line[0] for line in lines)
    return plan, [line for line in plan.splitlines() if "never executed" not in line]


@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
async def test_a_page_reads_only_the_days_asked_for_in_the_order_of_the_key(pool: Pool, tour: Tour, plans: str) -> None:
    await tour.keep_pings([START + timedelta(days=day, seconds=second) for day in range(6) for second in range(3)])
    plan, run = await explained(
        pool,
        plans,
        "read_track",
        f"'{{{tour.device_id}}}', '2026-03-04 13:00Z', '2026-03-04 18:00Z', {tour.route_id}, '-infinity', 0, 0, 0, 10",
    )
    assert sum(" Scan using " in line for line in run) == 1, plan
    assert sum("Sort Method" in line for line in run) == 1, plan  # of the page, not of what a phone ever sent


async def walk(tour: Tour) -> None:
    """Drive for four minutes, walk to a door and back, drive on: a ping every 5 s."""
    east_m = 0.0
    for n in range(140):
        east_m += 50 if n < 48 or n >= 90 else (6 if n < 69 else -6)
        await tour.keep_pings(
            [START + timedelta(seconds=5 * n)], lat_e6=6_244_200, lon_e6=-75_569_000 + round(east_m * 9.04)
        )


async def test_on_foot_or_driving_is_told_of_what_counts(client: Any, account: Any, tour: Tour) -> None:
    await walk(tour)
    await tour.keep_pings([START + timedelta(seconds=302)], believed=False, flags=int(Flag.JUMP))
    await tour.keep_pings([START + timedelta(seconds=303)], believed=None)
    columns = await columns_of(client, "/v1/routes/tour-1/track", account.headers)
    foot = dict(zip(columns["time"], columns["on_foot"], strict=True))
    assert foot["2026-03-02T13:05:02Z"] is None
    assert foot["2026-03-02T13:05:03Z"] is None
    assert [foot[f"2026-03-02T13:{at}Z"] for at in ("01:00", "03:30", "04:30", "06:00", "07:00", "08:30", "11:00")] == [
        *(False, False),
        *(True, True, True),
        *(False, False),
    ]


@pytest.mark.parametrize("limit", [1, 3, 7, 50])
async def test_on_foot_does_not_depend_on_the_borders_of_a_page(
    client: Any, account: Any, tour: Tour, limit: int
) -> None:
    await walk(tour)
    other = await tour.pool.fetchval(
        "INSERT INTO device (account_id, driver_id, app, ingest_token_hash)"
        " VALUES ($1, $2, 'osmand', '\\x00') RETURNING id",
        tour.account_id,
        tour.driver_id,
    )
    await tour.keep_pings(every(20, 10), device_id=other)  # a phone that lies in the van, in the same moments
    whole = await columns_of(client, "/v1/routes/tour-1/track", account.headers)
    assert True in whole["on_foot"]
    assert False in whole["on_foot"]
    seen: list[bool] = []
    cursor = ""
    while cursor is not None:
        path = f"/v1/routes/tour-1/track?limit={limit}&cursor={cursor}"
        page = await (await client.get(path, headers=account.headers)).json()
        seen += page["columns"]["on_foot"]
        cursor = page["next"]
    assert seen == whole["on_foot"]
    path = f"/v1/drivers/dr_{tour.driver_id}/track?from=2026-03-02T13:05:00Z&to=2026-03-02T13:06:00Z"
    part = await columns_of(client, path, account.headers)
    begin = whole["time"].index(part["time"][0])
    assert part["on_foot"] == whole["on_foot"][begin : begin + len(part["time"])]


@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
async def test_what_is_beside_a_page_is_found_in_the_order_of_the_key(pool: Pool, tour: Tour, plans: str) -> None:
    await tour.keep_pings([START + timedelta(days=day, seconds=second) for day in range(6) for second in range(3)])
    plan, run = await explained(
        pool,
        plans,
        "beside_page",
        f"'{{{tour.device_id}}}', '{{2026-03-04 13:00:00Z}}', '{{0}}', '{{0}}',"
        " '{2026-03-04 13:00:02Z}', '{0}', '{0}', 120, 600, 1000",
    )
    assert sum(" using " in line for line in run) == 4, plan  # of the one day that is near enough
    assert not any("Seq Scan" in line or "Bitmap" in line for line in run), plan
