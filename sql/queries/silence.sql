-- name: silence_candidates
-- Drivers of locked lanes whose silence may have changed: held for heard but not heard of since long, or the other way round.
-- Only who is due is looked at. $1 lanes, $2 seconds of silence
WITH due AS MATERIALIZED (
    SELECT lane, driver_id, route_id, received_at FROM live WHERE look_at <= now()
)
SELECT track.lane, track.driver_id, track.account_id, track.silent, track.state
  FROM due JOIN track ON track.lane = due.lane AND track.driver_id = due.driver_id
 WHERE due.lane = ANY ($1::smallint[]) AND track.state IS NOT NULL
   AND track.silent <> (due.route_id IS NOT NULL AND due.received_at < now() - make_interval(secs => $2))
 ORDER BY track.driver_id;

-- name: mark_silent
-- Columns of one length: $1 lane, $2 driver, $3 whether they are silent now
UPDATE track SET silent = new.silent
  FROM unnest($1::smallint[], $2::bigint[], $3::boolean[]) AS new (lane, driver, silent)
 WHERE track.lane = new.lane AND track.driver_id = new.driver;

-- name: put_off_looks
-- Who is due and whose silence has not changed is due again when it can have: a driver who was heard once as long is over,
-- one who is silent as soon as the row of `live` is written. A row that a tracker writes now is left to the next look, so
-- that neither waits for the other. $1 seconds of silence
WITH due AS MATERIALIZED (
    SELECT lane, driver_id, route_id, received_at FROM live WHERE look_at <= now() FOR UPDATE SKIP LOCKED
), known AS (
    SELECT due.lane, due.driver_id, track.silent,
           CASE WHEN track.silent THEN 'infinity'::timestamptz WHEN due.route_id IS NULL THEN now() ELSE due.received_at END AS since
      FROM due JOIN track ON track.lane = due.lane AND track.driver_id = due.driver_id
     WHERE track.silent = (due.route_id IS NOT NULL AND due.received_at < now() - make_interval(secs => $1))
)
UPDATE live SET look_at = known.since + make_interval(secs => $1)
  FROM known WHERE live.lane = known.lane AND live.driver_id = known.driver_id;
