-- name: find_key
-- Whose key this is. $1 SHA-256 of the secret
SELECT id, account_id, role FROM api_key WHERE secret_hash = $1 AND revoked_at IS NULL;

-- name: create_key
-- $1 account, $2 role, $3 label or null, $4 SHA-256 of the secret
INSERT INTO api_key (account_id, role, label, secret_hash) VALUES ($1, $2, $3, $4) RETURNING id, created_at;

-- name: list_keys
-- An account's keys that work. $1 account
SELECT id, role, label, created_at FROM api_key WHERE account_id = $1 AND revoked_at IS NULL ORDER BY id;

-- name: revoke_key
-- $1 account, $2 key
UPDATE api_key SET revoked_at = now() WHERE account_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING id;
