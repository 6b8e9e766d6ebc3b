-- name: track_of_route
-- Which pings a route can have: everybody who ever drove it, and from when to when, by any of its plans or by what happened.
-- $1 account, $2 route or null, $3 external id or null, $4 and $5 seconds before and after a plan in which pings are on it too
SELECT route.id, route.external_id,
       least(min(plan.start_at) - make_interval(secs => $4), route.started_at) AS since,
       greatest(max(plan.end_at) + make_interval(secs => $5), route.finished_at) AS until,
       coalesce(array_agg(DISTINCT plan.driver_id) FILTER (WHERE plan.driver_id IS NOT NULL), '{}') AS driver_ids
  FROM route JOIN route_version AS plan ON plan.route_id = route.id
 WHERE route.account_id = $1 AND route.deleted_at IS NULL AND (route.id = $2 OR route.external_id = $3)
 GROUP BY route.id;

-- name: devices_of_drivers
-- Every phone that ever sent for some drivers, revoked ones too. $1 drivers
SELECT id FROM device WHERE driver_id = ANY ($1::bigint[]);

-- name: read_track
-- A page of pings of some phones in the order in which history folds them. Each phone's are read in the order of the key, with
-- all of the last millisecond, so a page costs what it shows; partitions outside the time are not opened.
-- $1 devices; $2 from and $3 before when, $4 route or null for any,
-- $5 recorded_at, $6 lat_e6, $7 lon_e6, $8 device of the last ping shown (-infinity and 0 for none), $9 how many
SELECT seen.*
  FROM unnest($1::int[]) AS phone (device_id)
 CROSS JOIN LATERAL (
       SELECT ping.device_id, ping.recorded_at, ping.received_at, ping.lat_e6, ping.lon_e6, ping.accuracy_m, ping.speed_mps,
              ping.heading_deg, ping.snapped_lat_e6, ping.snapped_lon_e6, ping.along_m, ping.offset_m, ping.on_route,
              ping.believed, ping.flags, ping.route_version
         FROM ping
        WHERE ping.device_id = phone.device_id
          AND ping.recorded_at >= greatest($2, $5::timestamptz) AND ping.recorded_at < $3
          AND (ping.route_id = $4 OR $4::bigint IS NULL)
          AND (ping.recorded_at, ping.lat_e6, ping.lon_e6, ping.device_id) > ($5, $6::int, $7::int, $8::bigint)
        ORDER BY ping.recorded_at
        FETCH FIRST $9 ROWS WITH TIES) AS seen
 ORDER BY seen.recorded_at, seen.lat_e6, seen.lon_e6, seen.device_id
 LIMIT $9;

-- name: beside_page
-- Believed pings of some phones around a page of their tracks: at most $10 of the $8 seconds before the first and after the
-- last of each, and the next one beyond, if it came within $9 seconds more. In no order.
-- Columns of one length: $1 device, $2 $3 $4 recorded_at, lat_e6, lon_e6 of the first, $5 $6 $7 of the last ping
SELECT phone.device_id, beside.*
  FROM unnest($1::int[], $2::timestamptz[], $3::int[], $4::int[], $5::timestamptz[], $6::int[], $7::int[])
    AS phone (device_id, first_at, first_lat, first_lon, last_at, last_lat, last_lon)
 CROSS JOIN LATERAL (
       (SELECT recorded_at, lat_e6, lon_e6 FROM ping
         WHERE device_id = phone.device_id AND believed
           AND recorded_at BETWEEN phone.first_at - make_interval(secs => $8) AND phone.first_at
           AND (recorded_at, lat_e6, lon_e6) < (phone.first_at, phone.first_lat, phone.first_lon)
         ORDER BY recorded_at DESC LIMIT $10)
        UNION ALL
       (SELECT recorded_at, lat_e6, lon_e6 FROM ping
         WHERE device_id = phone.device_id AND believed
           AND recorded_at >= phone.first_at - make_interval(secs => $8 + $9)
           AND recorded_at < phone.first_at - make_interval(secs => $8)
         ORDER BY recorded_at DESC, lat_e6 DESC, lon_e6 DESC LIMIT 1)
        UNION ALL
       (SELECT recorded_at, lat_e6, lon_e6 FROM ping
         WHERE device_id = phone.device_id AND believed
           AND recorded_at BETWEEN phone.last_at AND phone.last_at + make_interval(secs => $8)
           AND (recorded_at, lat_e6, lon_e6) > (phone.last_at, phone.last_lat, phone.last_lon)
         ORDER BY recorded_at LIMIT $10)
        UNION ALL
       (SELECT recorded_at, lat_e6, lon_e6 FROM ping
         WHERE device_id = phone.device_id AND believed
           AND recorded_at > phone.last_at + make_interval(secs => $8)
           AND recorded_at <= phone.last_at + make_interval(secs => $8 + $9)
         ORDER BY recorded_at, lat_e6, lon_e6 LIMIT 1)) AS beside;
