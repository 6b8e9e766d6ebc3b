-- name: try_hold_silence
-- One tracker at a time looks for silence; false when another one is at it. $1 lock
SELECT pg_try_advisory_xact_lock($1);

-- name: silence_candidates
-- Drivers of locked lanes whose silence may have changed: held for heard but not heard of since long, or the other way round.
-- A message without a place is heard, too.
-- Only who is due is looked at. Nobody falls silent whose shift is over. $1 lanes, $2 now, $3 seconds of silence, $4 seconds
-- that a shift counts for at most where nothing else is kept
WITH due AS MATERIALIZED (
    SELECT lane, driver_id, route_id, greatest(live.received_at, beat.received_at) AS heard_at
      FROM live LEFT JOIN heartbeat AS beat USING (lane, driver_id)
     WHERE look_at <= $2
)
SELECT track.lane, track.driver_id, track.account_id, track.silent, track.state, to_ms(due.heard_at) AS heard_ms
  FROM due JOIN track ON track.lane = due.lane AND track.driver_id = due.driver_id
  JOIN account ON account.id = track.account_id
 WHERE due.lane = ANY ($1::smallint[]) AND track.state IS NOT NULL
   AND track.silent <> (due.route_id IS NOT NULL AND due.heard_at < $2::timestamptz - make_interval(secs => $3))
   AND (track.silent OR coalesce(
       (SELECT type = 'shift_started'
               AND (account.shift_only_since IS NULL OR occurred_at > $2::timestamptz - make_interval(secs => $4))
          FROM driver_event
         WHERE driver_id = track.driver_id AND type IN ('shift_started', 'shift_ended') AND effective
         ORDER BY occurred_at DESC, id DESC LIMIT 1),
       account.shift_only_since IS NULL))
 ORDER BY track.driver_id;

-- name: mark_silent
-- Columns of one length: $1 lane, $2 driver, $3 whether they are silent now
UPDATE track SET silent = new.silent
  FROM unnest($1::smallint[], $2::bigint[], $3::boolean[]) AS new (lane, driver, silent)
 WHERE track.lane = new.lane AND track.driver_id = new.driver;

-- name: put_off_looks
-- Whoever is due but for those drivers is due again when their silence can have changed: one who is silent as soon as the
-- row of `live` is written, one who may not fall silent now in as long as silence takes. In the transaction that found
-- those drivers, so that both rest on one moment. A row that a tracker writes now is left to the next look: neither waits
-- for the other. $1 drivers, $2 now, $3 seconds of silence
WITH due AS MATERIALIZED (
    SELECT lane, driver_id, route_id, greatest(live.received_at, beat.received_at) AS heard_at
      FROM live LEFT JOIN heartbeat AS beat USING (lane, driver_id)
     WHERE look_at <= $2 FOR UPDATE OF live SKIP LOCKED
), known AS (
    SELECT due.lane, due.driver_id,
           CASE WHEN track.silent THEN 'infinity' WHEN due.route_id IS NULL OR due.heard_at < $2::timestamptz - make_interval(secs => $3) THEN $2::timestamptz
                ELSE due.heard_at END AS since
      FROM due JOIN track ON track.lane = due.lane AND track.driver_id = due.driver_id
     WHERE due.driver_id <> ALL ($1::bigint[])
)
UPDATE live SET look_at = known.since + make_interval(secs => $3)
  FROM known WHERE live.lane = known.lane AND live.driver_id = known.driver_id;
