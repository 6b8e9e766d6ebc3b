-- name: claims_of_drivers
-- What drivers said and history rests on, from some time on. Columns of one length: $1 driver, $2 ms; $3 types
SELECT event.driver_id, to_ms(event.occurred_at) AS at_ms, event.id::text AS id, event.type AS kind, event.route_id,
       event.stop_id, event.lat, event.lon
  FROM unnest($1::bigint[], $2::bigint[]) AS asked (driver, since)
  JOIN driver_event AS event ON event.driver_id = asked.driver AND event.occurred_at >= from_ms(asked.since)
 WHERE event.effective AND event.type = ANY ($3::text[]) AND event.route_id IS NOT NULL
 ORDER BY event.driver_id, event.occurred_at, event.id;

-- name: first_claims
-- When each driver said the first of it; drivers who said nothing are not given back. $1 drivers, $2 from this time on, $3 types
SELECT driver_id, to_ms(min(occurred_at)) AS at_ms
  FROM driver_event
 WHERE driver_id = ANY ($1::bigint[]) AND occurred_at >= from_ms($2) AND effective AND type = ANY ($3::text[])
   AND route_id IS NOT NULL
 GROUP BY driver_id;
