-- name: geocoder_of
-- $1 account
SELECT account_id, provider, settings, secrets, trouble FROM geocoder WHERE account_id = $1;

-- name: put_geocoder
-- $1 account, $2 provider, $3 settings, $4 sealed secrets or null
INSERT INTO geocoder (account_id, provider, settings, secrets) VALUES ($1, $2, $3, $4)
    ON CONFLICT (account_id) DO UPDATE
   SET provider = excluded.provider, settings = excluded.settings, secrets = excluded.secrets, trouble = NULL, updated_at = now();

-- name: delete_geocoder
-- $1 account
DELETE FROM geocoder WHERE account_id = $1 RETURNING 1;

-- name: note_trouble
-- $1 account, $2 why or null
UPDATE geocoder SET trouble = $2 WHERE account_id = $1 AND trouble IS DISTINCT FROM $2;

-- name: sealed_geocoders
-- All of them, held: their key changes.
SELECT account_id, secrets FROM geocoder WHERE secrets IS NOT NULL ORDER BY account_id FOR UPDATE;

-- name: put_sealed
-- $1 account, $2 sealed secrets
UPDATE geocoder SET secrets = $2 WHERE account_id = $1;

-- name: take_turn
-- Reserve the next turn at a host, and give in how many seconds it is. $1 host, $2 seconds between two turns, $3 seconds that
-- it may be away at most
INSERT INTO geocoder_turn AS known (host, next_at) VALUES ($1, clock_timestamp() + make_interval(secs => $2::float8))
    ON CONFLICT (host) DO UPDATE
   SET next_at = greatest(known.next_at, clock_timestamp()) + make_interval(secs => $2::float8)
 WHERE known.next_at <= clock_timestamp() + make_interval(secs => $3::float8)
RETURNING extract(epoch FROM next_at - make_interval(secs => $2::float8) - clock_timestamp())::float8;

-- name: known_answer
-- What it said of an address lately; a place is kept longer than that there is none. $1 account, $2 provider, $3 address,
-- $4 since for places, $5 since for none
SELECT lat, lon, quality FROM geocode_answer
 WHERE account_id = $1 AND provider = $2 AND address = $3
   AND found_at > CASE WHEN lat IS NULL THEN $5::timestamptz ELSE $4::timestamptz END;

-- name: put_answer
-- $1 account, $2 provider, $3 address, $4 lat, $5 lon, $6 quality (all null: it is not found), $7 now
INSERT INTO geocode_answer (account_id, provider, address, lat, lon, quality, found_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (account_id, provider, address) DO UPDATE
   SET lat = excluded.lat, lon = excluded.lon, quality = excluded.quality, found_at = excluded.found_at;

-- name: drop_answers
-- $1 before, $2 how many
DELETE FROM geocode_answer
 WHERE ctid = ANY (ARRAY(SELECT ctid FROM geocode_answer WHERE found_at < $1 ORDER BY found_at LIMIT $2)) RETURNING 1;

-- name: take_orders
-- Orders whose place is to be looked for: some of each account; another process takes them again after a while.
-- $1 so many of each account, $2 of so many accounts, $3 seconds
UPDATE delivery_order AS taken SET look_at = now() + make_interval(secs => $3::float8)
  FROM (SELECT DISTINCT account_id FROM delivery_order
         WHERE look_at <= now() AND look_at IS NOT NULL AND state = 'received' LIMIT $2) AS waiting
 CROSS JOIN LATERAL (SELECT id FROM delivery_order
                      WHERE account_id = waiting.account_id AND look_at <= now() AND look_at IS NOT NULL AND state = 'received'
                      ORDER BY look_at LIMIT $1 FOR UPDATE SKIP LOCKED) AS one
 WHERE taken.id = one.id
RETURNING taken.id, taken.account_id, taken.external_id, taken.quality, taken.depot, taken.body, taken.updated_at;

-- name: place_order
-- Put an order where it is, as long as nobody changed it. $1 order, $2 as it was changed last, $3 state, $4 quality, $5 lat,
-- $6 lon
UPDATE delivery_order
   SET state = $3, quality = $4, lat = $5, lon = $6, look_at = NULL, updated_at = now(), body = body - 'doubt'
 WHERE id = $1 AND updated_at = $2 AND state = 'received' RETURNING 1;

-- name: stop_looking
-- Nothing more comes of looking, as long as nobody changed it. $1 order, $2 as it was changed last
UPDATE delivery_order SET look_at = NULL WHERE id = $1 AND updated_at = $2 AND state = 'received' RETURNING 1;

-- name: look_again
-- $1 orders, $2 in seconds
UPDATE delivery_order SET look_at = now() + make_interval(secs => $2::float8)
 WHERE id = ANY ($1::bigint[]) AND look_at IS NOT NULL;
