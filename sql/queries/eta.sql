-- name: eta_of_route
-- When a route's van is expected where; nulls until a ping was on the route.
-- $1 account, $2 route or null, $3 external id or null
SELECT route.id AS route_id, eta.as_of, eta.computed_at, eta.stop_ids, eta.expected, eta.low, eta.high, eta.remaining_m
  FROM route LEFT JOIN route_eta AS eta ON eta.route_id = route.id
 WHERE route.account_id = $1 AND route.deleted_at IS NULL AND (route.id = $2 OR route.external_id = $3);

-- name: eta_stops
-- $1 stops
SELECT id, external_id, kind, status, departed_at FROM stop WHERE id = ANY ($1::bigint[]);
