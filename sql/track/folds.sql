-- name: plan_changed
-- Tell the tracker that a driver's plan is another one from a time on: fold again what was folded past it.
-- The caller holds the driver's lane. $1 lane, $2 driver, $3 account, $4 from when the new plan is in force
INSERT INTO track (lane, driver_id, account_id, plan_version) VALUES ($1, $2, $3, 1)
    ON CONFLICT (lane, driver_id) DO UPDATE
   SET plan_version = track.plan_version + 1,
       version = track.version + 1,
       rerun_from = CASE WHEN track.folded_until >= $4 THEN least(track.rerun_from, $4) ELSE track.rerun_from END;

-- name: claims_changed
-- Tell the tracker that what a driver said is another thing from a time on: fold again what was folded past it, and fold
-- as far as the last of it, though no ping may come. The caller holds the driver's lane.
-- $1 lane, $2 driver, $3 account, $4 and $5 when the first and the last claim that changed happened
INSERT INTO track (lane, driver_id, account_id, plan_version, head_at) VALUES ($1, $2, $3, 1, $5)
    ON CONFLICT (lane, driver_id) DO UPDATE
   SET plan_version = track.plan_version + 1,
       version = track.version + 1,
       rerun_from = CASE WHEN track.folded_until >= $4 THEN least(track.rerun_from, $4) ELSE track.rerun_from END,
       head_at = greatest(track.head_at, $5);

-- name: fences_changed
-- Tell the tracker that an account's geofences changed; drivers folded past that time (a phone's clock ahead) fold again.
-- The caller holds the account's lanes. $1 account, $2 from when
WITH raised AS (
    UPDATE account SET fences_version = fences_version + 1 WHERE id = $1
)
UPDATE track SET version = version + 1, rerun_from = least(rerun_from, $2)
 WHERE account_id = $1 AND folded_until >= $2;

-- name: ensure_tracks
-- Columns of one length: $1 lane, $2 driver
INSERT INTO track (lane, driver_id, account_id)
SELECT asked.lane, driver.id, driver.account_id
  FROM unnest($1::smallint[], $2::bigint[]) AS asked (lane, driver) JOIN driver ON driver.id = asked.driver
    ON CONFLICT DO NOTHING;

-- name: drivers_behind
-- Drivers of locked lanes whose fold has not come to its head, those waiting longest first. One who must wait for a re-run
-- folds on meanwhile. $1 lanes, $2 seconds between two re-runs, $3 how many
SELECT driver_id, lane FROM track
 WHERE lane = ANY ($1::smallint[]) AND unsettled
   AND (folded_until < head_at OR rerun_at < now() - make_interval(secs => $2))
 ORDER BY rerun_at LIMIT $3;

-- name: read_tracks
-- The tracks of some drivers; the state only where it is not the version the caller has. Each by its own lane: a driver
-- looked for in all lanes of a take is looked for as many times.
-- Columns of one length, as array text (sql/arrays.py): $1 lane, $2 driver, $3 version that the caller has; $4 seconds between
-- two re-runs
SELECT track.lane, track.driver_id, track.account_id, track.version, track.plan_version, account.fences_version,
       to_ms(folded_until) AS folded_ms, to_ms(head_at) AS head_ms, to_ms(stored_until) AS stored_ms,
       to_ms(rerun_from) AS rerun_from_ms, rerun_at < now() - make_interval(secs => $4) AS may_rerun, unmarked,
       to_ms(coalesce(account.shift_only_since, account.working_since, 'infinity')) AS shift_only_ms,
       to_ms(coalesce(track.shifts_from, 'infinity')) AS shifts_from_ms,
       CASE WHEN track.version <> asked.version THEN state END AS state
  FROM unnest($1::text::smallint[], $2::text::bigint[], $3::text::bigint[]) AS asked (lane, driver, version)
  JOIN track ON track.lane = asked.lane AND track.driver_id = asked.driver
  JOIN account ON account.id = track.account_id
 ORDER BY track.driver_id;

-- name: write_tracks
-- Move tracks on; a track that is not at the version it was read at is left alone and not given back. A take has judged
-- what changes of shifts asked for.
-- Columns of one length, all but $4 as array text (sql/arrays.py): $1 lane, $2 driver, $3 version it was read at, $4 state,
-- $5 folded until, $6 head, $7 stored until, $8 re-run asked from or null, $9 whether a re-run began now, $10 pings since the
-- last checkpoint
UPDATE track
   SET version = track.version + 1, state = new.state, folded_until = from_ms(new.folded), head_at = from_ms(new.head),
       stored_until = from_ms(new.stored), rerun_from = from_ms(new.rerun_from),
       rerun_at = CASE WHEN new.began THEN now() ELSE track.rerun_at END, unmarked = new.unmarked,
       shifts_from = NULL
  FROM unnest($1::text::smallint[], $2::text::bigint[], $3::text::bigint[], $4::bytea[], $5::text::bigint[],
              $6::text::bigint[], $7::text::bigint[], $8::text::bigint[], $9::text::boolean[], $10::text::int[])
    AS new (lane, driver, version, state, folded, head, stored, rerun_from, began, unmarked)
 WHERE track.lane = new.lane AND track.driver_id = new.driver AND track.version = new.version
RETURNING track.driver_id;

-- name: checkpoints_before
-- For each driver the newest checkpoint strictly before a time; drivers without one are not given back.
-- Columns of one length: $1 lane, $2 driver, $3 ms
SELECT at.driver AS driver_id, newest.state
  FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS at (lane, driver, ms),
LATERAL (SELECT state FROM checkpoint
          WHERE checkpoint.lane = at.lane AND checkpoint.driver_id = at.driver AND folded_until < from_ms(at.ms)
          ORDER BY folded_until DESC LIMIT 1) AS newest;

-- name: drop_checkpoints_from
-- Checkpoints at or after a time rest on a history that is folded again. Columns of one length: $1 lane, $2 driver, $3 ms
DELETE FROM checkpoint USING unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS at (lane, driver, ms)
 WHERE checkpoint.lane = at.lane AND checkpoint.driver_id = at.driver AND checkpoint.folded_until >= from_ms(at.ms);

-- name: put_checkpoints
-- Columns of one length: $1 lane, $2 driver, $3 ms, $4 state
INSERT INTO checkpoint (lane, driver_id, folded_until, state)
SELECT lane, driver, from_ms(ms), state FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bytea[])
    AS new (lane, driver, ms, state)
    ON CONFLICT (lane, driver_id, folded_until) DO UPDATE SET state = excluded.state;
