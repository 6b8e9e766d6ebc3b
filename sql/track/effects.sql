-- name: remove_visits
-- Columns of one length: $1 lane, $2 visit
DELETE FROM visit USING unnest($1::smallint[], $2::uuid[]) AS gone (lane, visit)
 WHERE visit.lane = gone.lane AND visit.visit_id = gone.visit;

-- name: put_arrivals
-- A visit that was taken back and is there again has its end again, if that stood all the while.
-- Columns of one length: $1 lane, $2 visit, $3 driver, $4 account, $5 route, $6 its version, $7 stop, $8 geofence, $9 arrived ms,
-- $10 fact of the departure, $11 source
INSERT INTO visit (lane, visit_id, driver_id, account_id, route_id, route_version, stop_id, geofence_id, arrived_at,
                   departed_at, source)
SELECT lane, visit, driver, account, route, version, stop, geofence, from_ms(arrived),
       (SELECT CASE WHEN event.state <> 'retracted' THEN event.occurred_at END
          FROM event WHERE event.fact_id = new.departure ORDER BY event.revision DESC LIMIT 1), source
  FROM unnest($1::smallint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[], $7::bigint[], $8::bigint[],
              $9::bigint[], $10::uuid[], $11::text[])
    AS new (lane, visit, driver, account, route, version, stop, geofence, arrived, departure, source)
    ON CONFLICT (lane, visit_id) DO UPDATE
   SET arrived_at = excluded.arrived_at, departed_at = excluded.departed_at, route_id = excluded.route_id,
       route_version = excluded.route_version, source = excluded.source;

-- name: put_departures
-- Columns of one length: $1 lane, $2 visit, $3 departed ms or null (it is there still)
UPDATE visit SET departed_at = from_ms(left_at.departed)
  FROM unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS left_at (lane, visit, departed)
 WHERE visit.lane = left_at.lane AND visit.visit_id = left_at.visit;

-- name: hold_stops
-- Drivers of several lanes may have visited a stop: one tracker at a time says what its visits say. Sorted, so that two
-- never wait for each other; alone, so that the next statement sees what the last holder committed. $1 stops
SELECT FROM stop WHERE id = ANY ($1::bigint[]) ORDER BY id FOR NO KEY UPDATE;

-- name: settle_stops
-- Make stops say what was said of them and what was seen there: the status after all that is in force, by the walk that
-- put it in force (judge_stop_events), else a visit. What became of a stop stands even if it was taken out of the tour
-- later, and when what was said is forgotten. Nothing from before a stop was reopened counts. $1 stops
UPDATE stop
   SET arrived_at = coalesce(seen.arrived_at, since.arrived_at),
       departed_at = CASE WHEN seen.arrived_at IS NULL THEN since.departed_at ELSE seen.departed_at END,
       outcome_at = since.outcome_at,
       status = CASE WHEN since.outcome_at IS NOT NULL THEN said.status
                     WHEN stop.removed_at IS NOT NULL THEN 'removed'
                     WHEN said.status = 'arrived' OR seen.arrived_at IS NOT NULL THEN 'arrived'
                     ELSE 'pending' END
  FROM unnest($1::bigint[]) AS asked (stop_id)
  LEFT JOIN LATERAL (
       SELECT stop_status(type ORDER BY occurred_at, id, driver_id) AS status,
              coalesce(max(occurred_at) FILTER (WHERE type = 'reopened'), '-infinity') AS reopened_at
         FROM driver_event AS event WHERE event.stop_id = asked.stop_id AND event.effective) AS said ON true
  LEFT JOIN LATERAL (
       SELECT min(occurred_at) FILTER (WHERE type = 'arrived' AND occurred_at > said.reopened_at) AS arrived_at,
              max(occurred_at) FILTER (WHERE type = 'departed' AND occurred_at > said.reopened_at) AS departed_at,
              max(occurred_at) FILTER (WHERE type = said.status AND type <> 'arrived') AS outcome_at
         FROM driver_event AS event WHERE event.stop_id = asked.stop_id AND event.effective) AS since ON true
  LEFT JOIN LATERAL (
       SELECT min(visit.arrived_at) AS arrived_at,
              CASE WHEN bool_and(visit.departed_at IS NOT NULL) THEN max(visit.departed_at) END AS departed_at
         FROM visit WHERE visit.stop_id = asked.stop_id AND visit.arrived_at > said.reopened_at) AS seen ON true
 WHERE stop.id = asked.stop_id
   AND (stop.outcome_at IS NULL OR EXISTS (SELECT FROM driver_event AS event WHERE event.stop_id = stop.id));

-- name: hold_routes
-- As hold_stops, for routes that several drivers had. $1 routes
SELECT FROM route WHERE id = ANY ($1::bigint[]) ORDER BY id FOR NO KEY UPDATE;

-- name: settle_routes
-- Make routes say what the feed says of their begin and end, whichever of their drivers it is about. A completed route
-- that has got another stop to come to, or of which one was opened again, is under way again. $1 routes
UPDATE route
   SET started_at = told.started_at, finished_at = told.finished_at,
       status = CASE WHEN route.status = 'cancelled' THEN 'cancelled' WHEN told.finished_at IS NOT NULL THEN 'finished'
                     WHEN told.started_at IS NOT NULL THEN 'started' ELSE 'planned' END
  FROM (SELECT asked.route_id, min(fact.occurred_at) FILTER (WHERE fact.type = 'route.started') AS started_at,
               max(fact.occurred_at) FILTER (WHERE fact.type = 'route.completed' AND plan.stop_ids <@ done.stop_ids
                                                       AND NOT EXISTS (
                   SELECT FROM driver_event AS opened
                    WHERE opened.stop_id = ANY (plan.stop_ids) AND opened.type = 'reopened' AND opened.effective
                      AND opened.occurred_at > fact.occurred_at)) AS finished_at
          FROM unnest($1::bigint[]) AS asked (route_id)
          JOIN route AS now ON now.id = asked.route_id
          JOIN route_version AS plan ON plan.route_id = now.id AND plan.version = now.version
          LEFT JOIN (SELECT DISTINCT ON (fact_id) route_id, route_version, type, state, occurred_at FROM event
                      WHERE route_id = ANY ($1::bigint[]) AND type IN ('route.started', 'route.completed')
                      ORDER BY fact_id, revision DESC) AS fact
            ON fact.route_id = asked.route_id AND fact.state <> 'retracted'
          LEFT JOIN route_version AS done ON done.route_id = fact.route_id AND done.version = fact.route_version
         GROUP BY asked.route_id) AS told
 WHERE route.id = told.route_id;

-- name: move_live_positions
-- Show each driver at their newest believed ping. A driver in the middle of a re-run only moves forward; one who is settled
-- is shown as the fold says. Their silence is looked at when it may end, or begin earlier than was thought.
-- Columns of one length: $1 lane, $2 driver, $3 account, $4 recorded ms, $5 received ms, $6 lat_e6,
-- $7 lon_e6, $8 accuracy, $9 speed, $10 heading, $11 battery, $12 route, $13 its version, $14 on the route, $15 along_m,
-- $16 offset_m, $17 and $18 snapped place, $19 next stop, $20 delay_s, $21 settled
INSERT INTO live (lane, driver_id, account_id, recorded_at, received_at, lat_e6, lon_e6, accuracy_m, speed_mps, heading_deg,
                  battery, route_id, route_version, on_route, along_m, offset_m, snapped_lat_e6, snapped_lon_e6, next_stop_id,
                  delay_s)
SELECT new.lane, new.driver, new.account, from_ms(new.recorded), from_ms(new.received), new.lat, new.lon, new.accuracy,
       new.speed, new.heading, new.battery, new.route, new.version, new.on_route, new.along, new.aside, new.snapped_lat,
       new.snapped_lon, new.next_stop, new.delay
  FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[], $7::int[], $8::real[],
              $9::real[], $10::real[], $11::real[], $12::bigint[], $13::int[], $14::boolean[], $15::float8[], $16::real[],
              $17::int[], $18::int[], $19::bigint[], $20::real[], $21::boolean[])
    AS new (lane, driver, account, recorded, received, lat, lon, accuracy, speed, heading, battery, route, version, on_route,
            along, aside, snapped_lat, snapped_lon, next_stop, delay, settled)
  LEFT JOIN live AS shown ON shown.lane = new.lane AND shown.driver_id = new.driver
 WHERE new.settled OR shown.recorded_at IS NULL OR shown.recorded_at <= from_ms(new.recorded)
    ON CONFLICT (lane, driver_id) DO UPDATE
   SET recorded_at = excluded.recorded_at, received_at = excluded.received_at, lat_e6 = excluded.lat_e6,
       lon_e6 = excluded.lon_e6, accuracy_m = excluded.accuracy_m, speed_mps = excluded.speed_mps,
       heading_deg = excluded.heading_deg, battery = excluded.battery, route_id = excluded.route_id,
       route_version = excluded.route_version, on_route = excluded.on_route, along_m = excluded.along_m,
       offset_m = excluded.offset_m, snapped_lat_e6 = excluded.snapped_lat_e6, snapped_lon_e6 = excluded.snapped_lon_e6,
       next_stop_id = excluded.next_stop_id, delay_s = excluded.delay_s,
       look_at = CASE WHEN live.look_at = 'infinity' OR live.route_id IS DISTINCT FROM excluded.route_id
                        OR excluded.received_at < live.received_at THEN now() ELSE live.look_at END;

-- name: remove_live_positions
-- Drivers of whom no ping is believed any more. Columns of one length: $1 lane, $2 driver
DELETE FROM live USING unnest($1::smallint[], $2::bigint[]) AS gone (lane, driver)
 WHERE live.lane = gone.lane AND live.driver_id = gone.driver;

-- name: tell_live
-- Tell every listener who moved. $1 triples account:driver:route, separated by spaces
SELECT pg_notify('reparto_live', $1);
