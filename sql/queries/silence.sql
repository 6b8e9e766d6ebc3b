-- name: silence_candidates
-- Drivers of locked lanes whose silence may have changed: held for heard but not heard of since long, or the other way round.
-- Nobody falls silent whose shift is over. $1 lanes, $2 seconds of silence, $3 seconds that a shift counts for at most where
-- nothing else is kept
SELECT track.lane, track.driver_id, track.account_id, track.silent, track.state
  FROM track JOIN live ON live.lane = track.lane AND live.driver_id = track.driver_id
  JOIN account ON account.id = track.account_id
 WHERE track.lane = ANY ($1::smallint[]) AND track.state IS NOT NULL
   AND track.silent <> (live.route_id IS NOT NULL AND live.received_at < now() - make_interval(secs => $2))
   AND (track.silent OR coalesce(
       (SELECT type = 'shift_started'
               AND (account.shift_only_since IS NULL OR occurred_at > now() - make_interval(secs => $3))
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
