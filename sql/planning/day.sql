-- name: tours_of_day
-- The routes of a day and depot that are not over: those that its plans became, with their shift, and those that were given by hand
-- and start there; of those that start nowhere, only the ones that are named.
-- $1 account, $2 date, $3 depot, its $4 lat and $5 lon, how many degrees of $6 latitude and $7 longitude are the same place, $8 named
WITH of_plan AS (
    SELECT DISTINCT ON (tour ->> 'route') tour ->> 'route' AS route, tour ->> 'shift' AS shift, plan.depot
      FROM plan CROSS JOIN LATERAL jsonb_array_elements(plan.result -> 'tours') AS tour
     WHERE plan.account_id = $1 AND plan.date = $2 AND plan.state = 'published' AND tour ->> 'shift' IS NOT NULL
     ORDER BY tour ->> 'route', plan.id DESC)
SELECT route.id AS route_id, route.external_id, route.version, route.status, route.driver_id, driver.external_id AS driver,
       route.start_at, route.end_at, of_plan.shift, route.depot_lat IS NOT NULL AS from_depot,
       route.return_to_depot AND route.depot_lat IS NOT NULL AS return_to_depot, path_lon[1] AS lon, path_lat[1] AS lat
  FROM route
  JOIN route_version ON route_version.route_id = route.id AND route_version.version = route.version
  LEFT JOIN of_plan ON of_plan.route = 'rt_' || route.id
  LEFT JOIN driver ON driver.id = route.driver_id
 WHERE route.account_id = $1 AND route.deleted_at IS NULL AND route.status IN ('planned', 'started')
   AND (of_plan.depot = $3
        OR of_plan.depot IS NULL AND route.date = $2
           AND (abs(route.depot_lat - $4::float8) <= $6::float8 AND abs(route.depot_lon - $5::float8) <= $7::float8
                OR route.depot_lat IS NULL AND route.id = ANY ($8::bigint[])))
 ORDER BY route.id;

-- name: driven_tours
-- Tours of published plans of a day and depot as their routes are now: the orders of each shift in turn, and whether its van
-- can take more. $1 account, $2 date, $3 depot
SELECT DISTINCT ON (route.id) tour ->> 'shift' AS shift,
       ARRAY(SELECT external_id FROM stop WHERE route_id = route.id AND removed_at IS NULL ORDER BY seq, id) AS orders,
       route.deleted_at IS NULL AND NOT tour ? 'stays'
       AND (route.status = 'planned' OR (route.status = 'started' AND route.driver_id IS NOT NULL)) AS goes_on
  FROM plan
 CROSS JOIN LATERAL jsonb_array_elements(plan.result -> 'tours') AS tour
  JOIN route ON route.id = substr(tour ->> 'route', 4)::bigint AND route.account_id = plan.account_id
 WHERE plan.account_id = $1 AND plan.date = $2 AND plan.depot = $3 AND plan.state = 'published'
   AND tour ->> 'shift' IS NOT NULL
 ORDER BY route.id, plan.id DESC;

-- name: days_of_routes
-- Which day and depot routes are for: the depot as their plan names it, null where none made them, and as they name it themselves.
-- $1 account, $2 routes
SELECT route.id AS route_id, coalesce(of_plan.date, route.date) AS date, of_plan.depot, route.timezone,
       route.depot_name AS name, route.depot_lat AS lat, route.depot_lon AS lon
  FROM route
  LEFT JOIN LATERAL (
       SELECT plan.date, plan.depot FROM delivery_order AS one JOIN plan ON plan.id = one.plan_id
        WHERE one.account_id = $1 AND one.route_id = route.id AND NOT starts_with(plan.depot, '/')
        ORDER BY plan.id DESC LIMIT 1) AS of_plan ON true
 WHERE route.account_id = $1 AND route.id = ANY ($2::bigint[]);

-- name: routes_by_hand
-- Routes of some days that say where they start, that no plan made and that are not over. $1 account, $2 days
SELECT route.id FROM route
 WHERE account_id = $1 AND date = ANY ($2::date[]) AND deleted_at IS NULL AND status IN ('planned', 'started')
   AND depot_lat IS NOT NULL
   AND NOT EXISTS (SELECT FROM plan
                    WHERE plan.account_id = $1 AND plan.date = route.date AND plan.state = 'published'
                      AND jsonb_path_exists(plan.result, '$.tours[*] ? (@.route == $route && @.shift != null)',
                                            jsonb_build_object('route', 'rt_' || route.id)))
 ORDER BY id;

-- name: drivers_of_routes
-- $1 account, $2 routes
SELECT route.id AS route_id, driver.external_id AS driver FROM route JOIN driver ON driver.id = route.driver_id
 WHERE route.account_id = $1 AND route.id = ANY ($2::bigint[]);

-- name: routes_meanwhile
-- Open routes that drivers have at some time: row of the question, route. $1 account, then columns of one length:
-- $2 drivers' external ids or nulls, $3 since, $4 until; $5 routes that do not count
SELECT asked.row - 1 AS row, route.id AS route_id
  FROM unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) WITH ORDINALITY AS asked(driver, since, until, row)
  JOIN driver ON driver.account_id = $1 AND driver.external_id = asked.driver
  JOIN route ON route.driver_id = driver.id AND route.status IN ('planned', 'started') AND route.deleted_at IS NULL
             AND route.start_at < asked.until AND route.end_at > asked.since
 WHERE route.id <> ALL ($5::bigint[])
 ORDER BY route.start_at, route.id;

-- name: stops_called
-- Stops of tours by their external ids. $1 routes, $2 external ids
SELECT id, external_id FROM stop
 WHERE route_id = ANY ($1::bigint[]) AND external_id = ANY ($2::text[]) AND removed_at IS NULL ORDER BY id;

-- name: depots_of_days
-- Depots whose plans became routes. $1 account, $2 days
SELECT DISTINCT date, depot FROM plan
 WHERE account_id = $1 AND date = ANY ($2::date[]) AND state = 'published' AND NOT starts_with(depot, '/') ORDER BY date, depot;

-- name: breaks_begun
-- How many breaks drivers began. Columns of one length: $1 driver, $2 since
SELECT asked.driver AS driver_id, count(*) AS breaks
  FROM unnest($1::bigint[], $2::timestamptz[]) AS asked (driver, since)
  JOIN driver_event AS event ON event.driver_id = asked.driver AND event.type = 'break_started' AND event.effective
   AND event.occurred_at >= asked.since
 GROUP BY asked.driver;

-- name: move_orders
-- Orders that go on from one route to another. $1 account, $2 plan or null: they stay with theirs; columns: $3 external id, $4 from route, $5 to route
UPDATE delivery_order AS known SET plan_id = coalesce($2, plan_id), route_id = new.to_route, updated_at = now()
  FROM unnest($3::text[], $4::bigint[], $5::bigint[]) AS new (external_id, from_route, to_route)
 WHERE known.account_id = $1 AND known.external_id = new.external_id AND known.route_id = new.from_route;

-- name: end_orders
-- Orders that are cancelled although they were on a route. $1 account, $2 external ids
UPDATE delivery_order SET state = 'cancelled', updated_at = now()
 WHERE account_id = $1 AND external_id = ANY ($2::text[]) AND state IN ('received', 'ready', 'assigned');

-- name: links_of_stops
-- Hashes of the tracking links that lead to stops, and were not ended. $1 stops
SELECT id AS stop_id, link_hash FROM stop WHERE id = ANY ($1::bigint[]) AND link_revoked_at IS NULL
UNION ALL
SELECT stop_id, moved.link_hash FROM moved_link AS moved JOIN stop ON stop.id = moved.stop_id
 WHERE stop_id = ANY ($1::bigint[]) AND link_revoked_at IS NULL;

-- name: lead_links
-- Have links lead to other stops. Columns of one length: $1 hash, $2 stop
INSERT INTO moved_link (link_hash, stop_id) SELECT * FROM unnest($1::bytea[], $2::bigint[])
    ON CONFLICT (link_hash) DO UPDATE SET stop_id = excluded.stop_id;
