-- name: plan_once
-- Every statement of a tracker gets its values as columns and finds its rows by key, so one plan is right for all values;
-- to plan for each anew costs more than to run it, since `ping` has a partition for every day. By key however small a table
-- looks when that plan is made: `inbox` is mostly counted when it is empty, and its dead rows were read for each lane and
-- turn; `track` and `live` have no statistics in the first minute of a fleet, or of a restored database.
SELECT set_config('plan_cache_mode', 'force_generic_plan', false), set_config('enable_seqscan', 'off', false);

-- name: waiting_lanes
-- Lanes with something to do: blocks, or a track to fold on. $1 lanes, $2 highest block id long taken in each (a hint
-- that keeps the search off dead rows), both as array text (sql/arrays.py), $3 seconds between two re-runs of a driver; those
-- that were tried $4 times in vain wait for $5 seconds
SELECT asked.lane
  FROM unnest($1::text::int[], $2::text::bigint[]) AS asked (lane, after)
 WHERE (EXISTS (SELECT FROM inbox WHERE inbox.lane = asked.lane AND inbox.id > asked.after)
        OR EXISTS (SELECT FROM track
                    WHERE track.lane = asked.lane AND track.unsettled
                      AND (track.folded_until < track.head_at OR track.rerun_at < now() - make_interval(secs => $3))))
   AND NOT EXISTS (SELECT FROM lane_attempt AS tried
                    WHERE tried.lane = asked.lane AND tried.attempts >= $4
                      AND tried.tried_at > now() - make_interval(secs => $5));

-- name: suspect_lanes
-- Those of some lanes that were tried so often without a commit. $1 lanes, $2 attempts
SELECT lane FROM lane_attempt WHERE lane = ANY ($1::smallint[]) AND attempts >= $2;

-- name: count_attempts
-- Remember, outside the transaction of the take, that these lanes are being taken. $1 lanes
INSERT INTO lane_attempt (lane, attempts) SELECT lane, 1 FROM unnest($1::int[]) AS lane
    ON CONFLICT (lane) DO UPDATE SET attempts = lane_attempt.attempts + 1, tried_at = excluded.tried_at
RETURNING lane, attempts;

-- name: forget_attempts
-- The take of these lanes commits. $1 lanes
UPDATE lane_attempt SET attempts = 0 WHERE lane = ANY ($1::smallint[]);

-- name: take_back_attempts
-- What ended a take of these lanes was no block of theirs. $1 lanes
UPDATE lane_attempt SET attempts = greatest(attempts - 1, 0) WHERE lane = ANY ($1::smallint[]);

-- name: pop_blocks
-- Take the oldest blocks of locked lanes, in order, until they hold enough pings. By ctid: a join on (lane, id) reads
-- its way through dead rows. $1 lanes, $2 highest block id long taken in each, both as array text (sql/arrays.py), $3 pings
-- wanted of each lane, $4 most blocks of each lane
DELETE FROM inbox
 WHERE ctid = ANY (ARRAY(
       SELECT oldest.place
         FROM unnest($1::text::int[], $2::text::bigint[]) AS held (lane, after),
      LATERAL (SELECT ctid AS place, sum(inbox.pings) OVER (ORDER BY inbox.id) - inbox.pings AS before
                 FROM inbox WHERE inbox.lane = held.lane AND inbox.id > held.after
                ORDER BY inbox.id LIMIT $4) AS oldest
        WHERE oldest.before < $3))
RETURNING lane, id, received_at, body;
