-- name: messages
-- What was sent to recipients of tours, and what it cost; parts and price of those that left. Countries follow from how an
-- address begins. $1 account, $2 from and $3 before which start of tours, $4 first and $5 last day or nulls, $6 driver or
-- null, $7 depot or null
WITH tour AS (
    SELECT id, date AS day FROM route
     WHERE account_id = $1 AND start_at >= $2 AND start_at < $3 AND deleted_at IS NULL
       AND ($4::date IS NULL OR date BETWEEN $4 AND $5::date) AND ($7::text IS NULL OR depot_name = $7)
       AND ($6::bigint IS NULL OR driver_id = $6)
), one AS (
    SELECT tour.day, message.channel, message.kind, message.state, message.parts, message.price,
           message.state IN ('sent', 'delivered', 'read') AS has_left,
           CASE WHEN message.address LIKE '+%' THEN left(message.address, 5) END AS begins
      FROM tour JOIN message ON message.route_id = tour.id
)
SELECT CASE grouping(day, channel, kind, begins) WHEN 15 THEN 'all' WHEN 7 THEN 'day' WHEN 11 THEN 'channel' WHEN 13 THEN 'kind'
            ELSE 'country' END AS by,
       coalesce(day::text, channel, kind, begins) AS of, NULL AS name, count(*) AS messages,
       count(*) FILTER (WHERE has_left) AS sent,
       count(*) FILTER (WHERE state IN ('delivered', 'read')) AS delivered, count(*) FILTER (WHERE state = 'read') AS read,
       count(*) FILTER (WHERE state = 'failed') AS failed, count(*) FILTER (WHERE state = 'suppressed') AS suppressed,
       count(*) FILTER (WHERE state = 'expired') AS expired,
       count(*) FILTER (WHERE state IN ('held', 'queued')) AS waiting,
       coalesce(sum(parts) FILTER (WHERE has_left), 0)::bigint AS parts, count(price) FILTER (WHERE has_left) AS priced,
       coalesce(sum(price) FILTER (WHERE has_left), 0)::float8 AS price
  FROM one GROUP BY GROUPING SETS ((), (day), (channel), (kind), (begins))
 ORDER BY grouping(day, channel, kind, begins) = 15 DESC, grouping(day, channel, kind, begins), day, channel, kind, begins;

-- name: ratings
-- What recipients thought of what was done. $1 to $7 as in messages
WITH tour AS (
    SELECT id, date AS day, driver_id FROM route
     WHERE account_id = $1 AND start_at >= $2 AND start_at < $3 AND deleted_at IS NULL
       AND ($4::date IS NULL OR date BETWEEN $4 AND $5::date) AND ($7::text IS NULL OR depot_name = $7)
), one AS (
    SELECT tour.day, coalesce(rating.driver_id, tour.driver_id) AS driver_id, rating.stars, rating.reasons,
           (stop.status IN ('completed', 'partially_completed'))::int AS done
      FROM tour JOIN stop ON stop.route_id = tour.id LEFT JOIN rating ON rating.stop_id = stop.id
     WHERE stop.kind NOT IN ('depot', 'break')
), asked AS (
    SELECT * FROM one WHERE $6::bigint IS NULL OR driver_id = $6
), every AS (
    SELECT day, driver_id, NULL AS reason, stars, done, false AS is_reason FROM asked
     UNION ALL
    SELECT NULL, NULL, reason, stars, NULL, true FROM asked CROSS JOIN LATERAL unnest(reasons) AS reason
), counted AS (
    SELECT CASE WHEN is_reason THEN 4 ELSE grouping(day, driver_id) END AS level, day, driver_id, reason,
           sum(done)::bigint AS done, count(stars) AS n, round(avg(stars), 2)::float8 AS mean,
           count(*) FILTER (WHERE stars = 1) AS stars_1, count(*) FILTER (WHERE stars = 2) AS stars_2,
           count(*) FILTER (WHERE stars = 3) AS stars_3, count(*) FILTER (WHERE stars = 4) AS stars_4,
           count(*) FILTER (WHERE stars = 5) AS stars_5
      FROM every GROUP BY GROUPING SETS ((is_reason), (is_reason, day), (is_reason, driver_id), (is_reason, reason))
    HAVING CASE WHEN is_reason THEN grouping(reason) = 0 ELSE grouping(reason) = 1 END
)
SELECT CASE level WHEN 3 THEN 'all' WHEN 1 THEN 'day' WHEN 2 THEN 'driver' ELSE 'reason' END AS by,
       coalesce(day::text, driver_id::text, reason) AS of, nullif(driver.name, '') AS name,
       done, n, mean, stars_1, stars_2, stars_3, stars_4, stars_5
  FROM counted LEFT JOIN driver ON driver.id = counted.driver_id
 ORDER BY level = 3 DESC, level, day, driver_id, n DESC, reason;

-- name: cash
-- What was to be collected and what drivers say they took, each currency by itself. What was left on a cancelled tour is due once, where
-- its order went on. $1 to $7 as in messages
WITH tour AS (
    SELECT id, date AS day, driver_id, status FROM route
     WHERE account_id = $1 AND start_at >= $2 AND start_at < $3 AND deleted_at IS NULL
       AND ($4::date IS NULL OR date BETWEEN $4 AND $5::date) AND ($7::text IS NULL OR depot_name = $7)
), one AS (
    SELECT tour.day, coalesce(word.driver_id, tour.driver_id) AS driver_id,
           coalesce(word.cash ->> 'currency', stop.cash_currency) AS currency,
           stop.status IN ('completed', 'partially_completed') AS is_done,
           coalesce((word.cash ->> 'due')::numeric, stop.cash_amount, 0) AS due, (word.cash ->> 'amount')::numeric AS taken
      FROM tour JOIN stop ON stop.route_id = tour.id
      LEFT JOIN LATERAL (
           SELECT driver_id, outcome -> 'cash' AS cash FROM driver_event AS event
            WHERE event.stop_id = stop.id AND event.effective AND event.type = stop.status
              AND event.type IN ('completed', 'partially_completed')
            ORDER BY event.occurred_at DESC, event.id DESC LIMIT 1) AS word ON true
     WHERE (stop.cash_amount IS NOT NULL OR word.cash IS NOT NULL)
       AND (stop.removed_at IS NULL OR stop.outcome_at IS NOT NULL)
       AND NOT (tour.status = 'cancelled' AND stop.outcome_at IS NULL
                AND EXISTS (SELECT FROM order_now AS now_on
                             WHERE now_on.account_id = $1 AND now_on.external_id = stop.external_id AND now_on.stop_id <> stop.id))
), counted AS (
    SELECT grouping(day, driver_id) AS level, day, driver_id, currency, count(*) FILTER (WHERE due > 0) AS stops,
           coalesce(sum(due), 0)::float8 AS due,
           count(*) FILTER (WHERE due > 0 AND NOT is_done) AS not_done,
           coalesce(sum(due) FILTER (WHERE NOT is_done), 0)::float8 AS not_done_due,
           count(*) FILTER (WHERE is_done AND taken IS NULL) AS not_said,
           coalesce(sum(due) FILTER (WHERE is_done AND taken IS NULL), 0)::float8 AS not_said_due,
           count(taken) AS n, coalesce(sum(due) FILTER (WHERE taken IS NOT NULL), 0)::float8 AS expected,
           coalesce(sum(taken), 0)::float8 AS taken,
           coalesce(sum(taken - due) FILTER (WHERE taken IS NOT NULL), 0)::float8 AS difference
      FROM one WHERE $6::bigint IS NULL OR driver_id = $6
     GROUP BY GROUPING SETS ((currency), (day, currency), (driver_id, currency))
)
SELECT CASE level WHEN 3 THEN 'all' WHEN 1 THEN 'day' ELSE 'driver' END AS by,
       coalesce(day::text, driver_id::text) AS of, nullif(driver.name, '') AS name, currency, stops, due, not_done, not_done_due,
       not_said, not_said_due, n, expected, taken, difference
  FROM counted LEFT JOIN driver ON driver.id = counted.driver_id
 ORDER BY level = 3 DESC, level, day, driver_id, currency;
