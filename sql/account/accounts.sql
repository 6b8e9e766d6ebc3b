-- name: ensure_account
-- The account of this name, made if there is none. $1 name, $2 settings of a new one
WITH made AS (
    INSERT INTO account (name, settings, working_since)
    VALUES ($1, $2, CASE WHEN $2::jsonb ->> 'location_policy' = 'working' THEN now() END)
        ON CONFLICT (name) DO NOTHING RETURNING id
)
SELECT id FROM made UNION ALL SELECT id FROM account WHERE name = $1 LIMIT 1;

-- name: account_by_id
-- $1 account
SELECT id, name, settings, created_at FROM account WHERE id = $1;

-- name: change_account_settings
-- Merge new settings over the old, and note since when only what drivers record in a shift, or at work, is kept. By the clock, not the
-- transaction: its caller may have waited for lanes. Cut to the millisecond, as `received_ms` of a ping is: rounded, it
-- would let through what comes within the same millisecond. $1 account, $2 settings, $3 the new
-- location_policy, null: it stays
UPDATE account
   SET settings = settings || $2,
       shift_only_since = CASE $3::text
                          WHEN 'shift' THEN coalesce(shift_only_since, working_since,
                                                     date_trunc('milliseconds', clock_timestamp()))
                          WHEN 'always' THEN NULL WHEN 'working' THEN NULL ELSE shift_only_since END,
       working_since = CASE $3::text
                       WHEN 'working' THEN coalesce(working_since, shift_only_since,
                                                    date_trunc('milliseconds', clock_timestamp()))
                       WHEN 'always' THEN NULL WHEN 'shift' THEN NULL ELSE working_since END
 WHERE id = $1
RETURNING id, name, settings, created_at;

-- name: instance
-- What was fixed when the database was made.
SELECT lanes, secret FROM instance;
