-- name: tours_of_day
-- The routes that plans of a day and depot became and that are not over. $1 account, $2 date, $3 depot
SELECT DISTINCT ON (route.id) route.id AS route_id, route.external_id, route.version, route.status, route.driver_id,
       driver.external_id AS driver, route.start_at, route.end_at, tour ->> 'shift' AS shift
  FROM plan
 CROSS JOIN LATERAL jsonb_array_elements(plan.result -> 'tours') AS tour
  JOIN route ON route.account_id = plan.account_id AND 'rt_' || route.id = tour ->> 'route'
  LEFT JOIN driver ON driver.id = route.driver_id
 WHERE plan.account_id = $1 AND plan.date = $2 AND plan.depot = $3 AND plan.state = 'published'
   AND route.deleted_at IS NULL AND route.status IN ('planned', 'started')
 ORDER BY route.id, plan.id DESC;

-- name: driven_tours
-- Tours of published plans of a day and depot as their routes are now: the orders of each shift in turn, and whether its van
-- can take more. $1 account, $2 date, $3 depot
SELECT DISTINCT ON (route.id) tour ->> 'shift' AS shift,
       ARRAY(SELECT external_id FROM stop WHERE route_id = route.id AND removed_at IS NULL ORDER BY seq, id) AS orders,
       route.deleted_at IS NULL AND NOT tour ? 'stays'
       AND (route.status = 'planned' OR (route.status = 'started' AND route.driver_id IS NOT NULL)) AS goes_on
  FROM plan
 CROSS JOIN LATERAL jsonb_array_elements(plan.result -> 'tours') AS tour
  JOIN route ON route.id = substr(tour ->> 'route', 4)::bigint AND route.account_id = plan.account_id
 WHERE plan.account_id = $1 AND plan.date = $2 AND plan.depot = $3 AND plan.state = 'published'
 ORDER BY route.id, plan.id DESC;

-- name: days_of_routes
-- Which day and depot routes were planned for. $1 account, $2 routes
SELECT DISTINCT one.route_id, plan.date, plan.depot
  FROM delivery_order AS one JOIN plan ON plan.id = one.plan_id
 WHERE one.account_id = $1 AND one.route_id = ANY ($2::bigint[]);

-- name: depots_of_days
-- Depots whose plans became routes. $1 account, $2 days
SELECT DISTINCT date, depot FROM plan
 WHERE account_id = $1 AND date = ANY ($2::date[]) AND state = 'published' ORDER BY date, depot;

-- name: breaks_begun
-- How many breaks drivers began. Columns of one length: $1 driver, $2 since
SELECT asked.driver AS driver_id, count(*) AS breaks
  FROM unnest($1::bigint[], $2::timestamptz[]) AS asked (driver, since)
  JOIN driver_event AS event ON event.driver_id = asked.driver AND event.type = 'break_started' AND event.effective
   AND event.occurred_at >= asked.since
 GROUP BY asked.driver;

-- name: move_orders
-- Orders that go on from one route to another. $1 account, $2 plan or null: they stay with theirs; columns: $3 external id, $4 from route, $5 to route
UPDATE delivery_order AS known SET plan_id = coalesce($2, plan_id), route_id = new.to_route, updated_at = now()
  FROM unnest($3::text[], $4::bigint[], $5::bigint[]) AS new (external_id, from_route, to_route)
 WHERE known.account_id = $1 AND known.external_id = new.external_id AND known.route_id = new.from_route;

-- name: end_orders
-- Orders that are cancelled although they were on a route. $1 account, $2 external ids
UPDATE delivery_order SET state = 'cancelled', updated_at = now()
 WHERE account_id = $1 AND external_id = ANY ($2::text[]) AND state IN ('received', 'ready', 'assigned');

-- name: move_wishes
-- What recipients said goes on with their order. Columns of one length: $1 stop, $2 the stop it is now, $3 its route
INSERT INTO recipient_wish (stop_id, account_id, route_id, instructions, safe_place, neighbour_name, neighbour_address,
                            door_lat, door_lon, door_m, phone, email, channel, slot_start, slot_end, place_address,
                            place_lat, place_lon, said_at, last_change)
SELECT new.stop, wish.account_id, new.route, instructions, safe_place, neighbour_name, neighbour_address, door_lat,
       door_lon, door_m, phone, email, channel, slot_start, slot_end, place_address, place_lat, place_lon, said_at,
       last_change
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS new (old_stop, stop, route)
  JOIN recipient_wish AS wish ON wish.stop_id = new.old_stop
    ON CONFLICT (stop_id) DO NOTHING;

-- name: move_subscriptions
-- Browsers that are told go on with their order. Columns of one length: $1 stop, $2 the stop it is now
UPDATE push_subscription AS push SET stop_id = new.stop
  FROM unnest($1::bigint[], $2::bigint[]) AS new (old_stop, stop) WHERE push.stop_id = new.old_stop;
