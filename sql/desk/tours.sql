-- name: signs_of_stops
-- What a dispatcher looks at beside how a stop is: its newest message, what did not arrive, proofs, tickets. $1 account, $2 route
SELECT stop.id AS stop_id, told.kind AS told, told.state AS told_state,
       (SELECT count(*) FROM proof WHERE proof.stop_id = stop.id AND proof.state = 'stored') AS proofs,
       (SELECT count(*) FROM ticket WHERE ticket.stop_id = stop.id AND ticket.closed_at IS NULL) AS tickets,
       (SELECT count(*) FROM recipient_change AS asked WHERE asked.stop_id = stop.id AND asked.state = 'proposed') AS proposals
  FROM stop
  LEFT JOIN LATERAL (SELECT kind, state FROM message WHERE message.stop_id = stop.id ORDER BY id DESC LIMIT 1) AS told ON true
 WHERE stop.account_id = $1 AND stop.route_id = $2;

-- name: moved_on
-- Where stops that were taken off a tour are by now, and whether their parcels still have to be fetched for that. $1 account, $2 route
SELECT gone.id AS stop_id, now.id AS now_id, route.external_id AS route, driver.name AS driver,
       EXISTS (SELECT FROM parcel JOIN stop AS loading ON loading.id = parcel.stop_id
                WHERE loading.route_id = now.route_id AND loading.kind = 'depot' AND loading.removed_at IS NULL
                  AND loading.outcome_at IS NULL AND loading.departed_at IS NULL
                  AND parcel.description = gone.external_id) AS is_to_fetch
  FROM stop AS gone
  JOIN LATERAL (SELECT id, route_id FROM stop
                 WHERE account_id = $1 AND external_id = gone.external_id AND removed_at IS NULL
                 ORDER BY id DESC LIMIT 1) AS now ON true
  JOIN route ON route.id = now.route_id AND route.deleted_at IS NULL
  LEFT JOIN driver ON driver.id = route.driver_id
 WHERE gone.account_id = $1 AND gone.route_id = $2 AND gone.removed_at IS NOT NULL;

-- name: places_of_alerts
-- What alerts are about, by name. $1 account, then columns of one length: $2 alerts, $3 drivers, $4 routes, $5 stops or nulls
SELECT asked.id, stop.external_id AS "order", stop.name, route.external_id AS route, route.timezone, driver.name AS driver
  FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) AS asked(id, driver_id, route_id, stop_id)
  LEFT JOIN stop ON stop.account_id = $1 AND stop.id = asked.stop_id
  LEFT JOIN route ON route.account_id = $1 AND route.id = coalesce(asked.route_id, stop.route_id)
  LEFT JOIN driver ON driver.account_id = $1 AND driver.id = coalesce(asked.driver_id, route.driver_id);

-- name: usual_zone
-- $1 account
SELECT timezone FROM route WHERE account_id = $1 ORDER BY start_at DESC, id DESC LIMIT 1;

-- name: example_stop
-- The first stop of the newest tour that has one, to look at something with. $1 account
SELECT stop.id FROM (SELECT id FROM route WHERE account_id = $1 ORDER BY start_at DESC, id DESC LIMIT 5) AS newest
  JOIN stop ON stop.route_id = newest.id
 ORDER BY stop.id DESC LIMIT 1;
