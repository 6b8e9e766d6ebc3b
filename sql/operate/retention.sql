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

-- name: stops_to_forget
-- Stops of which nothing was said since a time and no proof is kept, oldest words first. $1 since when, $2 at most so many
SELECT DISTINCT stop_id
  FROM (SELECT old.stop_id FROM driver_event AS old
         WHERE old.occurred_at < $1 AND old.stop_id IS NOT NULL
           AND NOT EXISTS (SELECT FROM driver_event AS newer
                            WHERE newer.stop_id = old.stop_id AND newer.occurred_at >= $1)
           AND NOT EXISTS (SELECT FROM proof WHERE proof.stop_id = old.stop_id AND proof.stored_at IS NOT NULL)
         ORDER BY old.occurred_at LIMIT $2) AS words
 ORDER BY stop_id;

-- name: drop_words_of_stops
-- Forget all that was said of stops, of each at once: what becomes of a stop follows from all of it. Not of one of which
-- something was said meanwhile. $1 stops, $2 since when nothing was said
DELETE FROM driver_event AS old
 WHERE stop_id = ANY ($1::bigint[])
   AND NOT EXISTS (SELECT FROM driver_event AS newer WHERE newer.stop_id = old.stop_id AND newer.occurred_at >= $2)
RETURNING stop_id;

-- name: drop_unproven
-- Forget proofs that were named and never came. $1 stops
DELETE FROM proof
 WHERE stop_id = ANY ($1::bigint[]) AND state = 'pending'
   AND NOT EXISTS (SELECT FROM upload WHERE upload.driver_id = proof.driver_id AND upload.id = proof.upload_id
                                        AND upload.finished_at IS NULL AND upload.ended_at IS NULL);

-- name: drop_other_words
-- Forget what drivers said of no stop: shifts, breaks, starts of routes, notes. The last word in force before the limit
-- stays of each: what is said next is judged by it. $1 occurred before, $2 at most so many
DELETE FROM driver_event
 WHERE ctid = ANY (ARRAY(
       SELECT old.ctid FROM driver_event AS old
        WHERE old.occurred_at < $1 AND old.stop_id IS NULL
          AND (NOT old.effective OR old.type = 'note' OR old.id <> (
               SELECT id FROM driver_event AS last
                WHERE last.driver_id = old.driver_id AND last.occurred_at < $1 AND last.effective
                  AND last.type = ANY (CASE WHEN old.type IN ('shift_started', 'shift_ended')
                                            THEN ARRAY['shift_started', 'shift_ended']
                                            WHEN old.type IN ('break_started', 'break_ended')
                                            THEN ARRAY['break_started', 'break_ended', 'shift_ended']
                                            ELSE ARRAY[old.type] END)
                ORDER BY last.occurred_at DESC, last.id DESC LIMIT 1))
        ORDER BY old.occurred_at LIMIT $2))
RETURNING id;
