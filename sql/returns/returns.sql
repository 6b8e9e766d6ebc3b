-- name: put_return
-- Nothing when one of the stop is open. $1 account, $2 stop, $3 asked by, $4 reason, $5 words or null, $6 photos, $7 now
INSERT INTO return_request (account_id, stop_id, state, asked_by, reason, words, photo_ids, asked_at, updated_at)
VALUES ($1, $2, 'requested', $3, $4, $5, $6, $7, $7)
    ON CONFLICT (stop_id) WHERE closed_at IS NULL DO NOTHING RETURNING id;

-- name: open_return
-- $1 stop
SELECT id FROM return_request WHERE stop_id = $1 AND closed_at IS NULL;

-- name: hold_return
-- $1 account, $2 return
SELECT id FROM return_request WHERE account_id = $1 AND id = $2 FOR NO KEY UPDATE;

-- name: find_return
-- $1 account, $2 return
SELECT * FROM return_now WHERE account_id = $1 AND id = $2;

-- name: returns_of_stop
-- $1 stop
SELECT * FROM return_now WHERE stop_id = $1 ORDER BY id;

-- name: page_of_returns
-- The newest first. $1 account, $2 state or null, $3 stop or null, $4 before this id or null, $5 how many
SELECT * FROM return_now
 WHERE account_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::bigint IS NULL OR stop_id = $3)
   AND ($4::bigint IS NULL OR id < $4)
 ORDER BY id DESC LIMIT $5;

-- name: move_return
-- $1 return, $2 state, $3 what is said or null, $4 now
UPDATE return_request
   SET state = $2, said = coalesce($3, said), version = version + 1, updated_at = $4,
       closed_at = CASE WHEN $2 NOT IN ('requested', 'approved') THEN coalesce(closed_at, $4) END
 WHERE id = $1;

-- name: note_pickup
-- $1 return, $2 external id of the order
UPDATE return_request SET pickups = pickups + 1, order_name = $2 WHERE id = $1;

-- name: delivered_stop
-- $1 account, $2 stop
SELECT stop.name, stop.address, stop.lat, stop.lon, stop.phone, stop.email, stop.locale, route.timezone, brought.depot,
       coalesce(brought.body -> 'load', '{}') AS load, stop.status, stop.outcome_at, stop.external_id
  FROM stop JOIN route ON route.id = stop.route_id
  LEFT JOIN delivery_order AS brought ON brought.account_id = stop.account_id AND brought.external_id = stop.external_id
                                     AND brought.route_id = stop.route_id
 WHERE stop.account_id = $1 AND stop.id = $2 AND stop.name <> '';

-- name: fetched_returns
-- $1 how many
SELECT account_id, id FROM return_now
 WHERE state = 'approved' AND pickup_status IN ('completed', 'partially_completed') ORDER BY id LIMIT $1;

-- name: stale_returns
-- $1 since before when, $2 how many
SELECT account_id, id FROM return_now
 WHERE closed_at IS NULL AND updated_at < $1
   AND (pickup_stop_id IS NULL OR pickup_status IN ('failed', 'skipped', 'left_open', 'removed'))
 ORDER BY updated_at LIMIT $2;
