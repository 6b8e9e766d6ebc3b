-- name: live_of_account
-- Where an account's drivers are. $1 account, $2 how long an alarm is shown
SELECT live.driver_id, live.route_id, live.recorded_at, live.lat_e6, live.lon_e6, live.accuracy_m, live.speed_mps,
       live.heading_deg, live.along_m, live.on_route, live.next_stop_id, live.delay_s, live.received_at,
       CASE WHEN beat.received_at > live.received_at THEN coalesce(beat.battery, live.battery) ELSE live.battery END
           AS battery,
       greatest(live.received_at, beat.received_at) AS heard_at, coalesce(track.silent, false) AS silent, beside.*
  FROM live
  JOIN driver ON driver.id = live.driver_id AND driver.deleted_at IS NULL
  LEFT JOIN track ON track.lane = live.lane AND track.driver_id = live.driver_id
  LEFT JOIN heartbeat AS beat ON beat.lane = live.lane AND beat.driver_id = live.driver_id
  LEFT JOIN beside_live(live.driver_id, live.route_id, $2) AS beside ON true
 WHERE live.account_id = $1;

-- name: live_of_drivers
-- Where some of an account's drivers are. $1 account, $2 drivers, $3 how long an alarm is shown
SELECT live.driver_id, live.route_id, live.recorded_at, live.lat_e6, live.lon_e6, live.accuracy_m, live.speed_mps,
       live.heading_deg, live.along_m, live.on_route, live.next_stop_id, live.delay_s, live.received_at,
       CASE WHEN beat.received_at > live.received_at THEN coalesce(beat.battery, live.battery) ELSE live.battery END
           AS battery,
       greatest(live.received_at, beat.received_at) AS heard_at, coalesce(track.silent, false) AS silent, beside.*
  FROM driver
  JOIN live ON live.lane = driver.lane AND live.driver_id = driver.id
  LEFT JOIN track ON track.lane = live.lane AND track.driver_id = live.driver_id
  LEFT JOIN heartbeat AS beat ON beat.lane = live.lane AND beat.driver_id = live.driver_id
  LEFT JOIN beside_live(live.driver_id, live.route_id, $3) AS beside ON true
 WHERE driver.id = ANY ($2::bigint[]) AND driver.deleted_at IS NULL AND live.account_id = $1;

-- name: move_live_positions
-- Move the drivers who are shown to their newest believed ping. One in the middle of a re-run only moves forward; one who has
-- caught up is shown as the fold says. Their silence is looked at when it may end, or begin earlier than was thought.
-- Columns of one length, as array text (sql/arrays.py): $1 lane, $2 driver, $3 recorded ms, $4 received ms, $5 lat_e6,
-- $6 lon_e6, $7 accuracy, $8 speed, $9 heading, $10 battery, $11 route, $12 its version, $13 on the route, $14 along_m,
-- $15 offset_m, $16 and $17 snapped place, $18 next stop, $19 delay_s, $20 caught_up
UPDATE live
   SET recorded_at = from_ms(new.recorded), received_at = from_ms(new.received), lat_e6 = new.lat, lon_e6 = new.lon,
       accuracy_m = new.accuracy, speed_mps = new.speed, heading_deg = new.heading, battery = new.battery,
       route_id = new.route, route_version = new.version, on_route = new.on_route, along_m = new.along,
       offset_m = new.aside, snapped_lat_e6 = new.snapped_lat, snapped_lon_e6 = new.snapped_lon,
       next_stop_id = new.next_stop, delay_s = new.delay,
       look_at = CASE WHEN live.look_at = 'infinity' OR live.route_id IS DISTINCT FROM new.route
                        OR from_ms(new.received) < live.received_at THEN now() ELSE live.look_at END
  FROM unnest($1::text::smallint[], $2::text::bigint[], $3::text::bigint[], $4::text::bigint[], $5::text::int[],
              $6::text::int[], $7::text::real[], $8::text::real[], $9::text::real[], $10::text::real[], $11::text::bigint[],
              $12::text::int[], $13::text::boolean[], $14::text::float8[], $15::text::real[], $16::text::int[],
              $17::text::int[], $18::text::bigint[], $19::text::real[], $20::text::boolean[])
    AS new (lane, driver, recorded, received, lat, lon, accuracy, speed, heading, battery, route, version, on_route, along,
            aside, snapped_lat, snapped_lon, next_stop, delay, caught_up)
 WHERE live.lane = new.lane AND live.driver_id = new.driver
   AND (new.caught_up OR live.recorded_at <= from_ms(new.recorded));

-- name: show_live_positions
-- Show those of some drivers who are not shown. Columns as above, but for the last: $20 account
INSERT INTO live (lane, driver_id, account_id, recorded_at, received_at, lat_e6, lon_e6, accuracy_m, speed_mps, heading_deg,
                  battery, route_id, route_version, on_route, along_m, offset_m, snapped_lat_e6, snapped_lon_e6, next_stop_id,
                  delay_s)
SELECT lane, driver, account, from_ms(recorded), from_ms(received), lat, lon, accuracy, speed, heading, battery, route, version,
       on_route, along, aside, snapped_lat, snapped_lon, next_stop, delay
  FROM unnest($1::text::smallint[], $2::text::bigint[], $3::text::bigint[], $4::text::bigint[], $5::text::int[],
              $6::text::int[], $7::text::real[], $8::text::real[], $9::text::real[], $10::text::real[], $11::text::bigint[],
              $12::text::int[], $13::text::boolean[], $14::text::float8[], $15::text::real[], $16::text::int[],
              $17::text::int[], $18::text::bigint[], $19::text::real[], $20::text::bigint[])
    AS new (lane, driver, recorded, received, lat, lon, accuracy, speed, heading, battery, route, version, on_route, along,
            aside, snapped_lat, snapped_lon, next_stop, delay, account)
    ON CONFLICT DO NOTHING;

-- name: remove_live_positions
-- Drivers of whom no ping is believed any more. Columns of one length: $1 lane, $2 driver
DELETE FROM live USING unnest($1::smallint[], $2::bigint[]) AS gone (lane, driver)
 WHERE live.lane = gone.lane AND live.driver_id = gone.driver;

-- name: tell_live
-- Tell every listener who moved. $1 channel, $2 triples account:driver:route, separated by spaces
SELECT pg_notify($1, $2);
