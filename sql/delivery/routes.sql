-- name: lock_route
-- One write of a route at a time, also of one that is not there yet. Taken before any lane. $1 class, $2 number of its name
SELECT pg_advisory_xact_lock($1, $2);

-- name: find_route
-- What a write of a route needs to know first. $1 account, $2 route or null, $3 external id or null
SELECT route.id, route.external_id, route.version, route.status, route.start_at, route.driver_id, driver.lane
  FROM route LEFT JOIN driver ON driver.id = route.driver_id
 WHERE route.account_id = $1 AND route.deleted_at IS NULL AND (route.id = $2 OR route.external_id = $3);

-- name: lanes_of_route
-- The lanes of every driver who ever had a route: late pings of one who lost it still write its stops. $1 route
SELECT DISTINCT driver.lane FROM route_version AS plan JOIN driver ON driver.id = plan.driver_id WHERE plan.route_id = $1;

-- name: routes_to_drive
-- What a driver still has to drive. The caller holds the driver's lane. $1 driver
SELECT route.id, route.external_id, route.version, route.status, route.start_at, route.driver_id, driver.lane
  FROM route JOIN driver ON driver.id = route.driver_id
 WHERE route.driver_id = $1 AND route.deleted_at IS NULL AND route.status IN ('planned', 'started') ORDER BY route.id;

-- name: plan_of_route
-- A route as it is planned, but for its stops. $1 route
SELECT route.driver_id, route.date, route.timezone, route.start_at, route.end_at, route.depot_name, route.depot_lat,
       route.depot_lon, route.return_to_depot, route.path_source, route.length_m,
       plan.path_lon, plan.path_lat, plan.path_along_m, plan.stop_drive_s, plan.wait_for_window, plan.times_learned
  FROM route JOIN route_version AS plan ON plan.route_id = route.id AND plan.version = route.version
 WHERE route.id = $1;

-- name: create_route
-- $1 account, $2 external id, $3 driver or null, $4 date, $5 time zone, $6 start, $7 end, $8 $9 $10 name, latitude and
-- longitude of the depot or nulls, $11 return to it, $12 where the path is from, $13 metres, $14 how long after its end a
-- route may be driven, ms
INSERT INTO route (account_id, external_id, version, driver_id, date, timezone, start_at, end_at, depot_name, depot_lat,
                   depot_lon, return_to_depot, path_source, length_m, look_at)
VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $7::timestamptz + make_interval(secs => $14::bigint / 1000.0))
RETURNING id;

-- name: replace_route
-- A finished route that has another stop to come to is under way again.
-- $1 route, $2 version, $3 driver or null and so on to $14 as in create_route, $15 has stops that it did not have before
UPDATE route
   SET version = $2, driver_id = $3, date = $4, timezone = $5, start_at = $6, end_at = $7, depot_name = $8, depot_lat = $9,
       depot_lon = $10, return_to_depot = $11, path_source = $12, length_m = $13, updated_at = now(), people_gone = false,
       look_at = CASE WHEN closed_at IS NULL THEN $7::timestamptz + make_interval(secs => $14::bigint / 1000.0) ELSE now() END,
       status = CASE WHEN $15 AND status = 'finished' THEN 'started' ELSE status END,
       finished_at = CASE WHEN $15 THEN NULL ELSE finished_at END
 WHERE id = $1;

-- name: move_to_driver
-- $1 route, $2 version, $3 driver or null
UPDATE route
   SET version = $2, driver_id = $3, updated_at = now(), look_at = CASE WHEN closed_at IS NULL THEN look_at ELSE now() END
 WHERE id = $1;

-- name: end_route
-- A route that never started is gone; one that did is cancelled. $1 route
UPDATE route
   SET status = CASE WHEN status = 'planned' THEN status ELSE 'cancelled' END,
       deleted_at = CASE WHEN status = 'planned' THEN now() END
 WHERE id = $1;

-- name: page_of_routes
-- Which routes are on a page, the latest first. $1 account, $2 date, $3 driver, $4 status: null for any; $5 and $6 start and
-- id of the last one of the page before or nulls, $7 how many
SELECT id FROM route
 WHERE account_id = $1 AND deleted_at IS NULL
   AND ($2::date IS NULL OR date = $2) AND ($3::bigint IS NULL OR driver_id = $3) AND ($4::text IS NULL OR status = $4)
   AND ($5::timestamptz IS NULL OR (start_at, id) < ($5, $6::bigint))
 ORDER BY start_at DESC, id DESC LIMIT $7;

-- name: shown_routes
-- Routes as their account sees them, the latest first; the van's place counts only while its driver is on the route.
-- $1 routes
SELECT route.id, route.external_id, route.version, route.status, route.driver_id, driver.external_id AS driver_external_id,
       driver.name AS driver_name, route.date, route.timezone, route.start_at, route.end_at, route.started_at,
       route.finished_at, route.depot_name, route.depot_lat, route.depot_lon, route.return_to_depot, route.path_source,
       route.length_m, live.along_m, live.next_stop_id, counted.stops, counted.done,
       counted.left_open
  FROM route
  LEFT JOIN driver ON driver.id = route.driver_id
  LEFT JOIN live ON live.lane = driver.lane AND live.driver_id = driver.id AND live.route_id = route.id
 CROSS JOIN LATERAL (
       SELECT count(*) AS stops, count(*) FILTER (WHERE CASE WHEN status IN ('pending', 'arrived') THEN departed_at IS NOT NULL
                                                  ELSE status <> 'left_open' END) AS done,
              count(*) FILTER (WHERE status = 'left_open') AS left_open
         FROM stop WHERE stop.route_id = route.id AND stop.removed_at IS NULL) AS counted
 WHERE route.id = ANY ($1::bigint[]) ORDER BY route.start_at DESC, route.id DESC;
