-- name: live_of_account
-- Where an account's drivers are. $1 account
SELECT live.driver_id, live.route_id, live.recorded_at, live.lat_e6, live.lon_e6, live.speed_mps, live.heading_deg,
       live.along_m, live.on_route, live.next_stop_id, live.delay_s, live.battery, coalesce(track.silent, false) AS silent
  FROM live
  JOIN driver ON driver.id = live.driver_id AND driver.deleted_at IS NULL
  LEFT JOIN track ON track.lane = live.lane AND track.driver_id = live.driver_id
 WHERE live.account_id = $1;

-- name: live_of_drivers
-- Where some of an account's drivers are. $1 account, $2 drivers
SELECT live.driver_id, live.route_id, live.recorded_at, live.lat_e6, live.lon_e6, live.speed_mps, live.heading_deg,
       live.along_m, live.on_route, live.next_stop_id, live.delay_s, live.battery, coalesce(track.silent, false) AS silent
  FROM driver
  JOIN live ON live.lane = driver.lane AND live.driver_id = driver.id
  LEFT JOIN track ON track.lane = live.lane AND track.driver_id = live.driver_id
 WHERE driver.id = ANY ($2::bigint[]) AND driver.deleted_at IS NULL AND live.account_id = $1;
