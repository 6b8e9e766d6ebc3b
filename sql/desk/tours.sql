-- name: signs_of_stops
-- What a dispatcher looks at beside how a stop is: its newest message, what did not arrive, proofs, tickets. $1 account, $2 route
SELECT stop.id AS stop_id, told.kind AS told, told.state AS told_state,
       (SELECT count(*) FROM proof WHERE proof.stop_id = stop.id AND proof.state = 'stored') AS proofs,
       (SELECT count(*) FROM ticket WHERE ticket.stop_id = stop.id AND ticket.closed_at IS NULL) AS tickets,
       (SELECT count(*) FROM recipient_change AS asked WHERE asked.stop_id = stop.id AND asked.state = 'proposed') AS proposals
  FROM stop
  LEFT JOIN LATERAL (SELECT kind, state FROM message WHERE message.stop_id = stop.id ORDER BY id DESC LIMIT 1) AS told ON true
 WHERE stop.account_id = $1 AND stop.route_id = $2;

-- name: places_of_alerts
-- What alerts are about, by name. $1 account, then columns of one length: $2 alerts, $3 drivers, $4 routes, $5 stops or nulls
SELECT asked.id, stop.external_id AS "order", stop.name, route.external_id AS route, route.timezone, driver.name AS driver
  FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) AS asked(id, driver_id, route_id, stop_id)
  LEFT JOIN stop ON stop.account_id = $1 AND stop.id = asked.stop_id
  LEFT JOIN route ON route.account_id = $1 AND route.id = coalesce(asked.route_id, stop.route_id)
  LEFT JOIN driver ON driver.account_id = $1 AND driver.id = coalesce(asked.driver_id, route.driver_id);

-- name: example_stop
-- The first stop of the newest tour that has one, to look at something with. $1 account
SELECT stop.id FROM (SELECT id FROM route WHERE account_id = $1 ORDER BY start_at DESC, id DESC LIMIT 5) AS newest
  JOIN stop ON stop.route_id = newest.id
 ORDER BY stop.id DESC LIMIT 1;
