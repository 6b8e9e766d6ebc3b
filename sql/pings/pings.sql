-- name: add_late_pings
-- Store pings that may be there already; give back those that were not. The caller holds their lanes. One by one, by LIMIT,
-- so that no plan reads a whole day to find them.
-- Columns of one length: $1 device, $2 recorded ms, $3 lat_e6, $4 lon_e6, $5 received after ms, $6 bits, $7 accuracy,
-- $8 speed, $9 heading, $10 altitude, $11 activity, $12 client id; $13 and $14 the first and the last recorded ms: other days
-- are not even opened
INSERT INTO packed_ping (device_id, recorded_at, lat_e6, lon_e6, received_after_ms, bits, accuracy_dm, speed_cmps,
                         heading_ddeg, altitude_m, activity, client_id)
SELECT device, from_ms(recorded), sent.lat_e6, sent.lon_e6, after, bits, accuracy, speed, heading, altitude, activity, client
  FROM unnest($1::int[], $2::bigint[], $3::int[], $4::int[], $5::real[], $6::int[], $7::smallint[], $8::smallint[],
              $9::smallint[], $10::real[], $11::text[], $12::text[])
    AS sent (device, recorded, lat_e6, lon_e6, after, bits, accuracy, speed, heading, altitude, activity, client)
  LEFT JOIN LATERAL (
       SELECT true AS is_there FROM packed_ping AS was
        WHERE was.device_id = sent.device AND was.recorded_at = from_ms(sent.recorded)
          AND was.recorded_at BETWEEN from_ms($13) AND from_ms($14)
          AND was.lat_e6 = sent.lat_e6 AND was.lon_e6 = sent.lon_e6 LIMIT 1) AS known ON true
 WHERE is_there IS NULL
RETURNING (SELECT driver_id FROM device WHERE device.id = packed_ping.device_id) AS driver_id,
          to_ms(recorded_at) AS recorded_ms, bits & 65535 AS flags;

-- name: merge_pings
-- What copies of stored pings tell, so that the end is the same in whatever order they came: where they differ the greater
-- counts (and anything before null), all flags that either was given, and the earlier receipt. A ping whose clock turns out
-- to be ahead is what it would be had it come so. Give back what was changed, and
-- whether that matters to the fold.
-- Of bits: 65535 the flags, 458752 what was judged, 65536 that it was, 524287 all of these; 1572864 charging, 6291456 mock, 1065353216 battery.
-- Columns of one length: $1 device, $2 recorded ms, $3 lat_e6, $4 lon_e6, $5 received after ms, $6 bits, $7 accuracy,
-- $8 speed, $9 heading, $10 altitude, $11 activity, $12 client id; $13 and $14 the first and the last recorded ms: other days
-- are not even opened; $15 the flag of a clock ahead, $16 all flags that pings bring along
UPDATE packed_ping AS ping
   SET accuracy_dm = now.accuracy, speed_cmps = now.speed, heading_ddeg = now.heading, altitude_m = now.altitude,
       activity = now.activity, client_id = now.client, received_after_ms = now.after,
       bits = CASE WHEN now.ahead THEN (now.bits & ~524287) | (now.bits & $16::int) | 65536 ELSE now.bits END,
       route_id = CASE WHEN NOT now.ahead THEN ping.route_id END,
       route_version = CASE WHEN NOT now.ahead THEN ping.route_version END,
       along_m = CASE WHEN NOT now.ahead THEN ping.along_m END,
       offset_dm = CASE WHEN NOT now.ahead THEN ping.offset_dm END,
       snapped_lat_e6 = CASE WHEN NOT now.ahead THEN ping.snapped_lat_e6 END,
       snapped_lon_e6 = CASE WHEN NOT now.ahead THEN ping.snapped_lon_e6 END
  FROM (SELECT was.device_id, was.recorded_at, was.lat_e6, was.lon_e6, one.*,
               sent.bits & ~was.bits & $15::int <> 0 AS ahead,
               was.bits & $15::int = 0 AND (sent.bits & $15::int <> 0
                                      OR (was.accuracy_dm, was.speed_cmps, was.heading_ddeg, was.bits & 1071644672)
                                         IS DISTINCT FROM (one.accuracy, one.speed, one.heading, one.bits & 1071644672))
               AS matters  -- 1071644672: battery and mock
          FROM unnest($1::int[], $2::bigint[], $3::int[], $4::int[], $5::real[], $6::int[], $7::smallint[], $8::smallint[],
                      $9::smallint[], $10::real[], $11::text[], $12::text[])
            AS sent (device, recorded, lat_e6, lon_e6, after, bits, accuracy, speed, heading, altitude, activity, client)
          JOIN packed_ping AS was ON was.device_id = sent.device AND was.recorded_at = from_ms(sent.recorded)
                                 AND was.lat_e6 = sent.lat_e6 AND was.lon_e6 = sent.lon_e6,
       LATERAL (SELECT greatest(was.accuracy_dm, sent.accuracy) AS accuracy, greatest(was.speed_cmps, sent.speed) AS speed,
                       greatest(was.heading_ddeg, sent.heading) AS heading,
                       greatest(was.altitude_m, sent.altitude) AS altitude,
                       greatest(was.activity COLLATE "C", sent.activity) AS activity,
                       greatest(was.client_id COLLATE "C", sent.client) AS client,
                       least(was.received_after_ms, sent.after) AS after,
                       (was.bits & 458752) | ((was.bits | sent.bits) & 65535)
                       | greatest(was.bits & 1572864, sent.bits & 1572864)
                       | greatest(was.bits & 6291456, sent.bits & 6291456)
                       | greatest(was.bits & 1065353216, sent.bits & 1065353216) AS bits) AS one
         WHERE was.recorded_at BETWEEN from_ms($13) AND from_ms($14)) AS now
 WHERE ping.device_id = now.device_id AND ping.recorded_at = now.recorded_at
   AND ping.lat_e6 = now.lat_e6 AND ping.lon_e6 = now.lon_e6
   AND ping.recorded_at BETWEEN from_ms($13) AND from_ms($14)
   AND (ping.accuracy_dm, ping.speed_cmps, ping.heading_ddeg, ping.altitude_m, ping.activity, ping.client_id,
        ping.received_after_ms, ping.bits)
       IS DISTINCT FROM (now.accuracy, now.speed, now.heading, now.altitude, now.activity, now.client, now.after, now.bits)
RETURNING (SELECT driver_id FROM device WHERE device.id = ping.device_id) AS driver_id,
          to_ms(ping.recorded_at) AS recorded_ms, now.matters;

-- name: pings_after
-- The next pings of some drivers after a place in their order, at most $6 of each; without clocks ahead. Device by
-- device, so that each is read in the order of the key, day by day, and no further than needed: with all of the last
-- millisecond, which the key does not put in order.
-- Columns of one length: $1 driver, $2 recorded ms, $3 lat_e6, $4 lon_e6, $5 device; $6 how many, $7 the flag
-- of a clock ahead
SELECT at.driver AS driver_id, next.*
  FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::int[], $5::bigint[])
    AS at (driver, recorded, lat_e6, lon_e6, device),
LATERAL (SELECT own.*
           FROM device,
        LATERAL (SELECT ping.device_id, to_ms(ping.recorded_at) AS recorded_ms,
                        to_ms(ping.received_at) AS received_ms, ping.lat_e6, ping.lon_e6, ping.accuracy_m, ping.altitude_m,
                        ping.speed_mps, ping.heading_deg, ping.battery, ping.charging, ping.mock, ping.activity,
                        ping.client_id, ping.flags, ping.believed, ping.on_route, ping.route_id, ping.route_version,
                        ping.along_m, ping.offset_m, ping.snapped_lat_e6, ping.snapped_lon_e6
                   FROM ping
                  WHERE ping.device_id = device.id AND ping.flags & $7::int = 0
                    AND ping.recorded_at >= from_ms(at.recorded)
                    AND (ping.recorded_at, ping.lat_e6, ping.lon_e6, ping.device_id)
                        > (from_ms(at.recorded), at.lat_e6, at.lon_e6, at.device)
                  ORDER BY ping.recorded_at
                  FETCH FIRST $6 ROWS WITH TIES) AS own
          WHERE device.driver_id = at.driver
          ORDER BY own.recorded_ms, own.lat_e6, own.lon_e6, own.device_id
          LIMIT $6) AS next;

-- name: judge_pings
-- Write what stored pings were judged to be. 524287 are the bits that are judged; the rest is what
-- phones say.
-- Columns of one length: $1 device, $2 recorded ms, $3 lat_e6, $4 lon_e6, $5 bits, $6 route or null, $7 its version,
-- $8 along_m, $9 and $10 snapped place, $11 offset; $12 and $13 the first and the last recorded ms: other days are not even
-- opened
UPDATE packed_ping AS ping
   SET bits = (ping.bits & ~524287) | now.bits, route_id = now.route, route_version = now.version,
       along_m = now.along, snapped_lat_e6 = now.snapped_lat, snapped_lon_e6 = now.snapped_lon, offset_dm = now.aside
  FROM unnest($1::int[], $2::bigint[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[], $8::real[], $9::int[],
              $10::int[], $11::smallint[])
    AS now (device, recorded, lat_e6, lon_e6, bits, route, version, along, snapped_lat, snapped_lon, aside)
 WHERE ping.device_id = now.device AND ping.recorded_at = from_ms(now.recorded)
   AND ping.lat_e6 = now.lat_e6 AND ping.lon_e6 = now.lon_e6
   AND ping.recorded_at BETWEEN from_ms($12) AND from_ms($13);

-- name: remove_ping
-- Take a ping that breaks the fold out of the history; its caller keeps it in quarantine.
-- $1 device, $2 recorded ms, $3 lat_e6, $4 lon_e6
DELETE FROM packed_ping WHERE device_id = $1 AND recorded_at = from_ms($2) AND lat_e6 = $3 AND lon_e6 = $4;
