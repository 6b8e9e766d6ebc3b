-- name: proposals_of_days
-- What was asked for of days that go on, the newest first. $1 account, $2 days, $3 how many
SELECT plan.id, plan.state, plan.asked ->> 'because' AS because, plan.created_at,
       coalesce(plan.asked -> 'place' ->> 'name', depot.body ->> 'name', plan.depot) AS depot,
       (plan.result -> 'proposal' ->> 'until')::timestamptz AS until
  FROM plan
  LEFT JOIN plan_resource AS depot
         ON depot.account_id = $1 AND depot.kind = 'depot' AND depot.external_id = plan.depot
 WHERE plan.account_id = $1 AND plan.date = ANY ($2::date[]) AND plan.asked ? 'because'
 ORDER BY plan.id DESC LIMIT $3;

-- name: undecided_proposals
-- How many of them wait for somebody and can still count. $1 account, $2 days, $3 now
SELECT count(*) FROM plan
 WHERE account_id = $1 AND date = ANY ($2::date[]) AND asked ? 'because' AND state = 'done'
   AND (result -> 'proposal' ->> 'until')::timestamptz >= $3;

-- name: people_of_stops
-- $1 account, $2 stops
SELECT id, name FROM stop WHERE account_id = $1 AND id = ANY ($2::bigint[]);

-- name: people_of_orders
-- $1 account, $2 external ids
SELECT external_id, body ->> 'name' AS name FROM delivery_order WHERE account_id = $1 AND external_id = ANY ($2::text[]);

-- name: called_tours
-- What tours are called, and who drives them. $1 account, $2 routes
SELECT route.id, concat_ws(' · ', route.external_id, driver.name) AS called
  FROM route LEFT JOIN driver ON driver.id = route.driver_id
 WHERE route.account_id = $1 AND route.id = ANY ($2::bigint[]);
