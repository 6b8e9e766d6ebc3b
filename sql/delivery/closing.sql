-- name: look_at_routes
-- Have somebody look whether routes are to be closed, or not any more: something was said of them. Where nobody said that a
-- tour is over, only of those that are closed it can make a difference. $1 routes, $2 those of which somebody did
UPDATE route SET look_at = now()
 WHERE id = ANY ($1::bigint[]) AND (closed_at IS NOT NULL OR id = ANY ($2::bigint[])) AND deleted_at IS NULL;

-- name: look_at_routes_of_driver
-- The same of the routes that a driver's shift may close or open, of around a time on. $1 driver, $2 from when, ms; $3 how long
-- after its end a route may be driven, ms
UPDATE route SET look_at = now()
 WHERE driver_id = $1 AND started_at IS NOT NULL AND deleted_at IS NULL AND end_at >= from_ms($2::bigint - $3::bigint);

-- name: routes_to_look_at
-- $1 now, $2 how many
SELECT id, account_id, external_id FROM route WHERE look_at <= $1 ORDER BY look_at, id LIMIT $2;

-- name: close_route
-- Say when a route was over, and why: when its hours were; when its driver ended the shift after having begun it and has not said
-- anything of it, nor begun another shift, since; when somebody said that it is, and neither it nor a stop of it was taken up
-- again since, nor got it a stop more. When it is to be looked at again follows from that. The caller holds the lanes of all
-- drivers who ever had it. $1 route, $2 now, $3 how long after its end a route may be driven, ms
UPDATE route
   SET closed_at = told.closed_at, closed_by = told.closed_by, look_at = CASE WHEN told.over_at > $2 THEN told.over_at END
  FROM (SELECT route.id, hours.over_at, first.closed_at, first.closed_by
          FROM route
         CROSS JOIN LATERAL (SELECT route.end_at + make_interval(secs => $3::bigint / 1000.0) AS over_at) AS hours
          LEFT JOIN LATERAL (
               SELECT CASE WHEN type = 'shift_ended' THEN occurred_at END AS ended_at FROM driver_event
                WHERE driver_id = route.driver_id AND type IN ('shift_started', 'shift_ended') AND effective
                  AND occurred_at < hours.over_at
                ORDER BY occurred_at DESC, id DESC LIMIT 1) AS shift
            ON shift.ended_at > route.started_at
           AND NOT EXISTS (SELECT FROM driver_event AS word
                            WHERE word.route_id = route.id AND word.effective AND word.type <> 'note'
                              AND word.occurred_at > shift.ended_at)
          LEFT JOIN LATERAL (
               SELECT min(word.occurred_at) AS ended_at FROM driver_event AS word
                WHERE word.route_id = route.id AND word.driver_id = route.driver_id AND word.type = 'route_ended'
                  AND word.effective
                  AND NOT EXISTS (SELECT FROM driver_event AS again
                                   WHERE again.route_id = route.id AND again.effective
                                     AND again.type IN ('route_started', 'arrived', 'reopened')
                                     AND (again.occurred_at, again.id) > (word.occurred_at, word.id))
                  AND NOT EXISTS (SELECT FROM route_version AS more
                                   WHERE more.route_id = route.id AND more.effective_at > word.occurred_at
                                     AND NOT more.stop_ids <@ (
                                         SELECT stop_ids FROM route_version AS plan
                                          WHERE plan.route_id = route.id AND plan.effective_at <= word.occurred_at
                                          ORDER BY plan.version DESC LIMIT 1))) AS word ON true
          LEFT JOIN LATERAL (
               SELECT over.at AS closed_at, over.how AS closed_by
                 FROM (VALUES (word.ended_at, 'word'), (shift.ended_at, 'shift'),
                              (CASE WHEN hours.over_at <= $2 THEN hours.over_at END, 'hours')) AS over (at, how)
                WHERE over.at IS NOT NULL AND route.deleted_at IS NULL AND route.status <> 'cancelled'
                ORDER BY over.at LIMIT 1) AS first ON true
         WHERE route.id = $1) AS told
 WHERE route.id = told.id;

-- name: left_stops
-- Which of some stops are left open, with what is told of them. $1 stops, $2 only those of closed routes
SELECT stop.id AS stop_id, stop.account_id, stop.route_id, stop.status = 'left_open' AS is_open, to_ms(route.closed_at) AS closed_ms,
       route.closed_by, route.version AS route_version, route.driver_id, driver.lane
  FROM stop JOIN route ON route.id = stop.route_id LEFT JOIN driver ON driver.id = route.driver_id
 WHERE stop.id = ANY ($1::bigint[]) AND (NOT $2 OR route.closed_at IS NOT NULL) ORDER BY stop.id;
