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
SELECT one.id, one.account_id, one.stop_id, stop.route_id, stop.external_id AS "order", one.state, one.asked_by, one.reason, one.words,
       one.said, one.photo_ids, one.version, one.asked_at, one.updated_at, one.closed_at, one.pickups, one.order_name, wanted.state AS order_state,
       pickup.id AS pickup_stop_id, pickup.status AS pickup_status, tour.date AS pickup_day,
       CASE WHEN pickup.link_revoked_at IS NULL THEN pickup.link_generation END AS pickup_generation
  FROM return_request AS one JOIN stop ON stop.id = one.stop_id
  LEFT JOIN delivery_order AS wanted ON wanted.account_id = one.account_id AND wanted.external_id = one.order_name
  LEFT JOIN stop AS pickup ON pickup.route_id = wanted.route_id AND pickup.external_id = wanted.external_id
  LEFT JOIN route AS tour ON tour.id = pickup.route_id
 WHERE one.account_id = $1 AND one.id = $2;

-- name: returns_of_stop
-- $1 stop
SELECT one.id, one.account_id, one.stop_id, stop.route_id, stop.external_id AS "order", one.state, one.asked_by, one.reason, one.words,
       one.said, one.photo_ids, one.version, one.asked_at, one.updated_at, one.closed_at, one.pickups, one.order_name, wanted.state AS order_state,
       pickup.id AS pickup_stop_id, pickup.status AS pickup_status, tour.date AS pickup_day,
       CASE WHEN pickup.link_revoked_at IS NULL THEN pickup.link_generation END AS pickup_generation
  FROM return_request AS one JOIN stop ON stop.id = one.stop_id
  LEFT JOIN delivery_order AS wanted ON wanted.account_id = one.account_id AND wanted.external_id = one.order_name
  LEFT JOIN stop AS pickup ON pickup.route_id = wanted.route_id AND pickup.external_id = wanted.external_id
  LEFT JOIN route AS tour ON tour.id = pickup.route_id
 WHERE one.stop_id = $1 ORDER BY one.id;

-- name: page_of_returns
-- The newest first. $1 account, $2 state or null, $3 stop or null, $4 before this id or null, $5 how many
SELECT one.id, one.account_id, one.stop_id, stop.route_id, stop.external_id AS "order", one.state, one.asked_by, one.reason, one.words,
       one.said, one.photo_ids, one.version, one.asked_at, one.updated_at, one.closed_at, one.pickups, one.order_name, wanted.state AS order_state,
       pickup.id AS pickup_stop_id, pickup.status AS pickup_status, tour.date AS pickup_day,
       CASE WHEN pickup.link_revoked_at IS NULL THEN pickup.link_generation END AS pickup_generation
  FROM return_request AS one JOIN stop ON stop.id = one.stop_id
  LEFT JOIN delivery_order AS wanted ON wanted.account_id = one.account_id AND wanted.external_id = one.order_name
  LEFT JOIN stop AS pickup ON pickup.route_id = wanted.route_id AND pickup.external_id = wanted.external_id
  LEFT JOIN route AS tour ON tour.id = pickup.route_id
 WHERE one.account_id = $1 AND ($2::text IS NULL OR one.state = $2) AND ($3::bigint IS NULL OR one.stop_id = $3)
   AND ($4::bigint IS NULL OR one.id < $4)
 ORDER BY one.id DESC LIMIT $5;

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
SELECT one.account_id, one.id
  FROM return_request AS one
  JOIN delivery_order AS wanted ON wanted.account_id = one.account_id AND wanted.external_id = one.order_name
  JOIN stop AS pickup ON pickup.route_id = wanted.route_id AND pickup.external_id = wanted.external_id
 WHERE one.state = 'approved' AND pickup.status IN ('completed', 'partially_completed') ORDER BY one.id LIMIT $1;

-- name: stale_returns
-- $1 since before when, $2 how many
SELECT one.account_id, one.id
  FROM return_request AS one
  LEFT JOIN delivery_order AS wanted ON wanted.account_id = one.account_id AND wanted.external_id = one.order_name
  LEFT JOIN stop AS pickup ON pickup.route_id = wanted.route_id AND pickup.external_id = wanted.external_id
 WHERE one.closed_at IS NULL AND one.updated_at < $1
   AND (pickup.id IS NULL OR pickup.status IN ('failed', 'skipped', 'left_open', 'removed'))
 ORDER BY one.updated_at LIMIT $2;
