-- name: told_stops
-- All that a message may say of stops, and that decides whether it is still true. `attempt` counts the reopenings.
-- $1 stops
SELECT stop.id, stop.account_id, stop.route_id, stop.external_id, stop.kind, stop.name, stop.address, stop.lat, stop.lon,
       stop.phone, stop.email, stop.locale, stop.window_start, stop.window_end, stop.planned_arrival, stop.status,
       stop.arrived_at, stop.departed_at, stop.outcome_at, stop.link_generation, stop.pin_generation,
       stop.link_revoked_at IS NOT NULL AS link_revoked, stop.removed_at IS NOT NULL AS removed,
       'pin' = ANY (stop.proof) AS asks_pin, route.status AS route_status, route.timezone, route.start_at, route.end_at,
       route.deleted_at IS NOT NULL AS route_deleted, driver.name AS driver_name, account.name AS account_name,
       account.settings, eta.low[eta.place] AS eta_low, eta.high[eta.place] AS eta_high,
       coalesce(track.unsettled, false) AS unsettled,
       1 + (SELECT count(*) FROM driver_event AS event
             WHERE event.stop_id = stop.id AND event.type = 'reopened' AND event.effective)::int AS attempt,
       (SELECT event.data ->> 'reason' FROM driver_event AS event
         WHERE event.stop_id = stop.id AND event.type = 'failed' AND event.effective
         ORDER BY event.occurred_at DESC, event.id DESC LIMIT 1) AS reason,
       ARRAY(SELECT push.sealed FROM push_subscription AS push WHERE push.stop_id = stop.id) AS browsers,
       (SELECT generation FROM step_up WHERE step_up.stop_id = stop.id) AS code_generation,
       (SELECT channel FROM recipient_wish AS wish WHERE wish.stop_id = stop.id) AS wished_channel
  FROM stop JOIN route ON route.id = stop.route_id JOIN account ON account.id = stop.account_id
  LEFT JOIN driver ON driver.id = route.driver_id
  LEFT JOIN track ON track.lane = driver.lane AND track.driver_id = driver.id
  LEFT JOIN LATERAL (SELECT low, high, array_position(stop_ids, stop.id) AS place
                       FROM route_eta WHERE route_eta.route_id = route.id) AS eta ON true
 WHERE stop.id = ANY ($1::bigint[]);

-- name: told_before_move
-- What was told of orders while they were on another route, with the same promise. $1 stops
SELECT DISTINCT moved.stop_id, message.kind
  FROM moved_link AS moved
  JOIN stop ON stop.id = moved.stop_id
  JOIN stop AS was ON was.link_hash = moved.link_hash
   AND (was.window_start, was.window_end) IS NOT DISTINCT FROM (stop.window_start, stop.window_end)
  JOIN route ON route.id = stop.route_id
  JOIN route AS was_on ON was_on.id = was.route_id AND was_on.date = route.date
  JOIN message ON message.stop_id = was.id AND message.state IN ('sent', 'delivered', 'read')
 WHERE moved.stop_id = ANY ($1::bigint[]);

-- name: retracted_facts
-- Which of these facts are taken back. $1 facts
SELECT fact_id FROM (SELECT DISTINCT ON (fact_id) fact_id, state FROM event WHERE fact_id = ANY ($1::uuid[])
                      ORDER BY fact_id, revision DESC) AS newest
 WHERE state = 'retracted';
