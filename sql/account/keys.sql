-- name: find_key
-- Whose key this is, if it is not over; and whether it is long since its use was noted. $1 SHA-256 of the secret
SELECT id, account_id, role, coalesce(last_used_at < now() - interval '1 hour', true) AS is_use_stale
  FROM api_key WHERE secret_hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now());

-- name: note_use
-- At most once an hour; one request notes it, the others at the same time wait for nothing. $1 key
UPDATE api_key SET last_used_at = now()
 WHERE id = (SELECT id FROM api_key WHERE id = $1 AND coalesce(last_used_at < now() - interval '1 hour', true)
                FOR NO KEY UPDATE SKIP LOCKED);

-- name: create_key
-- $1 account, $2 role, $3 label or null, $4 SHA-256 of the secret, $5 until when it works, or null
INSERT INTO api_key (account_id, role, label, secret_hash, expires_at) VALUES ($1, $2, $3, $4, $5)
RETURNING id, created_at;

-- name: list_keys
-- An account's keys that are not revoked. $1 account, $2 that end before, or null, $3 that were not used since, or null
SELECT id, role, label, created_at, expires_at, last_used_at
  FROM api_key
 WHERE account_id = $1 AND revoked_at IS NULL AND (expires_at < $2 OR $2::timestamptz IS NULL)
   AND (coalesce(last_used_at, created_at) < $3 OR $3::timestamptz IS NULL)
 ORDER BY id;

-- name: has_working_key
-- $1 account
SELECT EXISTS (SELECT FROM api_key
                WHERE account_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()));

-- name: revoke_key
-- $1 account, $2 key
UPDATE api_key SET revoked_at = now() WHERE account_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING id;
