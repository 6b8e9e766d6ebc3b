-- name: add_passkey
-- None where somebody has this credential already. $1 person, $2 credential, $3 public key, $4 sign count, $5 name
INSERT INTO passkey (person_id, credential_id, public_key, sign_count, name) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (credential_id) DO NOTHING
RETURNING id, name, created_at, last_used_at;

-- name: list_passkeys
-- $1 person
SELECT id, name, created_at, last_used_at FROM passkey WHERE person_id = $1 ORDER BY id;

-- name: credentials_of
-- $1 person
SELECT credential_id FROM passkey WHERE person_id = $1 ORDER BY id;

-- name: find_passkey
-- $1 credential
SELECT id, person_id, public_key, sign_count FROM passkey WHERE credential_id = $1;

-- name: use_passkey
-- Of two answers with one count only one gets in, where the authenticator counts. $1 passkey, $2 count so far, $3 count now
UPDATE passkey SET sign_count = $3, last_used_at = now() WHERE id = $1 AND sign_count = $2 RETURNING id;

-- name: drop_passkey
-- $1 person, $2 passkey
DELETE FROM passkey WHERE person_id = $1 AND id = $2 RETURNING name;
