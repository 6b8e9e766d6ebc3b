-- name: served_stop
-- $1 account, $2 stop
SELECT coalesce(wish.door_lat, stop.lat) AS lat, coalesce(wish.door_lon, stop.lon) AS lon,
       CASE WHEN wish.door_lat IS NULL THEN 'planner' ELSE 'recipient' END AS door_by, 'pin' = ANY (stop.proof) AS asks_pin,
       EXISTS (SELECT FROM driver_event AS word
                WHERE word.stop_id = stop.id AND word.effective AND word.flaw IS NULL AND word.pin_generation IS NOT NULL
                  AND word.type IN ('completed', 'partially_completed') AND word.occurred_at = stop.outcome_at) AS pin_held
  FROM stop LEFT JOIN recipient_wish AS wish ON wish.stop_id = stop.id
 WHERE stop.account_id = $1 AND stop.id = $2;

-- name: visits_of_stop
-- $1 account, $2 stop
SELECT arrived_at, departed_at, source FROM visit WHERE account_id = $1 AND stop_id = $2 ORDER BY arrived_at, visit_id;

-- name: find_place
-- $1 account, $2 stop
SELECT stop.lat, stop.lon, route.timezone FROM stop JOIN route ON route.id = stop.route_id
 WHERE stop.account_id = $1 AND stop.id = $2;

-- name: hold_place
-- $1 account, $2 stop
SELECT stop.lat, stop.lon, route.timezone FROM stop JOIN route ON route.id = stop.route_id
 WHERE stop.account_id = $1 AND stop.id = $2 FOR NO KEY UPDATE OF stop;
