-- name: silence_candidates
-- Drivers of locked lanes whose silence may have changed: held for heard but not heard of since long, or the other way round.
-- $1 lanes, $2 seconds of silence
SELECT track.lane, track.driver_id, track.account_id, track.silent, track.state
  FROM track JOIN live ON live.lane = track.lane AND live.driver_id = track.driver_id
 WHERE track.lane = ANY ($1::smallint[]) AND track.state IS NOT NULL
   AND track.silent <> (live.route_id IS NOT NULL AND live.received_at < now() - make_interval(secs => $2))
 ORDER BY track.driver_id;

-- name: mark_silent
-- Columns of one length: $1 lane, $2 driver, $3 whether they are silent now
UPDATE track SET silent = new.silent
  FROM unnest($1::smallint[], $2::bigint[], $3::boolean[]) AS new (lane, driver, silent)
 WHERE track.lane = new.lane AND track.driver_id = new.driver;
