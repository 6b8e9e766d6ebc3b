-- name: board_stops
-- The stops of tours, with when they were come to or are expected. $1 account, $2 routes
SELECT stop.route_id, stop.status, stop.window_end, stop.planned_arrival, coalesce(stop.arrived_at, stop.outcome_at) AS came_at,
       eta.expected[array_position(eta.stop_ids, stop.id)] AS expected
  FROM stop LEFT JOIN route_eta AS eta ON eta.route_id = stop.route_id
 WHERE stop.account_id = $1 AND stop.route_id = ANY ($2::bigint[]) AND stop.removed_at IS NULL
   AND stop.kind NOT IN ('depot', 'break')
 ORDER BY stop.route_id, stop.seq;

-- name: first_tries
-- Of first tries that are over, how many there are and how many succeeded. $1 account, $2 routes
SELECT count(*) AS ended, count(*) FILTER (WHERE status IN ('completed', 'partially_completed')) AS succeeded
  FROM stop
 WHERE account_id = $1 AND route_id = ANY ($2::bigint[]) AND removed_at IS NULL AND kind NOT IN ('depot', 'break')
   AND status IN ('completed', 'partially_completed', 'failed', 'skipped')
   AND NOT EXISTS (SELECT FROM stop AS earlier
                    WHERE earlier.account_id = stop.account_id AND earlier.external_id = stop.external_id
                      AND earlier.id < stop.id AND earlier.removed_at IS NULL);

-- name: open_problems
-- What is open, whenever it began. $1 account
SELECT (SELECT count(*) FROM desk_alert WHERE account_id = $1 AND closed_at IS NULL
           AND (snoozed_until IS NULL OR snoozed_until <= now())) AS alerts,
       (SELECT count(*) FROM desk_alert WHERE account_id = $1 AND closed_at IS NULL AND severity = 3
           AND (snoozed_until IS NULL OR snoozed_until <= now())) AS critical,
       (SELECT count(*) FROM ticket WHERE account_id = $1 AND closed_at IS NULL) AS tickets,
       (SELECT count(*) FROM recipient_change WHERE account_id = $1 AND state = 'proposed') AS proposals;
