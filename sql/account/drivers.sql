-- name: create_driver
-- Nothing when the account has a driver of this external id. The lane never changes after.
-- $1 account, $2 external id, $3 name, $4 phone or null, $5 locale or null
WITH next AS MATERIALIZED (SELECT nextval(pg_get_serial_sequence('driver', 'id')) AS id)
INSERT INTO driver (id, account_id, lane, external_id, name, phone, locale)
SELECT next.id, $1, next.id % instance.lanes, $2, $3, $4, $5 FROM next, instance
    ON CONFLICT (account_id, external_id) WHERE deleted_at IS NULL DO NOTHING
RETURNING id, account_id, lane, external_id, name, phone, locale, created_at;

-- name: find_driver
-- By either id. $1 account, $2 id or null, $3 external id or null
SELECT id, account_id, lane, external_id, name, phone, locale, created_at FROM driver
 WHERE account_id = $1 AND deleted_at IS NULL AND (id = $2 OR external_id = $3);

-- name: find_any_driver
-- By either id, those that were deleted too: of several of an external id the one that is there, else the last.
-- $1 account, $2 id or null, $3 external id or null
SELECT id FROM driver WHERE account_id = $1 AND (id = $2 OR external_id = $3)
 ORDER BY deleted_at IS NOT NULL, id DESC LIMIT 1;

-- name: list_drivers
-- A page of an account's drivers. $1 account, $2 after this id, $3 how many
SELECT id, account_id, lane, external_id, name, phone, locale, created_at FROM driver
 WHERE account_id = $1 AND deleted_at IS NULL AND id > $2 ORDER BY id LIMIT $3;

-- name: change_driver
-- What is not named stays. $1 driver, $2 object of what to change: name, phone, locale; the last two may be null
UPDATE driver
   SET name = coalesce($2::jsonb ->> 'name', name),
       phone = CASE WHEN $2 ? 'phone' THEN $2 ->> 'phone' ELSE phone END,
       locale = CASE WHEN $2 ? 'locale' THEN $2 ->> 'locale' ELSE locale END
 WHERE id = $1 AND deleted_at IS NULL
RETURNING id, account_id, lane, external_id, name, phone, locale, created_at;

-- name: delete_driver
-- The row stays: pings and visits name it. $1 driver
UPDATE driver SET deleted_at = now() WHERE id = $1;
