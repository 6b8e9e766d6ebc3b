-- name: put_browser
-- $1 account, $2 person, $3 hash of its address, $4 sealed, $5 least severity, $6 language
INSERT INTO desk_push (account_id, person_id, endpoint_hash, sealed, least, language) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (account_id, person_id, endpoint_hash) DO UPDATE
   SET sealed = excluded.sealed, least = excluded.least, language = excluded.language, made_at = now();

-- name: drop_oldest
-- $1 account, $2 person, $3 so many stay
DELETE FROM desk_push
 WHERE account_id = $1 AND person_id = $2
   AND endpoint_hash IN (SELECT endpoint_hash FROM desk_push WHERE account_id = $1 AND person_id = $2
                          ORDER BY made_at DESC, endpoint_hash OFFSET $3);

-- name: drop_browser
-- $1 account, $2 person, $3 hash of an address; null: all of them
DELETE FROM desk_push WHERE account_id = $1 AND person_id = $2 AND (endpoint_hash = $3 OR $3::bytea IS NULL);

-- name: forget_gone
-- $1 account, $2 hashes of addresses
DELETE FROM desk_push WHERE account_id = $1 AND endpoint_hash = ANY ($2::bytea[]);

-- name: lease_alerts
-- Alerts that browsers are told of; until the lease ends nobody else does. $1 seconds of it, $2 at most so many
UPDATE desk_alert SET push_at = now() + make_interval(secs => $1)
  FROM (SELECT id FROM desk_alert WHERE push_at <= now() ORDER BY push_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS due, account
 WHERE desk_alert.id = due.id AND account.id = desk_alert.account_id
RETURNING desk_alert.id, desk_alert.account_id, account.name AS account, desk_alert.type, desk_alert.severity,
          desk_alert.closed_at IS NULL AND desk_alert.taken_at IS NULL AS is_open,
          greatest(desk_alert.occurred_at, coalesce(desk_alert.snoozed_until, desk_alert.occurred_at)) AS seen_at;

-- name: told
-- $1 alerts
UPDATE desk_alert SET push_at = NULL WHERE id = ANY ($1::bigint[]);

-- name: browsers_for
-- $1 account, $2 severity
SELECT endpoint_hash, sealed, language FROM desk_push WHERE account_id = $1 AND least <= $2
 ORDER BY person_id, endpoint_hash LIMIT 500;

-- name: sealed_browsers
-- All of them, held: their key changes.
SELECT account_id, person_id, endpoint_hash, sealed FROM desk_push ORDER BY account_id, person_id, endpoint_hash FOR UPDATE;

-- name: put_sealed
-- $1 account, $2 person, $3 hash of its address, $4 sealed
UPDATE desk_push SET sealed = $4 WHERE account_id = $1 AND person_id = $2 AND endpoint_hash = $3;
