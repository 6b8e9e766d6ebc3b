-- name: reruns_under_way
-- Re-runs that did not come to their goal in one take, of some drivers. Columns of one length: $1 lane, $2 driver
SELECT rerun.driver_id, to_ms(min(rerun.after_at)) AS after_ms, to_ms(max(rerun.goal_at)) AS goal_ms, count(*) AS parts,
       track.rerun_at = '-infinity' AS at_once
  FROM unnest($1::smallint[], $2::bigint[]) AS asked (lane, driver)
  JOIN rerun ON rerun.lane = asked.lane AND rerun.driver_id = asked.driver
  JOIN track ON track.lane = asked.lane AND track.driver_id = asked.driver
 GROUP BY rerun.driver_id, track.rerun_at;

-- name: put_reruns
-- Columns of one length: $1 lane, $2 driver, $3 after ms, $4 goal ms, $5 what happened
INSERT INTO rerun (lane, driver_id, after_at, goal_at, happened)
SELECT lane, driver, from_ms(after), from_ms(goal), happened
  FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[])
    AS new (lane, driver, after, goal, happened);

-- name: pop_reruns
-- What happened in the re-runs of some drivers until now, which nobody needs to keep any more.
-- Columns of one length: $1 lane, $2 driver
WITH gone AS (
    DELETE FROM rerun USING unnest($1::smallint[], $2::bigint[]) AS asked (lane, driver)
     WHERE rerun.lane = asked.lane AND rerun.driver_id = asked.driver
    RETURNING rerun.driver_id, rerun.id, rerun.happened
)
SELECT driver_id, happened FROM gone ORDER BY driver_id, id;

-- name: drop_reruns_from
-- What is folded again once more. Columns of one length: $1 lane, $2 driver, $3 ms
DELETE FROM rerun USING unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS at (lane, driver, ms)
 WHERE rerun.lane = at.lane AND rerun.driver_id = at.driver AND rerun.after_at >= from_ms(at.ms);
