-- name: drop_quarantined
-- Forget the oldest of what nobody could use. $1 received before, $2 at most so many
DELETE FROM quarantine
 WHERE id IN (SELECT id FROM quarantine WHERE received_at < $1 ORDER BY id LIMIT $2)
RETURNING id;

-- name: drop_detours
-- Forget the oldest detours, as the pings that they rest on are forgotten. $1 ended before, $2 at most so many
DELETE FROM detour
 WHERE ctid = ANY (ARRAY(SELECT ctid FROM detour WHERE to_at < $1 ORDER BY to_at LIMIT $2))
RETURNING route_id;

-- name: drop_checkpoints
-- Forget places to start a re-run from that no late ping can need: each driver keeps the newest one before the limit,
-- because a re-run from the limit starts there. $1 the oldest time a ping may still come from, $2 at most so many
DELETE FROM checkpoint
 WHERE ctid = ANY (ARRAY(
       SELECT old.ctid FROM checkpoint AS old
        WHERE old.folded_until < $1
          AND EXISTS (SELECT FROM checkpoint AS newer
                       WHERE newer.lane = old.lane AND newer.driver_id = old.driver_id
                         AND newer.folded_until > old.folded_until AND newer.folded_until < $1)
        LIMIT $2))
RETURNING driver_id;
