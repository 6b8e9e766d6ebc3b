-- name: tour_ids
-- Tours of a period in the order in which they start. $1 account, $2 from and $3 before which start, $4 first and $5 last day or
-- nulls, $6 driver or null, $7 depot or null
SELECT id FROM route
 WHERE account_id = $1 AND start_at >= $2 AND start_at < $3 AND deleted_at IS NULL
   AND ($4::date IS NULL OR date BETWEEN $4 AND $5::date) AND ($7::text IS NULL OR depot_name = $7)
   AND ($6::bigint IS NULL OR driver_id = $6)
 ORDER BY start_at, id;

-- name: routes
-- $1 routes, $2 whether with their paths
SELECT route.id, route.external_id, route.date, route.timezone, route.status, route.driver_id,
       nullif(driver.external_id, '') AS driver_external_id, nullif(driver.name, '') AS driver_name, route.depot_name,
       route.depot_lat, route.depot_lon, route.start_at, route.end_at, route.started_at, route.finished_at, route.version,
       route.return_to_depot, route.path_source, route.length_m, counted.stops, counted.done, counted.failed, counted.skipped,
       counted.left_open,
       CASE WHEN $2::boolean THEN (SELECT array_agg(ARRAY[lon, lat] ORDER BY place)
                                     FROM unnest(plan.path_lon, plan.path_lat) WITH ORDINALITY AS vertex (lon, lat, place))
       END AS path
  FROM route
  JOIN route_version AS plan ON plan.route_id = route.id AND plan.version = route.version
  LEFT JOIN driver ON driver.id = route.driver_id
  LEFT JOIN LATERAL (
       SELECT count(*) AS stops, count(*) FILTER (WHERE status IN ('completed', 'partially_completed')) AS done,
              count(*) FILTER (WHERE status = 'failed') AS failed, count(*) FILTER (WHERE status = 'skipped') AS skipped,
              count(*) FILTER (WHERE status = 'left_open') AS left_open
         FROM stop
        WHERE stop.route_id = route.id AND kind NOT IN ('depot', 'break')
          AND (removed_at IS NULL OR outcome_at IS NOT NULL)) AS counted ON true
 WHERE route.id = ANY ($1::bigint[]) ORDER BY route.start_at, route.id;

-- name: stops
-- $1 routes
SELECT stop.id, stop.external_id, stop.route_id, route.external_id AS route_external_id, route.date, route.timezone,
       route.driver_id, nullif(driver.name, '') AS driver_name, stop.seq, stop.kind, stop.status,
       stop.removed_at IS NOT NULL AS removed, nullif(stop.name, '') AS name, stop.address, stop.lat, stop.lon, stop.phone,
       stop.email, stop.locale, stop.window_start, stop.window_end, stop.planned_arrival, stop.arrived_at, stop.departed_at,
       stop.outcome_at, word.reason, stop.service_s,
       (SELECT sum(quantity) FROM parcel WHERE parcel.stop_id = stop.id)::bigint AS parcels,
       stop.cash_amount::float8 AS cash_amount, stop.cash_currency, stop.instructions
  FROM stop JOIN route ON route.id = stop.route_id
  LEFT JOIN driver ON driver.id = route.driver_id
  LEFT JOIN LATERAL (
       SELECT data ->> 'reason' AS reason FROM driver_event AS event
        WHERE event.stop_id = stop.id AND event.effective AND event.type = stop.status AND event.type IN ('failed', 'skipped')
        ORDER BY event.occurred_at DESC, event.id DESC LIMIT 1) AS word ON true
 WHERE stop.route_id = ANY ($1::bigint[])
 ORDER BY route.start_at, route.id, stop.removed_at IS NOT NULL, stop.seq, stop.id;

-- name: visits
-- $1 routes
SELECT visit.route_id, route.external_id AS route_external_id, route.date, route.timezone, visit.stop_id,
       stop.external_id AS stop_external_id, visit.driver_id, visit.arrived_at, visit.departed_at, visit.source,
       visit.certainty::float8 AS certainty, stop.lat, stop.lon
  FROM visit JOIN route ON route.id = visit.route_id JOIN stop ON stop.id = visit.stop_id
 WHERE visit.route_id = ANY ($1::bigint[]) ORDER BY route.start_at, route.id, visit.arrived_at, visit.visit_id;

-- name: proofs
-- $1 routes
SELECT proof.id, proof.stop_id, stop.external_id AS stop_external_id, stop.route_id, route.date, route.timezone,
       proof.driver_id, proof.kind, proof.state, proof.why, coalesce(said_at, event_at, exif_at, begun_at) AS taken_at,
       coalesce(said_lat, event_lat) AS lat, coalesce(said_lon, event_lon) AS lon, proof.filename, proof.size_bytes AS size,
       encode(proof.sha256, 'hex') AS sha256, proof.media_type AS type, proof.whole, proof.stored_at
  FROM stop JOIN route ON route.id = stop.route_id JOIN proof ON proof.stop_id = stop.id
 WHERE stop.route_id = ANY ($1::bigint[]) ORDER BY route.start_at, route.id, stop.seq, proof.id;

-- name: messages
-- $1 routes
SELECT message.id, message.stop_id, message.route_id, route.date, route.timezone, message.kind, message.channel,
       nullif(message.address, '') AS "to", message.locale, message.state, message.why, message.subject, message.body,
       message.parts, message.price::float8 AS price, message.provider_id, message.attempts, message.created_at,
       message.sent_at, message.delivered_at
  FROM message JOIN route ON route.id = message.route_id
 WHERE message.route_id = ANY ($1::bigint[]) ORDER BY route.start_at, route.id, message.id;

-- name: orders
-- A page of orders that may be brought on some days, by their last one. $1 account, $2 first and $3 last day; $4 last day and
-- $5 id of the last one before this page, $6 how many
SELECT id, external_id, state, quality, lat, lon, depot, earliest, latest, route_id, stop_status,
       body ->> 'name' AS name, body ->> 'address' AS address, body ->> 'phone' AS phone, body ->> 'email' AS email,
       body ->> 'kind' AS kind, body ->> 'instructions' AS instructions, body ->> 'source' AS source,
       (body -> 'cash_on_delivery' ->> 'amount')::float8 AS cash_amount, body -> 'cash_on_delivery' ->> 'currency' AS cash_currency
  FROM order_now
 WHERE account_id = $1 AND latest >= greatest($2, $4::date) AND earliest <= $3 AND (latest, id) > ($4, $5::bigint)
 ORDER BY latest, id LIMIT $6;

-- name: known_at
-- When an entry of the feed, or the next one that is kept, became known. $1 account, $2 seq
SELECT known_at FROM event WHERE account_id = $1 AND seq >= $2 ORDER BY seq LIMIT 1;

-- name: spans
-- Who drove tours, and from when to when their pings are looked for. $1 routes, $2 and $3 seconds before and after a plan in which
-- pings are on it too
SELECT route.id, least(min(plan.start_at) - make_interval(secs => $2), route.started_at) AS since,
       greatest(max(plan.end_at) + make_interval(secs => $3), route.finished_at) AS until,
       coalesce(array_agg(DISTINCT plan.driver_id) FILTER (WHERE plan.driver_id IS NOT NULL), '{}') AS driver_ids
  FROM route JOIN route_version AS plan ON plan.route_id = route.id
 WHERE route.id = ANY ($1::bigint[]) GROUP BY route.id ORDER BY route.start_at, route.id;
