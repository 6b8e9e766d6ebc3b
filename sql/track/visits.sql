-- name: visits_of_route
-- Who was at a route's stops, and when. $1 account, $2 route or null, $3 external id or null
SELECT route.id AS route_id, visit.visit_id, visit.driver_id, visit.stop_id, stop.external_id AS stop_external_id,
       visit.arrived_at, visit.departed_at, visit.source
  FROM route
  LEFT JOIN (visit JOIN stop ON stop.id = visit.stop_id) ON visit.route_id = route.id
 WHERE route.account_id = $1 AND route.deleted_at IS NULL AND (route.id = $2 OR route.external_id = $3)
 ORDER BY visit.arrived_at, visit.visit_id;
