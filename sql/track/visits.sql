-- name: visits_of_route
-- Who was at a route's stops, when, and how far from the van they walked: nine of ten fixes were no farther from where it came
-- to stand, which is where the first one was. $1 account, $2 route or null, $3 external id or null
SELECT route.id AS route_id, visit.visit_id, visit.driver_id, visit.stop_id, stop.external_id AS stop_external_id,
       visit.arrived_at, visit.departed_at, visit.source, visit.certainty, walk.on_foot_m
  FROM route
  LEFT JOIN (visit JOIN stop ON stop.id = visit.stop_id) ON visit.route_id = route.id
  LEFT JOIN LATERAL (
       SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY 0.11132 * sqrt(north ^ 2 + (east * cos(radians(van_lat_e6 / 1e6))) ^ 2)) AS on_foot_m
         FROM (SELECT lat_e6 - first_value(lat_e6) OVER seen AS north, lon_e6 - first_value(lon_e6) OVER seen AS east,
                      first_value(lat_e6) OVER seen AS van_lat_e6
                 FROM device JOIN ping ON ping.device_id = device.id
                WHERE device.driver_id = visit.driver_id AND ping.believed
                  AND ping.recorded_at BETWEEN visit.arrived_at AND coalesce(visit.departed_at, 'infinity')
               WINDOW seen AS (ORDER BY recorded_at)) AS fix
       HAVING count(*) >= 3) AS walk ON true
 WHERE route.account_id = $1 AND route.deleted_at IS NULL AND (route.id = $2 OR route.external_id = $3)
 ORDER BY visit.arrived_at, visit.visit_id;

-- name: inside_fences
-- In which geofences in force an account's drivers are, as their tracks say it. $1 account
SELECT visit.driver_id, array_agg(geofence.id ORDER BY geofence.id) AS geofence_ids
  FROM visit JOIN geofence ON geofence.id = visit.geofence_id AND geofence.deleted_at IS NULL
 WHERE visit.account_id = $1 AND visit.geofence_id IS NOT NULL AND visit.departed_at IS NULL
 GROUP BY visit.driver_id;

-- name: remove_visits
-- Columns of one length: $1 lane, $2 visit
DELETE FROM visit USING unnest($1::smallint[], $2::uuid[]) AS gone (lane, visit)
 WHERE visit.lane = gone.lane AND visit.visit_id = gone.visit;

-- name: put_arrivals
-- A visit that was taken back and is there again has its end again, if that stood all the while.
-- Columns of one length: $1 lane, $2 visit, $3 driver, $4 account, $5 route, $6 its version, $7 stop, $8 geofence, $9 arrived ms,
-- $10 fact of the departure, $11 source, $12 certainty
INSERT INTO visit (lane, visit_id, driver_id, account_id, route_id, route_version, stop_id, geofence_id, arrived_at,
                   departed_at, source, certainty)
SELECT lane, visit, driver, account, route, version, stop, geofence, from_ms(arrived),
       (SELECT CASE WHEN event.state <> 'retracted' THEN event.occurred_at END
          FROM event WHERE event.fact_id = new.departure ORDER BY event.revision DESC LIMIT 1), source, certainty
  FROM unnest($1::smallint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[], $7::bigint[], $8::bigint[],
              $9::bigint[], $10::uuid[], $11::text[], $12::real[])
    AS new (lane, visit, driver, account, route, version, stop, geofence, arrived, departure, source, certainty)
    ON CONFLICT (lane, visit_id) DO UPDATE
   SET arrived_at = excluded.arrived_at, departed_at = excluded.departed_at, route_id = excluded.route_id,
       route_version = excluded.route_version, source = excluded.source, certainty = excluded.certainty;

-- name: put_departures
-- Columns of one length: $1 lane, $2 visit, $3 departed ms or null (it is there still), $4 whether silence says so
UPDATE visit SET departed_at = from_ms(left_at.departed), presumed = left_at.presumed
  FROM unnest($1::smallint[], $2::uuid[], $3::bigint[], $4::boolean[]) AS left_at (lane, visit, departed, presumed)
 WHERE visit.lane = left_at.lane AND visit.visit_id = left_at.visit;

-- name: visits_to_end
-- Visits of stops without an end of whose drivers nothing was heard, neither a message nor a word, for long, or for less long
-- since their tour is over; and those that were ended so of whose drivers something was heard since.
-- $1 lanes, $2 now, $3 seconds of silence where the tour is over, $4 where it is not
SELECT visit.lane, visit.driver_id, visit.visit_id, visit.presumed,
       to_ms(visit.arrived_at) AS arrived_ms, route.closed_at <= $2 AS tour_is_over, track.state,
       (SELECT to_ms(max(occurred_at)) FROM driver_event AS word
         WHERE word.stop_id = visit.stop_id AND word.driver_id = visit.driver_id AND word.effective AND word.device_id IS NOT NULL
           AND word.occurred_at > visit.arrived_at) AS said_ms
  FROM visit
  JOIN track ON track.lane = visit.lane AND track.driver_id = visit.driver_id
  LEFT JOIN route ON route.id = visit.route_id
  LEFT JOIN live ON live.lane = visit.lane AND live.driver_id = visit.driver_id
  LEFT JOIN heartbeat AS beat ON beat.lane = visit.lane AND beat.driver_id = visit.driver_id
 CROSS JOIN LATERAL (
       SELECT greatest(visit.arrived_at, live.received_at, beat.received_at,
                       (SELECT max(received_at) FROM driver_event
                         WHERE driver_id = visit.driver_id AND occurred_at >= visit.arrived_at)) AS at) AS heard
 WHERE visit.stop_id IS NOT NULL AND (visit.departed_at IS NULL OR visit.presumed) AND visit.lane = ANY ($1::smallint[])
   AND visit.presumed <> (heard.at < $2::timestamptz - make_interval(secs => CASE WHEN route.closed_at <= $2 THEN $3::float8
                                                                                  ELSE $4::float8 END))
 ORDER BY visit.arrived_at, visit.visit_id;
