-- name: create_plan
-- $1 account, $2 date, $3 depot, $4 what was asked
INSERT INTO plan (account_id, state, date, depot, asked) VALUES ($1, 'queued', $2, $3, $4) RETURNING id;

-- name: find_plan
-- $1 account, $2 plan
SELECT id, account_id, state, date, depot, asked, progress, version, attempts, why, result FROM plan
 WHERE account_id = $1 AND id = $2;

-- name: hold_plan
-- The same, until the transaction ends. $1 account, $2 plan
SELECT id, account_id, state, date, depot, asked, progress, version, attempts, why, result FROM plan
 WHERE account_id = $1 AND id = $2 FOR UPDATE;

-- name: problem_of_plan
-- $1 plan
SELECT problem FROM plan WHERE id = $1;

-- name: last_tours
-- Tours as they were planned last for a day and depot; what is proposed of a day that goes on is no whole day.
-- $1 account, $2 date, $3 depot
SELECT id, version, result FROM plan
 WHERE account_id = $1 AND date = $2 AND depot = $3 AND state IN ('done', 'published') AND problem IS NOT NULL
 ORDER BY id DESC LIMIT 1;

-- name: day_begins
-- With which plan a day and depot begin and which routes are driven, else with which shifts: the same answer, the same begin.
-- $1 account, $2 date, $3 depot, how many degrees of $4 latitude and $5 longitude are the same place
SELECT last.id AS plan_id, last.version,
       CASE WHEN last.state = 'published' THEN
            (SELECT sum(hashtextextended(concat_ws(' ', id, version, status, driver_id, deleted_at), 0))::text FROM route
              WHERE id IN (SELECT one.route_id FROM plan JOIN delivery_order AS one ON one.plan_id = plan.id
                            WHERE plan.account_id = $1 AND plan.date = $2 AND plan.depot = $3
                              AND plan.state = 'published')) END AS routes,
       (SELECT sum(hashtextextended(concat_ws(' ', route.id, version, status, route.driver_id), 0))::text
          FROM plan_resource AS one
          JOIN route ON route.account_id = $1 AND start_at BETWEEN $2::date - 2 AND $2::date + 3 AND route.date = $2
           AND abs(depot_lat - (one.body ->> 'lat')::float8) <= $4::float8
           AND abs(depot_lon - (one.body ->> 'lon')::float8) <= $5::float8 AND deleted_at IS NULL
         WHERE one.account_id = $1 AND one.kind = 'depot' AND one.external_id = $3) AS from_depot,
       CASE WHEN last.id IS NULL THEN (SELECT max(updated_at) FROM plan_resource
                                        WHERE account_id = $1 AND (kind <> 'shift' OR date = $2)) END AS resources_at,
       CASE WHEN last.id IS NULL THEN (SELECT count(*) FROM plan_resource
                                        WHERE account_id = $1 AND (kind <> 'shift' OR date = $2)) END AS resources
  FROM (SELECT) AS always
  LEFT JOIN LATERAL (SELECT id, version, state FROM plan
                      WHERE account_id = $1 AND date = $2 AND depot = $3 AND state IN ('done', 'published')
                        AND problem IS NOT NULL
                      ORDER BY id DESC LIMIT 1) AS last ON true;

-- name: planned_days
-- Days and depots that vans are planned for: by shifts, by plans, or by routes that were given by hand and start there.
-- $1 account, $2 days, how many degrees of $3 latitude and $4 longitude are the same place
SELECT date, depot FROM plan_resource WHERE account_id = $1 AND kind = 'shift' AND date = ANY ($2::date[])
UNION SELECT date, depot FROM plan WHERE account_id = $1 AND date = ANY ($2::date[]) AND state IN ('done', 'published')
UNION SELECT route.date, one.external_id FROM route
        JOIN plan_resource AS one ON one.account_id = $1 AND one.kind = 'depot'
         AND abs(depot_lat - (one.body ->> 'lat')::float8) <= $3::float8
         AND abs(depot_lon - (one.body ->> 'lon')::float8) <= $4::float8
       WHERE route.account_id = $1 AND route.date = ANY ($2::date[]) AND deleted_at IS NULL AND status IN ('planned', 'started')
         AND start_at BETWEEN (SELECT min(day) - 2 FROM unnest($2::date[]) AS day)
                          AND (SELECT max(day) + 3 FROM unnest($2::date[]) AS day)
ORDER BY date, depot;

-- name: due_orders
-- Those whose last day it is, and that are on no route. $1 account, $2 day, $3 depot, $4 how many
SELECT external_id, updated_at FROM delivery_order
 WHERE account_id = $1 AND latest = $2 AND state IN ('ready', 'planned') AND (depot IS NULL OR depot = $3)
   AND NOT EXISTS (SELECT FROM stops_by_hand(account_id, external_id, earliest, latest))
 ORDER BY id LIMIT $4;

-- name: take_plan
-- One that waits, or whose planner is not heard of any more: the oldest of the account that had the fewest turns within an hour.
-- $1 seconds until this one says so again
WITH oldest AS (
    SELECT account_id, min(id) AS id FROM plan
     WHERE state = 'queued' OR (state = 'running' AND held_until < now()) GROUP BY account_id
), in_turn AS (
    SELECT oldest.id, coalesce(sum(had.attempts), 0) AS turns
      FROM oldest LEFT JOIN plan AS had ON had.account_id = oldest.account_id AND had.attempts > 0
                       AND had.updated_at > now() - interval '1 hour'
     GROUP BY oldest.id
)
UPDATE plan SET state = 'running', attempts = attempts + 1, held_until = now() + $1 * interval '1 second',
       updated_at = now()
 WHERE id = (SELECT one.id FROM plan AS one JOIN in_turn ON in_turn.id = one.id
              WHERE one.state = 'queued' OR (one.state = 'running' AND one.held_until < now())
              ORDER BY in_turn.turns, one.id LIMIT 1 FOR UPDATE OF one SKIP LOCKED)
RETURNING id, account_id, state, date, depot, asked, progress, version, attempts, why, result;

-- name: keep_plan
-- Nothing when it was cancelled, or taken by another one. $1 plan, $2 attempt, $3 seconds, $4 progress
UPDATE plan SET held_until = now() + $3 * interval '1 second', progress = greatest(progress, $4)
 WHERE id = $1 AND attempts = $2 AND state = 'running' RETURNING 1;

-- name: end_plan
-- Done or failed, as a whole.
-- $1 plan, $2 attempt, $3 state, $4 why or null, $5 problem or null, $6 result or null, $7 whether a rule is asked about it
UPDATE plan SET state = $3, why = $4, problem = $5, result = $6, held_until = NULL, updated_at = now(),
       progress = CASE WHEN $3 = 'done' THEN 1 ELSE progress END, for_rule = $7
 WHERE id = $1 AND attempts = $2 AND state = 'running' RETURNING 1;

-- name: proposal_for_rule
-- One that its account's rule was not asked about yet.
SELECT id, account_id, state, date, depot, asked, progress, version, attempts, why, result FROM plan
 WHERE for_rule AND state = 'done' ORDER BY id LIMIT 1;

-- name: leave_to_person
-- Unless it is another one by now. $1 plan, $2 version, $3 result
UPDATE plan SET for_rule = false, result = $3 WHERE id = $1 AND version = $2 AND state = 'done';

-- name: change_plan
-- $1 plan, $2 state, $3 result
UPDATE plan SET state = $2, result = $3, version = version + 1, updated_at = now() WHERE id = $1;

-- name: cancel_plan
-- $1 account, $2 plan
UPDATE plan SET state = 'cancelled', held_until = NULL, updated_at = now()
 WHERE account_id = $1 AND id = $2 AND state IN ('queued', 'running', 'done') RETURNING 1;

-- name: past_tours
-- Orders in which stops were reached on past tours, the newest tours last: what habits are learned from.
-- $1 account, $2 since, $3 how many tours
SELECT array_agg(coalesce(nullif(lower(stop.address), ''), lower(stop.name)) ORDER BY stop.arrived_at) AS names,
       array_agg(stop.lon ORDER BY stop.arrived_at) AS lon, array_agg(stop.lat ORDER BY stop.arrived_at) AS lat
  FROM (SELECT id FROM route WHERE account_id = $1 AND start_at >= $2 AND status = 'finished'
         ORDER BY start_at DESC, id DESC LIMIT $3) AS past
  JOIN stop ON stop.route_id = past.id AND stop.arrived_at IS NOT NULL
 GROUP BY past.id HAVING count(*) > 1 ORDER BY past.id;
