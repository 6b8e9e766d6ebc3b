-- name: lock_lanes
-- Wait for the trackers of these lanes to finish their transaction and keep them out until ours ends. Sorted, so that
-- two callers never wait for each other. $1 class, $2 lanes
SELECT pg_advisory_xact_lock($1, lane) FROM (SELECT lane FROM unnest($2::int[]) AS lane ORDER BY lane) AS sorted;

-- name: try_lock_lanes
-- Lock those lanes that no other tracker holds. Alone and first in its transaction: the statements after it see what the
-- last holder committed. $1 class, $2 lanes
SELECT lane FROM unnest($2::int[]) AS lane WHERE pg_try_advisory_xact_lock($1, lane);

-- name: lock_account
-- One at a time changes what all drivers of an account are folded by. $1 class, $2 account
SELECT pg_advisory_xact_lock($1, hashint8($2));

-- name: lock_lanes_of_account
-- As lock_lanes, those that drivers of an account are in, deleted ones too. $1 class, $2 account
SELECT pg_advisory_xact_lock($1, lane)
  FROM (SELECT DISTINCT lane FROM driver WHERE account_id = $2 ORDER BY lane) AS sorted;
