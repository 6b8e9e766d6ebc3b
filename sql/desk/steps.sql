-- name: keep_step
-- $1 SHA-256 of the secret, $2 kind, $3 person or null, $4 what was said so far, $5 seconds it lasts
INSERT INTO sign_in_step (secret_hash, kind, person_id, said, expires_at)
VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5));

-- name: find_step
-- $1 SHA-256 of the secret, $2 kind
SELECT person_id, said FROM sign_in_step WHERE secret_hash = $1 AND kind = $2 AND expires_at > now();

-- name: use_step
-- Whoever comes second finds none. $1 SHA-256 of the secret, $2 kind
DELETE FROM sign_in_step WHERE secret_hash = $1 AND kind = $2
RETURNING person_id, said, expires_at > now() AS is_open;

-- name: drop_steps
-- Those that are over.
DELETE FROM sign_in_step WHERE expires_at < now();
