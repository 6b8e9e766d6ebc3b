-- name: alive
-- Does the database answer?
SELECT true;

-- name: inbox_depth
-- Pings that wait to be tracked, and when the oldest came. Counted over at most $1 blocks, so that looking is cheap just when
-- there is much; blocks are read lane by lane, so beyond that many both are lower bounds. $1 how many blocks
SELECT coalesce(sum(pings), 0) AS pings, min(received_at) AS oldest
  FROM (SELECT pings, received_at FROM inbox LIMIT $1) AS first;

-- name: unsettled
-- Tracks whose fold has not come to their newest ping, and the longest stretch of time that waits, at most a day.
-- $1 how many tracks are counted at most
SELECT count(*) AS tracks,
       max(CASE WHEN isfinite(head_at)
                THEN extract(epoch FROM head_at - greatest(least(folded_until, rerun_from), head_at - interval '1 day'))
           END)::float8 AS stretch_s
  FROM (SELECT folded_until, head_at, rerun_from FROM track
         WHERE unsettled LIMIT $1) AS first;
