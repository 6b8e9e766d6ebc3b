-- name: find_tracked_routes
-- The routes of the stops that tracking links are of; of a stop that is not of its tour any more, the one that it went to.
-- $1 SHA-256 of their tokens
SELECT asked.link_hash, coalesce(CASE WHEN own.removed_at IS NULL THEN own.route_id END, moved.route_id, own.route_id) AS route_id
  FROM unnest($1::bytea[]) AS asked (link_hash)
  LEFT JOIN stop AS own ON own.link_hash = asked.link_hash
  LEFT JOIN moved_link ON moved_link.link_hash = asked.link_hash
  LEFT JOIN stop AS moved ON moved.id = moved_link.stop_id
 WHERE own.id IS NOT NULL OR moved.id IS NOT NULL;

-- name: tracked_route
-- What recipients may be told of a route, but for its stops. The live row counts only while its driver is on this route.
-- What was written by whom (xmin) tells two readings apart: see moved_routes.
-- $1 route, $2 days after which the last word on a shift says nothing of whether the driver uses them
SELECT route.account_id, account.settings, route.version, route.status, route.timezone,
       route.end_at, route.started_at, route.finished_at, route.updated_at, route.deleted_at, driver.name AS driver_name,
       live.recorded_at, live.route_version AS live_version, live.on_route, live.along_m, live.heading_deg,
       live.snapped_lat_e6, live.snapped_lon_e6,
       eta.version AS eta_version, eta.as_of, eta.stop_ids, eta.expected, eta.low, eta.high,
       pause.since AS break_since, coalesce(shift.is_over, false) AS off_shift,
       shift.since AS shift_since, (SELECT secret FROM instance) AS secret,
       (SELECT sum(xmin::text::bigint)::bigint FROM live WHERE live.route_id = route.id) AS live_written,
       eta.xmin::text::bigint AS eta_written,
       (SELECT sum(xmin::text::bigint)::bigint FROM stop WHERE stop.route_id = route.id) AS stops_written
  FROM route
  JOIN account ON account.id = route.account_id
  LEFT JOIN driver ON driver.id = route.driver_id
  LEFT JOIN live ON live.lane = driver.lane AND live.driver_id = driver.id AND live.route_id = route.id
  LEFT JOIN route_eta AS eta ON eta.route_id = route.id
  LEFT JOIN break_of(route.driver_id, route.id) AS pause ON true
  LEFT JOIN LATERAL (
       SELECT type = 'shift_ended' AS is_over, CASE type WHEN 'shift_started' THEN occurred_at END AS since
         FROM driver_event
        WHERE driver_id = route.driver_id AND type IN ('shift_started', 'shift_ended') AND effective
          AND occurred_at > now() - make_interval(days => $2)
        ORDER BY occurred_at DESC, id DESC LIMIT 1) AS shift ON true
 WHERE route.id = $1;

-- name: tracked_stops
-- $1 route
SELECT id, kind, name, lat, lon, along_m, locale, window_start, window_end, status, arrived_at, departed_at,
       outcome_at, link_hash, link_revoked_at IS NOT NULL AS link_revoked, 'pin' = ANY (proof) AS asks_pin, pin_generation,
       cash_amount, cash_currency, handed.received_by,
       ARRAY(SELECT moved_link.link_hash FROM moved_link WHERE moved_link.stop_id = stop.id ORDER BY 1) AS moved_links
  FROM stop
  LEFT JOIN LATERAL (
       SELECT data #>> '{recipient,name}' AS received_by FROM driver_event
        WHERE stop_id = stop.id AND effective AND type IN ('completed', 'partially_completed')
        ORDER BY occurred_at DESC, id DESC LIMIT 1) AS handed ON status IN ('completed', 'partially_completed')
 WHERE route_id = $1 ORDER BY seq, id;

-- name: read_stretch
-- The vertices of a path from the last one at or before a place to the first one after another; nothing is read of the rest.
-- $1 route, $2 version, $3 from and $4 to which metre along it
SELECT path_lon[first:last] AS lon, path_lat[first:last] AS lat, path_along_m[first:last] AS along_m
  FROM (SELECT path_lon, path_lat, path_along_m,
               width_bucket($3::float8, path_along_m) AS first, width_bucket($4::float8, path_along_m) + 1 AS last
          FROM route_version WHERE route_id = $1 AND version = $2) AS path;
