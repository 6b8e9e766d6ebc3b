-- name: put_told
-- Remember what was told of stops; only the first of each bucket stays. Columns of one length: $1 route, $2 stop, $3 bucket,
-- $4 account, $5 driver, $6 as of ms, $7 expected ms, $8 low ms, $9 high ms, $10 planned ms or null, $11 delay_s or null,
-- $12 spread_s, $13 on the route, $14 paced_s or null, $15 whether the van waits for its start
INSERT INTO eta_told (route_id, stop_id, bucket, account_id, driver_id, as_of, expected, low, high, planned, delay_s,
                      spread_s, on_route, paced_s, waits)
SELECT route, stop, bucket, account, driver, from_ms(as_of), from_ms(expected), from_ms(low), from_ms(high),
       from_ms(planned), delay, spread, on_route, paced, waits
  FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
              $8::bigint[], $9::bigint[], $10::bigint[], $11::real[], $12::float8[], $13::boolean[], $14::real[],
              $15::boolean[])
    AS new (route, stop, bucket, account, driver, as_of, expected, low, high, planned, delay, spread, on_route, paced,
            waits)
 ORDER BY stop, bucket
    ON CONFLICT (stop_id, bucket) DO NOTHING;

-- name: settle_told
-- Say of what was told of stops what came true: the first arrival after it. The caller holds the stops. $1 stops
UPDATE eta_told AS told
   SET came_at = true_at.arrived_at
  FROM (SELECT said.stop_id, said.bucket, min(visit.arrived_at) AS arrived_at
          FROM eta_told AS said LEFT JOIN visit ON visit.stop_id = said.stop_id AND visit.arrived_at > said.as_of
         WHERE said.stop_id = ANY ($1::bigint[]) GROUP BY said.stop_id, said.bucket) AS true_at
 WHERE told.stop_id = true_at.stop_id AND told.bucket = true_at.bucket AND told.came_at IS DISTINCT FROM true_at.arrived_at;

-- name: accuracy
-- How well arrivals were told, by bucket of the lead (null: all of them) and by who says it: our ETAs, the timetable, the timetable and the
-- delay then. Errors in seconds, positive when the van came sooner; the score is the interval score of an 80 % window
-- (Gneiting and Raftery 2007), as in geo/eta/score.py.
-- $1 account, $2 from and $3 until when it was told, $4 driver or null, $5 route or null
SELECT told.bucket, said.source, count(*) AS n, avg(abs(said.error_s)) AS mae_s,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(said.error_s)) AS median_s,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY abs(said.error_s)) AS p90_s, avg(said.error_s) AS bias_s,
       avg(CASE WHEN told.came_at BETWEEN told.low AND told.high THEN 1.0::float8 ELSE 0 END)
           FILTER (WHERE said.source = 'eta') AS coverage,
       avg(width.s) FILTER (WHERE said.source = 'eta') AS width_s,
       avg(width.s + 10 * greatest(extract(epoch FROM told.low - told.came_at)::float8,
                                   extract(epoch FROM told.came_at - told.high)::float8, 0))
           FILTER (WHERE said.source = 'eta') AS score_s
  FROM eta_told AS told
 CROSS JOIN LATERAL (SELECT extract(epoch FROM told.high - told.low)::float8 AS s) AS width
 CROSS JOIN LATERAL (
       VALUES ('eta', extract(epoch FROM told.expected - told.came_at)::float8),
              ('timetable', extract(epoch FROM told.planned - told.came_at)::float8),
              ('timetable_and_delay', extract(epoch FROM told.planned - told.came_at)::float8 + told.delay_s)
       ) AS said (source, error_s)
 WHERE told.account_id = $1 AND told.as_of >= $2 AND told.as_of < $3 AND told.came_at IS NOT NULL
   AND ($4::bigint IS NULL OR told.driver_id = $4) AND ($5::bigint IS NULL OR told.route_id = $5)
   AND said.error_s IS NOT NULL
 GROUP BY GROUPING SETS ((told.bucket, said.source), (said.source))
 ORDER BY told.bucket NULLS LAST, said.source;

-- name: accounts_to_learn_told
-- Accounts with ETAs that came true and that windows did not learn from yet, as pop_told. $1 seconds since then, $2 how many
SELECT DISTINCT account_id FROM eta_told
 WHERE came_at IS NOT NULL AND learned_at IS NULL AND came_at < now() - make_interval(secs => $1) AND high < now()
 LIMIT $2;

-- name: pop_told
-- Mark ETAs as learned from and give them. One that a tracker is just correcting waits for the next time, and one whose
-- window still lasts until it is over: before, only those who come early would be heard.
-- $1 account, $2 seconds since it came true, $3 how many
UPDATE eta_told AS told SET learned_at = now()
  FROM (SELECT stop_id, bucket FROM eta_told
         WHERE account_id = $1 AND came_at IS NOT NULL AND learned_at IS NULL AND came_at < now() - make_interval(secs => $2)
           AND high < now()
         ORDER BY came_at LIMIT $3 FOR UPDATE SKIP LOCKED) AS mine
 WHERE told.stop_id = mine.stop_id AND told.bucket = mine.bucket
RETURNING told.route_id, told.on_route, told.spread_s, told.paced_s, told.waits, to_ms(told.came_at) AS came_ms,
          extract(epoch FROM told.came_at - told.planned)::float8 AS late_s,
          extract(epoch FROM told.expected - told.as_of)::float8 AS lead_s,
          extract(epoch FROM told.came_at - told.expected)::float8 AS error_s;

-- name: drop_told
-- Forget the oldest of what was told. $1 before, $2 at most so many
DELETE FROM eta_told WHERE ctid = ANY (ARRAY(SELECT ctid FROM eta_told WHERE as_of < $1 ORDER BY as_of LIMIT $2))
RETURNING stop_id;
