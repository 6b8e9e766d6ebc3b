-- name: waiting_pings
-- Pings that wait for the trackers, counted one by one.
SELECT coalesce(sum(pings), 0)::bigint FROM inbox;

-- name: some_pings
-- Rows to copy again. $1 how many
SELECT lane, device_id, recorded_at, lat_e6, lon_e6, driver_id, received_at, accuracy_m, altitude_m, speed_mps,
       heading_deg, battery, charging, mock, activity, client_id, flags, believed, on_route, route_id, route_version,
       along_m, offset_m, snapped_lat_e6, snapped_lon_e6
  FROM ping LIMIT $1;

-- name: empty_pings
-- Throw every ping away; only ever on a bench's own database.
TRUNCATE ping;

-- name: change_stops
-- Plan one stop of every route otherwise; only ever in a bench's own database.
UPDATE stop SET service_s = service_s + 1 WHERE id IN (SELECT min(id) FROM stop GROUP BY route_id);
