-- name: read_horizon
-- How far a class of data has been forgotten, and what time it is for the database: now() stands still in a transaction.
-- $1 class
SELECT clock_timestamp() AS now, ran_at, horizon, confirmed, held_since, held_why
  FROM (VALUES ($1)) AS asked (class) LEFT JOIN retention USING (class);

-- name: put_horizon
-- $1 class, $2 when, $3 what is older goes
INSERT INTO retention (class, ran_at, horizon) VALUES ($1, $2, $3)
    ON CONFLICT (class) DO UPDATE
   SET ran_at = excluded.ran_at, horizon = excluded.horizon, held_since = NULL, held_why = NULL;

-- name: hold
-- Nothing of a class goes now. True when that is new, or why is. $1 class, $2 when, $3 why
INSERT INTO retention AS known (class, held_since, held_why) VALUES ($1, $2, $3)
    ON CONFLICT (class) DO UPDATE
   SET held_since = coalesce(known.held_since, excluded.held_since), held_why = excluded.held_why
 WHERE known.held_why IS DISTINCT FROM excluded.held_why
RETURNING true;

-- name: confirm
-- Somebody wants it so. $1 class, $2 what is older may go
INSERT INTO retention (class, confirmed) VALUES ($1, $2)
    ON CONFLICT (class) DO UPDATE SET confirmed = excluded.confirmed;

-- name: read_clock
-- What time it is for the database.
SELECT clock_timestamp();
