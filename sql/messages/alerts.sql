-- name: lease_alerts
-- $1 now, $2 lease ends, $3 at most so many
WITH leased AS (
    UPDATE alert SET attempts = attempts + 1, next_try_at = $2
      FROM (SELECT fact_id, way FROM alert WHERE next_try_at <= $1 ORDER BY next_try_at LIMIT $3
               FOR UPDATE SKIP LOCKED) AS due
     WHERE alert.fact_id = due.fact_id AND alert.way = due.way
    RETURNING alert.fact_id, alert.way, alert.account_id, alert.attempts
)
SELECT leased.*, account.name AS account_name, account.settings, event.type, event.occurred_at, event.driver_id, event.stop_id, event.data
  FROM leased JOIN account ON account.id = leased.account_id
  JOIN event ON event.fact_id = leased.fact_id AND event.revision = 1;

-- name: alert_again
-- $1 fact, $2 way, $3 when
UPDATE alert SET next_try_at = $3 WHERE fact_id = $1 AND way = $2;

-- name: end_alert
-- $1 fact, $2 way
DELETE FROM alert WHERE fact_id = $1 AND way = $2;

-- name: drop_alerts
-- Whose event is not kept any more. $1 before, $2 at most so many
DELETE FROM alert
 WHERE (fact_id, way) IN (SELECT fact_id, way FROM alert WHERE next_try_at < $1 ORDER BY next_try_at LIMIT $2)
RETURNING fact_id;
