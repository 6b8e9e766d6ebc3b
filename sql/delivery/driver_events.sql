-- name: lanes_to_hold
-- The lanes of every driver who ever had the route of one of these stops, where this driver is one of them: what one says
-- may end what another said. $1 account, $2 driver, $3 stops
SELECT DISTINCT driver.lane
  FROM stop JOIN route_version AS plan ON plan.route_id = stop.route_id JOIN driver ON driver.id = plan.driver_id
 WHERE stop.account_id = $1 AND stop.id = ANY ($3::bigint[])
   AND EXISTS (SELECT FROM route_version AS own WHERE own.route_id = stop.route_id AND own.driver_id = $2);

-- name: stops_to_speak_of
-- Those of some stops that a driver ever had, as they are planned now. $1 account, $2 driver, $3 stops
SELECT stop.id, stop.route_id, stop.kind, stop.proof, stop.cash_amount, stop.cash_currency, stop.pin_generation,
       (SELECT count(*) FROM driver_event AS event
         WHERE event.stop_id = stop.id AND event.flaw = 'wrong-pin' AND event.pin_generation = stop.pin_generation) AS wrong_pins,
       coalesce((SELECT jsonb_agg(jsonb_build_object('seq', seq, 'barcode', barcode, 'quantity', quantity) ORDER BY seq)
                   FROM parcel WHERE parcel.stop_id = stop.id), '[]') AS parcels
  FROM stop
 WHERE stop.account_id = $1 AND stop.id = ANY ($3::bigint[])
   AND EXISTS (SELECT FROM route_version AS own
                WHERE own.route_id = stop.route_id AND own.driver_id = $2 AND stop.id = ANY (own.stop_ids));

-- name: routes_to_speak_of
-- Those of some routes that a driver ever had, by either id. $1 account, $2 driver, $3 routes, $4 external ids
SELECT id, external_id FROM route
 WHERE account_id = $1 AND (id = ANY ($3::bigint[]) OR external_id = ANY ($4::text[]) AND deleted_at IS NULL)
   AND EXISTS (SELECT FROM route_version AS own WHERE own.route_id = route.id AND own.driver_id = $2);

-- name: said_on_days
-- How much a driver's devices said that occurred on some days (UTC), by type and stop. $1 driver, $2 first and $3 last day
SELECT (occurred_at AT TIME ZONE 'UTC')::date AS day, type, stop_id, count(*) AS said
  FROM driver_event
 WHERE driver_id = $1 AND device_id IS NOT NULL AND occurred_at >= $2::date::timestamp AT TIME ZONE 'UTC'
   AND occurred_at < ($3::date + 1)::timestamp AT TIME ZONE 'UTC'
 GROUP BY day, type, stop_id;

-- name: put_driver_events
-- Write events, none of them in force yet; those that are there stay as they are and are not given back. A start without
-- a route gets one when it is judged.
-- $1 driver, $2 account, $3 lane, $4 device or null, $5 events: a list of objects with the columns below
INSERT INTO driver_event (driver_id, id, account_id, lane, device_id, type, route_id, stop_id, occurred_at, lat, lon, data,
                          effective, outcome, flaw, pin_generation, manifest_version, means_next)
SELECT $1, id, $2, $3, $4, type, route_id, stop_id, from_ms(occurred_ms), lat, lon, data, type = 'note' AND stop_id IS NULL,
       outcome, flaw, pin_generation, manifest_version, type = 'route_started' AND route_id IS NULL
  FROM jsonb_to_recordset($5) AS new (
       id uuid, type text, route_id bigint, stop_id bigint, occurred_ms bigint, lat float8, lon float8, data jsonb,
       outcome jsonb, flaw text, pin_generation int, manifest_version bigint)
    ON CONFLICT (driver_id, id) DO NOTHING
RETURNING id;

-- name: driver_events_by_id
-- $1 driver, $2 events
SELECT id, type, route_id, stop_id, to_ms(occurred_at) AS occurred_ms, lat, lon, data, effective, why
  FROM driver_event WHERE driver_id = $1 AND id = ANY ($2::uuid[]);

-- name: stop_to_reopen
-- A stop of an account, with the driver in whose place a dispatcher speaks: who has its route, else who said last what
-- became of it. $1 account, $2 stop
SELECT stop.route_id, driver.id AS driver_id, driver.lane,
       (SELECT to_ms(max(occurred_at)) FROM driver_event AS event WHERE event.stop_id = stop.id AND event.effective) AS said_ms
  FROM stop JOIN route ON route.id = stop.route_id
  JOIN driver ON driver.id = coalesce(route.driver_id,
       (SELECT event.driver_id FROM driver_event AS event
         WHERE event.stop_id = stop.id AND event.effective ORDER BY event.occurred_at DESC, event.id DESC LIMIT 1))
 WHERE stop.account_id = $1 AND stop.id = $2;

-- name: may_reopen
-- Whether there is anything to reopen at a time: something said or seen since it was reopened last, or its tour was over.
-- $1 stop, $2 ms, $3 the event that reopens it
SELECT stop.status = 'left_open'
       OR EXISTS (SELECT FROM driver_event AS word
                   WHERE word.stop_id = stop.id AND word.effective AND word.type NOT IN ('note', 'departed', 'reopened')
                     AND word.occurred_at > coalesce(last.at, '-infinity') AND word.occurred_at < from_ms($2))
       OR EXISTS (SELECT FROM visit WHERE visit.stop_id = stop.id AND visit.arrived_at > coalesce(last.at, '-infinity')
                                      AND visit.arrived_at < from_ms($2))
  FROM stop
 CROSS JOIN LATERAL (SELECT max(occurred_at) AS at FROM driver_event AS word
                      WHERE word.stop_id = stop.id AND word.effective AND word.type = 'reopened' AND word.id <> $3
                        AND word.occurred_at < from_ms($2)) AS last
 WHERE stop.id = $1;

-- name: status_of_stop
-- $1 account, $2 stop
SELECT status FROM stop WHERE account_id = $1 AND id = $2;
