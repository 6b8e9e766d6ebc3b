-- name: put_subscription
-- $1 stop, $2 hash of its address, $3 account, $4 sealed, $5 now
INSERT INTO push_subscription (stop_id, endpoint_hash, account_id, sealed, made_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (stop_id, endpoint_hash) DO UPDATE SET sealed = excluded.sealed, made_at = excluded.made_at;

-- name: drop_oldest
-- $1 stop, $2 so many stay
DELETE FROM push_subscription
 WHERE stop_id = $1 AND endpoint_hash IN (SELECT endpoint_hash FROM push_subscription WHERE stop_id = $1
                                           ORDER BY made_at DESC, endpoint_hash OFFSET $2);

-- name: drop_subscriptions
-- $1 stop, $2 hash of an address; null: all of the stop
DELETE FROM push_subscription WHERE stop_id = $1 AND (endpoint_hash = $2 OR $2::bytea IS NULL);

-- name: forget_gone
-- Columns of one length: $1 stop, $2 hash of an address
DELETE FROM push_subscription AS known USING unnest($1::bigint[], $2::bytea[]) AS gone (stop_id, endpoint_hash)
 WHERE known.stop_id = gone.stop_id AND known.endpoint_hash = gone.endpoint_hash;

-- name: sealed_subscriptions
-- All of them, held: their key changes.
SELECT stop_id, endpoint_hash, sealed FROM push_subscription ORDER BY stop_id, endpoint_hash FOR UPDATE;

-- name: put_sealed
-- $1 stop, $2 hash of its address, $3 sealed
UPDATE push_subscription SET sealed = $3 WHERE stop_id = $1 AND endpoint_hash = $2;
