-- name: begin_totp
-- Another secret, unless one is in force. $1 person, $2 sealed secret
INSERT INTO person_totp (person_id, sealed) VALUES ($1, $2)
    ON CONFLICT (person_id) DO UPDATE SET sealed = excluded.sealed WHERE person_totp.confirmed_at IS NULL
RETURNING person_id;

-- name: totp_of
-- $1 person
SELECT sealed, confirmed_at IS NOT NULL AS is_confirmed FROM person_totp WHERE person_id = $1;

-- name: take_step
-- Of two that bring the same code one is first. $1 person, $2 the code's step
UPDATE person_totp SET last_step = $2, confirmed_at = coalesce(confirmed_at, now())
 WHERE person_id = $1 AND last_step < $2 RETURNING person_id;

-- name: drop_totp
-- $1 person
WITH codes AS (DELETE FROM recovery_code WHERE person_id = $1)
DELETE FROM person_totp WHERE person_id = $1 RETURNING confirmed_at IS NOT NULL AS is_confirmed;

-- name: drop_recovery_codes
-- $1 person
DELETE FROM recovery_code WHERE person_id = $1;

-- name: add_recovery_codes
-- $1 person, $2 their hashes
INSERT INTO recovery_code (person_id, code_hash) SELECT $1, unnest($2::bytea[]);

-- name: use_recovery_code
-- $1 person, $2 its hash
DELETE FROM recovery_code WHERE person_id = $1 AND code_hash = $2 RETURNING person_id;

-- name: sealed_totps
-- Of everybody.
SELECT person_id, sealed FROM person_totp ORDER BY person_id FOR UPDATE;

-- name: put_sealed_totp
-- $1 person, $2 sealed secret
UPDATE person_totp SET sealed = $2 WHERE person_id = $1;
