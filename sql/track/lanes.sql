-- name: lock_lanes
-- Wait for the trackers of these lanes to finish their transaction and keep them out until ours ends. Sorted, so that
-- two callers never wait for each other. $1 class, $2 lanes
SELECT pg_advisory_xact_lock($1, lane) FROM (SELECT lane FROM unnest($2::int[]) AS lane ORDER BY lane) AS sorted;

-- name: try_lock_lanes
-- Lock those lanes that no other tracker holds. Alone and first in its transaction: the statements after it see what the
-- last holder committed. $1 class, $2 lanes
SELECT lane FROM unnest($2::int[]) AS lane WHERE pg_try_advisory_xact_lock($1, lane);
