-- name: add_late_pings
-- Store pings that may be there already; give back those that were not. Unjudged, the fold comes to them; but those whose
-- clock is ahead are never folded.
-- Columns of one length: $1 lane, $2 device, $3 recorded ms, $4 lat_e6, $5 lon_e6, $6 driver, $7 received ms,
-- $8 accuracy, $9 altitude, $10 speed, $11 heading, $12 battery, $13 charging, $14 mock, $15 activity, $16 client id, $17 flags;
-- $18 the flag of a clock ahead
INSERT INTO ping (lane, device_id, recorded_at, lat_e6, lon_e6, driver_id, received_at, accuracy_m, altitude_m, speed_mps,
                  heading_deg, battery, charging, mock, activity, client_id, flags, believed)
SELECT lane, device, from_ms(recorded), lat_e6, lon_e6, driver, from_ms(received), accuracy, altitude, speed, heading, battery,
       charging, mock, activity, client_id, flags, CASE WHEN flags & $18::int <> 0 THEN false END
  FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::int[], $5::int[], $6::bigint[], $7::bigint[], $8::real[],
              $9::real[], $10::real[], $11::real[], $12::real[], $13::boolean[], $14::boolean[], $15::text[], $16::text[],
              $17::int[])
    AS sent (lane, device, recorded, lat_e6, lon_e6, driver, received, accuracy, altitude, speed, heading, battery, charging,
             mock, activity, client_id, flags)
    ON CONFLICT DO NOTHING
RETURNING driver_id, to_ms(recorded_at) AS recorded_ms, flags;

-- name: merge_pings
-- What copies of stored pings tell, so that the end is the same in whatever order they came: where they differ the greater
-- counts (and anything before null), all flags that either was given, and the earlier receipt. A ping whose clock turns out
-- to be ahead is what it would be had it come so. Give back what was changed, and
-- whether that matters to the fold.
-- Columns of one length: $1 lane, $2 device, $3 recorded ms, $4 lat_e6, $5 lon_e6, $6 accuracy, $7 altitude, $8 speed,
-- $9 heading, $10 battery, $11 charging, $12 mock, $13 activity, $14 client id, $15 received ms, $16 flags;
-- $17 and $18 the first and the last recorded ms: other days are not even opened; $19 the flag of a clock ahead, $20 all
-- flags that pings bring along
UPDATE ping
   SET accuracy_m = now.accuracy, altitude_m = now.altitude, speed_mps = now.speed, heading_deg = now.heading,
       battery = now.battery, charging = now.charging, mock = now.mock, activity = now.activity, client_id = now.client,
       received_at = now.received,
       flags = CASE WHEN now.ahead THEN now.flags & $20::int ELSE now.flags END,
       believed = CASE WHEN now.ahead THEN false ELSE ping.believed END,
       on_route = CASE WHEN NOT now.ahead THEN ping.on_route END,
       route_id = CASE WHEN NOT now.ahead THEN ping.route_id END,
       route_version = CASE WHEN NOT now.ahead THEN ping.route_version END,
       along_m = CASE WHEN NOT now.ahead THEN ping.along_m END,
       offset_m = CASE WHEN NOT now.ahead THEN ping.offset_m END,
       snapped_lat_e6 = CASE WHEN NOT now.ahead THEN ping.snapped_lat_e6 END,
       snapped_lon_e6 = CASE WHEN NOT now.ahead THEN ping.snapped_lon_e6 END
  FROM (SELECT was.lane, was.device_id, was.recorded_at, was.lat_e6, was.lon_e6, one.*,
               sent.flags & ~was.flags & $19::int <> 0 AS ahead,
               was.flags & $19::int = 0 AND (sent.flags & $19::int <> 0
                                      OR (was.accuracy_m, was.speed_mps, was.heading_deg, was.battery, was.mock)
                                         IS DISTINCT FROM
                                         (one.accuracy, one.speed, one.heading, one.battery, one.mock)) AS matters
          FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::int[], $5::int[], $6::real[], $7::real[],
                      $8::real[], $9::real[], $10::real[], $11::boolean[], $12::boolean[], $13::text[], $14::text[],
                      $15::bigint[], $16::int[])
            AS sent (lane, device, recorded, lat_e6, lon_e6, accuracy, altitude, speed, heading, battery, charging, mock,
                     activity, client, received, flags)
          JOIN ping AS was ON was.lane = sent.lane AND was.device_id = sent.device
                          AND was.recorded_at = from_ms(sent.recorded)
                          AND was.lat_e6 = sent.lat_e6 AND was.lon_e6 = sent.lon_e6,
       LATERAL (SELECT greatest(was.accuracy_m, sent.accuracy) AS accuracy,
                       greatest(was.altitude_m, sent.altitude) AS altitude,
                       greatest(was.speed_mps, sent.speed) AS speed, greatest(was.heading_deg, sent.heading) AS heading,
                       greatest(was.battery, sent.battery) AS battery, greatest(was.charging, sent.charging) AS charging,
                       greatest(was.mock, sent.mock) AS mock,
                       greatest(was.activity COLLATE "C", sent.activity) AS activity,
                       greatest(was.client_id COLLATE "C", sent.client) AS client,
                       least(was.received_at, from_ms(sent.received)) AS received, was.flags | sent.flags AS flags) AS one
         WHERE was.recorded_at BETWEEN from_ms($17) AND from_ms($18)) AS now
 WHERE ping.lane = now.lane AND ping.device_id = now.device_id AND ping.recorded_at = now.recorded_at
   AND ping.lat_e6 = now.lat_e6 AND ping.lon_e6 = now.lon_e6
   AND ping.recorded_at BETWEEN from_ms($17) AND from_ms($18)
   AND (ping.accuracy_m, ping.altitude_m, ping.speed_mps, ping.heading_deg, ping.battery, ping.charging, ping.mock,
        ping.activity, ping.client_id, ping.received_at, ping.flags)
       IS DISTINCT FROM (now.accuracy, now.altitude, now.speed, now.heading, now.battery, now.charging, now.mock,
                         now.activity, now.client, now.received, now.flags)
RETURNING ping.driver_id, to_ms(ping.recorded_at) AS recorded_ms, now.matters;

-- name: pings_after
-- The next pings of some drivers after a place in their order, at most $7 of each; without clocks ahead. Device by
-- device, so that each is read in the order of the key, day by day, and no further than needed.
-- Columns of one length: $1 lane, $2 driver, $3 recorded ms, $4 lat_e6, $5 lon_e6, $6 device; $7 how many, $8 the flag
-- of a clock ahead
SELECT next.*
  FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::int[], $5::int[], $6::bigint[])
    AS at (lane, driver, recorded, lat_e6, lon_e6, device),
LATERAL (SELECT own.*
           FROM device,
        LATERAL (SELECT ping.driver_id, ping.device_id, to_ms(ping.recorded_at) AS recorded_ms,
                        to_ms(ping.received_at) AS received_ms, ping.lat_e6, ping.lon_e6, ping.accuracy_m, ping.altitude_m,
                        ping.speed_mps, ping.heading_deg, ping.battery, ping.charging, ping.mock, ping.activity,
                        ping.client_id, ping.flags, ping.believed, ping.on_route, ping.route_id, ping.route_version,
                        ping.along_m, ping.offset_m, ping.snapped_lat_e6, ping.snapped_lon_e6
                   FROM ping
                  WHERE ping.lane = at.lane AND ping.device_id = device.id AND ping.flags & $8::int = 0
                    AND ping.recorded_at >= from_ms(at.recorded)
                    AND (ping.recorded_at, ping.lat_e6, ping.lon_e6, ping.device_id)
                        > (from_ms(at.recorded), at.lat_e6, at.lon_e6, at.device)
                  ORDER BY ping.recorded_at, ping.lat_e6, ping.lon_e6
                  LIMIT $7) AS own
          WHERE device.driver_id = at.driver
          ORDER BY own.recorded_ms, own.lat_e6, own.lon_e6, own.device_id
          LIMIT $7) AS next;

-- name: judge_pings
-- Write what stored pings were judged to be. Columns of one length: $1 lane, $2 device, $3 recorded ms, $4 lat_e6, $5 lon_e6,
-- $6 flags, $7 believed, $8 on the route, $9 route or null, $10 its version, $11 along_m, $12 offset_m, $13 and $14 snapped place;
-- $15 and $16 the first and the last recorded ms: other days are not even opened
UPDATE ping
   SET flags = now.flags, believed = now.believed, on_route = now.on_route, route_id = now.route,
       route_version = now.version, along_m = now.along, offset_m = now.aside, snapped_lat_e6 = now.snapped_lat,
       snapped_lon_e6 = now.snapped_lon
  FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::int[], $5::int[], $6::int[], $7::boolean[], $8::boolean[],
              $9::bigint[], $10::int[], $11::float8[], $12::real[], $13::int[], $14::int[])
    AS now (lane, device, recorded, lat_e6, lon_e6, flags, believed, on_route, route, version, along, aside, snapped_lat,
            snapped_lon)
 WHERE ping.lane = now.lane AND ping.device_id = now.device AND ping.recorded_at = from_ms(now.recorded)
   AND ping.lat_e6 = now.lat_e6 AND ping.lon_e6 = now.lon_e6
   AND ping.recorded_at BETWEEN from_ms($15) AND from_ms($16);

-- name: remove_ping
-- Take a ping that breaks the fold out of the history; its caller keeps it in quarantine.
-- $1 lane, $2 device, $3 recorded ms, $4 lat_e6, $5 lon_e6
DELETE FROM ping WHERE lane = $1 AND device_id = $2 AND recorded_at = from_ms($3) AND lat_e6 = $4 AND lon_e6 = $5;
