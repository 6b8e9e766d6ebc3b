-- name: find_person
-- $1 e-mail in small letters
SELECT id, email, name, password_hash,
       EXISTS (SELECT FROM person_totp AS totp WHERE totp.person_id = person.id AND confirmed_at IS NOT NULL) AS has_totp
  FROM person WHERE email = $1;

-- name: ensure_person
-- The person of this address, made if there is none. $1 e-mail in small letters, $2 name
WITH made AS (INSERT INTO person (email, name) VALUES ($1, $2) ON CONFLICT (email) DO NOTHING
              RETURNING id, email, name, password_hash)
SELECT *, false AS has_totp FROM made UNION ALL
SELECT id, email, name, password_hash,
       EXISTS (SELECT FROM person_totp AS totp WHERE totp.person_id = person.id AND confirmed_at IS NOT NULL) AS has_totp
  FROM person WHERE email = $1 LIMIT 1;

-- name: set_password
-- $1 person, $2 argon2id hash
UPDATE person SET password_hash = $2 WHERE id = $1;

-- name: set_name
-- $1 person, $2 name
UPDATE person SET name = $2 WHERE id = $1;

-- name: accounts_of
-- Where somebody may sign in themselves, the oldest membership first. $1 person
SELECT member.account_id, account.name, member.role FROM member JOIN account ON account.id = member.account_id
 WHERE member.person_id = $1 AND NOT member.by_provider ORDER BY member.created_at, member.account_id;

-- name: list_members
-- $1 account, $2 after which person, $3 how many
SELECT person.id, person.email, person.name, member.role, device.driver_id, member.created_at, person.password_hash IS NOT NULL AS has_password,
       EXISTS (SELECT FROM person_totp AS totp WHERE totp.person_id = person.id AND confirmed_at IS NOT NULL) AS has_totp,
       (SELECT max(last_used_at) FROM desk_session
         WHERE desk_session.account_id = member.account_id AND desk_session.person_id = person.id) AS last_used_at
  FROM member JOIN person ON person.id = member.person_id LEFT JOIN device ON device.id = member.device_id
 WHERE member.account_id = $1 AND person.id > $2
 ORDER BY person.id LIMIT $3;

-- name: hold_members
-- One at a time changes who owns an account. $1 account
SELECT id FROM account WHERE id = $1 FOR NO KEY UPDATE;

-- name: role_of
-- $1 account, $2 person
SELECT role FROM member WHERE account_id = $1 AND person_id = $2;

-- name: other_owners
-- How many own an account beside somebody. $1 account, $2 person
SELECT count(*) FROM member WHERE account_id = $1 AND role = 'owner' AND person_id <> $2;

-- name: add_member
-- Whoever is one already keeps their role. A driver's browser is a phone of theirs whose secret nobody has. $1 account,
-- $2 person, $3 role, $4 whether only the provider said who it is, $5 the driver that they are, or null
WITH browser AS (
    INSERT INTO device (account_id, driver_id, app, ingest_token_hash)
    SELECT $1, id, 'browser', sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) FROM driver
     WHERE id = $5 AND account_id = $1 AND deleted_at IS NULL
       AND NOT EXISTS (SELECT FROM member WHERE account_id = $1 AND person_id = $2)
    RETURNING id
)
INSERT INTO member (account_id, person_id, role, by_provider, device_id)
VALUES ($1, $2, $3, $4, (SELECT id FROM browser)) ON CONFLICT DO NOTHING RETURNING role;

-- name: membership_of
-- $1 account, $2 person
SELECT member.account_id, account.name, member.role FROM member JOIN account ON account.id = member.account_id
 WHERE member.account_id = $1 AND member.person_id = $2;

-- name: is_settled
-- Whether somebody has a password, or is let in by more than a provider. $1 e-mail in small letters
SELECT EXISTS (SELECT FROM person
                WHERE email = $1
                  AND (password_hash IS NOT NULL
                       OR EXISTS (SELECT FROM member WHERE person_id = person.id AND NOT by_provider)));

-- name: set_role
-- What a driver's browser was let in by is over, and drivers are told of no alerts. $1 account, $2 person, $3 role, $4 the
-- driver that they are, or null
WITH before AS (
    SELECT device_id FROM member WHERE account_id = $1 AND person_id = $2
), shut AS (
    UPDATE device SET revoked_at = now() FROM before WHERE device.id = before.device_id AND device.revoked_at IS NULL
), told AS (
    DELETE FROM desk_push WHERE account_id = $1 AND person_id = $2 AND $3 = 'driver'
), browser AS (
    INSERT INTO device (account_id, driver_id, app, ingest_token_hash)
    SELECT $1, id, 'browser', sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) FROM driver
     WHERE id = $4 AND account_id = $1 AND deleted_at IS NULL
    RETURNING id
)
UPDATE member SET role = $3, device_id = (SELECT id FROM browser) WHERE account_id = $1 AND person_id = $2;

-- name: drop_member
-- With the sessions there, and what a driver's browser was let in by. $1 account, $2 person
WITH out AS (DELETE FROM member WHERE account_id = $1 AND person_id = $2 RETURNING device_id)
UPDATE device SET revoked_at = now() FROM out WHERE device.id = out.device_id AND device.revoked_at IS NULL;

-- name: who_drives_as
-- Who signs in as a driver. $1 driver
SELECT member.person_id FROM device JOIN member ON member.device_id = device.id WHERE device.driver_id = $1;

-- name: end_invitations_of_driver
-- $1 driver
UPDATE desk_link SET over_at = now(), mail_at = NULL WHERE driver_id = $1 AND over_at IS NULL;

-- name: drop_person
-- Who is a member nowhere any more. $1 person
DELETE FROM person WHERE id = $1 AND NOT EXISTS (SELECT FROM member WHERE person_id = $1);

-- name: person_by_id
-- $1 person
SELECT id, email, name, password_hash,
       EXISTS (SELECT FROM person_totp AS totp WHERE totp.person_id = person.id AND confirmed_at IS NOT NULL) AS has_totp
  FROM person WHERE id = $1;

-- name: all_members
-- Of every account.
SELECT person.email, person.name, account.name AS account, member.role, person.password_hash IS NOT NULL AS has_password
  FROM member JOIN person ON person.id = member.person_id JOIN account ON account.id = member.account_id
 ORDER BY account.name, person.email;
