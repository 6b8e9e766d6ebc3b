-- name: live_of_account
-- Where an account's drivers are. $1 account, $2 how long an alarm is shown
SELECT live.driver_id, live.route_id, live.recorded_at, live.lat_e6, live.lon_e6, live.speed_mps, live.heading_deg,
       live.along_m, live.on_route, live.next_stop_id, live.delay_s, live.received_at,
       CASE WHEN beat.received_at > live.received_at THEN coalesce(beat.battery, live.battery) ELSE live.battery END
           AS battery,
       greatest(live.received_at, beat.received_at) AS heard_at, coalesce(track.silent, false) AS silent,
       alarm.kind AS alarm, alarm.at AS alarm_at, pause.since AS break_since, here.stop_id AS at_stop_id,
       coalesce(door.kind = 'break', false) AS at_break
  FROM live
  JOIN driver ON driver.id = live.driver_id AND driver.deleted_at IS NULL
  LEFT JOIN track ON track.lane = live.lane AND track.driver_id = live.driver_id
  LEFT JOIN heartbeat AS beat ON beat.lane = live.lane AND beat.driver_id = live.driver_id
  LEFT JOIN LATERAL (
       SELECT data ->> 'alarm' AS kind, occurred_at AS at FROM event
        WHERE event.driver_id = live.driver_id AND type IN ('driver.sos', 'driver.alarm')
          AND occurred_at > now() - $2::interval
          AND NOT EXISTS (SELECT FROM driver_event AS word
                           WHERE word.driver_id = live.driver_id AND word.type = 'shift_ended' AND word.effective
                             AND word.occurred_at > event.occurred_at)
        ORDER BY type = 'driver.sos' DESC, occurred_at DESC LIMIT 1) AS alarm ON true
  LEFT JOIN LATERAL (
       SELECT CASE WHEN type = 'break_started'
                    AND NOT EXISTS (SELECT FROM visit WHERE visit.route_id = live.route_id AND visit.arrived_at > occurred_at
                                                        AND visit.driver_id = live.driver_id)
                   THEN occurred_at END AS since
         FROM driver_event
        WHERE driver_id = live.driver_id AND type NOT IN ('note', 'reopened') AND effective
        ORDER BY occurred_at DESC, id DESC LIMIT 1) AS pause ON true
  LEFT JOIN LATERAL (
       SELECT stop_id, departed_at FROM visit
        WHERE visit.route_id = live.route_id AND visit.driver_id = live.driver_id AND stop_id IS NOT NULL
        ORDER BY arrived_at DESC LIMIT 1) AS here ON here.departed_at IS NULL
  LEFT JOIN stop AS door ON door.id = here.stop_id
 WHERE live.account_id = $1;

-- name: live_of_drivers
-- Where some of an account's drivers are. $1 account, $2 drivers, $3 how long an alarm is shown
SELECT live.driver_id, live.route_id, live.recorded_at, live.lat_e6, live.lon_e6, live.speed_mps, live.heading_deg,
       live.along_m, live.on_route, live.next_stop_id, live.delay_s, live.received_at,
       CASE WHEN beat.received_at > live.received_at THEN coalesce(beat.battery, live.battery) ELSE live.battery END
           AS battery,
       greatest(live.received_at, beat.received_at) AS heard_at, coalesce(track.silent, false) AS silent,
       alarm.kind AS alarm, alarm.at AS alarm_at, pause.since AS break_since, here.stop_id AS at_stop_id,
       coalesce(door.kind = 'break', false) AS at_break
  FROM driver
  JOIN live ON live.lane = driver.lane AND live.driver_id = driver.id
  LEFT JOIN track ON track.lane = live.lane AND track.driver_id = live.driver_id
  LEFT JOIN heartbeat AS beat ON beat.lane = live.lane AND beat.driver_id = live.driver_id
  LEFT JOIN LATERAL (
       SELECT data ->> 'alarm' AS kind, occurred_at AS at FROM event
        WHERE event.driver_id = live.driver_id AND type IN ('driver.sos', 'driver.alarm')
          AND occurred_at > now() - $3::interval
          AND NOT EXISTS (SELECT FROM driver_event AS word
                           WHERE word.driver_id = live.driver_id AND word.type = 'shift_ended' AND word.effective
                             AND word.occurred_at > event.occurred_at)
        ORDER BY type = 'driver.sos' DESC, occurred_at DESC LIMIT 1) AS alarm ON true
  LEFT JOIN LATERAL (
       SELECT CASE WHEN type = 'break_started'
                    AND NOT EXISTS (SELECT FROM visit WHERE visit.route_id = live.route_id AND visit.arrived_at > occurred_at
                                                        AND visit.driver_id = live.driver_id)
                   THEN occurred_at END AS since
         FROM driver_event
        WHERE driver_id = live.driver_id AND type NOT IN ('note', 'reopened') AND effective
        ORDER BY occurred_at DESC, id DESC LIMIT 1) AS pause ON true
  LEFT JOIN LATERAL (
       SELECT stop_id, departed_at FROM visit
        WHERE visit.route_id = live.route_id AND visit.driver_id = live.driver_id AND stop_id IS NOT NULL
        ORDER BY arrived_at DESC LIMIT 1) AS here ON here.departed_at IS NULL
  LEFT JOIN stop AS door ON door.id = here.stop_id
 WHERE driver.id = ANY ($2::bigint[]) AND driver.deleted_at IS NULL AND live.account_id = $1;

-- name: move_live_positions
-- Show each driver at their newest believed ping. A driver in the middle of a re-run only moves forward; one who has caught
-- up is shown as the fold says. Their silence is looked at when it may end, or begin earlier than was thought.
-- Columns of one length, as array text (sql/arrays.py): $1 lane, $2 driver, $3 account, $4 recorded ms, $5 received ms,
-- $6 lat_e6, $7 lon_e6, $8 accuracy, $9 speed, $10 heading, $11 battery, $12 route, $13 its version, $14 on the route,
-- $15 along_m, $16 offset_m, $17 and $18 snapped place, $19 next stop, $20 delay_s, $21 caught_up
INSERT INTO live (lane, driver_id, account_id, recorded_at, received_at, lat_e6, lon_e6, accuracy_m, speed_mps, heading_deg,
                  battery, route_id, route_version, on_route, along_m, offset_m, snapped_lat_e6, snapped_lon_e6, next_stop_id,
                  delay_s)
SELECT new.lane, new.driver, new.account, from_ms(new.recorded), from_ms(new.received), new.lat, new.lon, new.accuracy,
       new.speed, new.heading, new.battery, new.route, new.version, new.on_route, new.along, new.aside, new.snapped_lat,
       new.snapped_lon, new.next_stop, new.delay
  FROM unnest($1::text::smallint[], $2::text::bigint[], $3::text::bigint[], $4::text::bigint[], $5::text::bigint[],
              $6::text::int[], $7::text::int[], $8::text::real[], $9::text::real[], $10::text::real[], $11::text::real[],
              $12::text::bigint[], $13::text::int[], $14::text::boolean[], $15::text::float8[], $16::text::real[],
              $17::text::int[], $18::text::int[], $19::text::bigint[], $20::text::real[], $21::text::boolean[])
    AS new (lane, driver, account, recorded, received, lat, lon, accuracy, speed, heading, battery, route, version, on_route,
            along, aside, snapped_lat, snapped_lon, next_stop, delay, caught_up)
  LEFT JOIN live AS shown ON shown.lane = new.lane AND shown.driver_id = new.driver
 WHERE new.caught_up OR shown.recorded_at IS NULL OR shown.recorded_at <= from_ms(new.recorded)
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
-- Tell every listener who moved. $1 channel, $2 triples account:driver:route, separated by spaces
SELECT pg_notify($1, $2);
