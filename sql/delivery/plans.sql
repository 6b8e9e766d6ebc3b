-- name: plans_of_drivers
-- Every version of the routes that each of these drivers ever had a version of, so that the versions that took a route
-- away are there too; without routes of which every version ended long before. Columns of one length: $1 driver, $2 ms;
-- $3 how long after its end a route may be driven, ms
SELECT DISTINCT asked.driver AS driver_id, plan.route_id, plan.version
  FROM unnest($1::bigint[], $2::bigint[]) AS asked (driver, since)
  JOIN route_version AS mine ON mine.driver_id = asked.driver
  JOIN route_version AS plan ON plan.route_id = mine.route_id
 WHERE EXISTS (SELECT FROM route_version AS version
                WHERE version.route_id = mine.route_id
                  AND version.end_at + make_interval(secs => $3::bigint / 1000.0) >= from_ms(asked.since))
 ORDER BY 1, 2, 3;

-- name: read_plans
-- Columns of one length: $1 route, $2 version
SELECT route.id AS route_id, route.external_id, route.account_id, route.timezone, plan.version, plan.effective_at, plan.driver_id,
       plan.start_at, plan.end_at, plan.return_to_depot, plan.path_lon, plan.path_lat, plan.path_along_m,
       plan.stop_ids, plan.stop_lon, plan.stop_lat, plan.stop_along_m, plan.stop_radius_m, plan.stop_service_s,
       plan.stop_planned_at, plan.stop_shapes, plan.stop_window_start, plan.stop_window_end, plan.stop_kind,
       plan.stop_parcels, plan.stop_drive_s, plan.wait_for_window, plan.times_learned
  FROM unnest($1::bigint[], $2::int[]) AS asked (route, version)
  JOIN route_version AS plan ON plan.route_id = asked.route AND plan.version = asked.version
  JOIN route ON route.id = plan.route_id
 ORDER BY plan.route_id, plan.version;

-- name: next_plan_time
-- From when a next version is in force: now, and after the version before even if the clock was set back. Whole
-- milliseconds, as pings have them. But since ever, where it names a driver after nobody: who is said late to have driven
-- it has its morning too. $1 route, $2 its driver or null
SELECT CASE WHEN $2::bigint IS NOT NULL AND bool_and(driver_id IS NULL) THEN '-infinity'
            ELSE greatest(date_trunc('milliseconds', clock_timestamp()),
                          max(effective_at) + interval '1 millisecond') END AS at
  FROM route_version WHERE route_id = $1;

-- name: add_version
-- $1 route, $2 version, $3 from when, $4 driver or null, $5 start, $6 end, $7 return to the depot, $8 $9 $10 the path's
-- lon, lat and metres, $11 to $17 the stops' id, lon, lat, metres, radius, service and planned arrival, $18 their shapes, $19 and $20 their
-- window's start and end, $21 their kind, $22 how many parcels, $23 seconds of driving to them or empty, $24 waits if early,
-- $25 arrivals hold what was learned
INSERT INTO route_version (route_id, version, effective_at, driver_id, start_at, end_at, return_to_depot, path_lon, path_lat,
                           path_along_m, stop_ids, stop_lon, stop_lat, stop_along_m, stop_radius_m, stop_service_s,
                           stop_planned_at, stop_shapes, stop_window_start, stop_window_end, stop_kind, stop_parcels,
                           stop_drive_s, wait_for_window, times_learned)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25);

-- name: copy_version
-- The plan of the version before, for another driver. $1 route, $2 version, $3 from when, $4 driver or null
INSERT INTO route_version (route_id, version, effective_at, driver_id, start_at, end_at, return_to_depot, path_lon, path_lat,
                           path_along_m, stop_ids, stop_lon, stop_lat, stop_along_m, stop_radius_m, stop_service_s,
                           stop_planned_at, stop_shapes, stop_window_start, stop_window_end, stop_kind, stop_parcels,
                           stop_drive_s, wait_for_window, times_learned)
SELECT route_id, $2, $3, $4, start_at, end_at, return_to_depot, path_lon, path_lat, path_along_m, stop_ids, stop_lon,
       stop_lat, stop_along_m, stop_radius_m, stop_service_s, stop_planned_at, stop_shapes, stop_window_start,
       stop_window_end, stop_kind, stop_parcels, stop_drive_s, wait_for_window, times_learned
  FROM route_version WHERE route_id = $1 AND version = $2 - 1;

-- name: read_path
-- The line to drive. $1 route, $2 version
SELECT path_lon, path_lat FROM route_version WHERE route_id = $1 AND version = $2;
