-- name: judge_stop_events
-- Walk through everything said of some stops in the order in which it happened, and note what is in force. The plan that
-- counts for an event is the one in force when it happened; what was said before the dispatcher changed it stands. An
-- event that happened before the driver was given a stop which nobody else had counts too. A PIN after too many wrong
-- ones is not told right from wrong. Gives back what is another thing than before; an event that has just been written
-- was not in force.
-- $1 stops, $2 wrong PINs after which no other counts
WITH said AS (
    SELECT event.driver_id, event.id, event.stop_id, event.type, event.effective AS was_effective, event.why AS was_why,
           row_number() OVER (PARTITION BY event.stop_id ORDER BY event.occurred_at, event.id, event.driver_id) AS place,
           coalesce(CASE WHEN event.pin_generation IS NOT NULL AND $2 <= count(*) FILTER (WHERE event.flaw = 'wrong-pin')
                                   OVER (PARTITION BY event.stop_id, event.pin_generation
                                             ORDER BY event.occurred_at, event.id, event.driver_id
                                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 'pin-locked' END,
                    event.flaw,
                    CASE WHEN event.device_id IS NULL OR (plan.has_stop AND plan.driver_id = event.driver_id) THEN NULL
                         WHEN (plan.driver_id IS NULL OR NOT plan.has_stop)
                          AND EXISTS (SELECT FROM route_version AS later
                                       WHERE later.route_id = event.route_id AND later.version > plan.version
                                         AND later.driver_id = event.driver_id
                                         AND event.stop_id = ANY (later.stop_ids)) THEN NULL
                         WHEN NOT plan.has_stop THEN 'removed-from-route'
                         WHEN plan.driver_id IS NULL THEN 'taken-from-driver'
                         ELSE 'given-to-another-driver' END) AS hindrance
      FROM driver_event AS event,
           LATERAL (SELECT version, driver_id, event.stop_id = ANY (stop_ids) AS has_stop
                      FROM route_version
                     WHERE route_id = event.route_id
                       AND effective_at <= least(event.occurred_at, event.received_at)
                     ORDER BY version DESC LIMIT 1) AS plan
     WHERE event.stop_id = ANY ($1::bigint[])
), met AS (
    SELECT said.*, stop_status(CASE WHEN hindrance IS NULL THEN type END)
               OVER (PARTITION BY stop_id ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS status
      FROM said
), walked AS (
    SELECT met.driver_id, met.id, met.was_effective, met.was_why,
           hindrance IS NULL AND step.to_status IS NOT NULL AS effective,
           CASE WHEN hindrance IS NOT NULL THEN hindrance
                WHEN step.to_status IS NOT NULL THEN NULL
                WHEN met.type = 'reopened' THEN 'not-done'
                ELSE 'already-' || replace(met.status, '_', '-') END AS why
      FROM met LEFT JOIN stop_transition AS step ON step.from_status = met.status AND step.event_type = met.type
)
UPDATE driver_event AS event SET effective = walked.effective, why = walked.why
  FROM walked
 WHERE event.driver_id = walked.driver_id AND event.id = walked.id
   AND (walked.effective, walked.why) IS DISTINCT FROM (walked.was_effective, walked.was_why)
RETURNING event.driver_id, event.id, event.account_id, event.lane, event.type, event.route_id, event.stop_id,
          to_ms(event.occurred_at) AS occurred_ms, event.lat, event.lon, event.data, event.outcome, event.effective,
          walked.was_effective;

-- name: judge_shift_events
-- Note which of a driver's shifts and breaks begin or end something; the end of a shift ends its break too, and the next
-- one ends the one that nobody ended, unless it is the same one said twice: of a break nothing was said of stops or tours
-- in between, then. What is older than a time stays as it is. Gives back what is another thing than before.
-- $1 driver, $2 from when, ms, $3 seconds within which the beginning of a shift and $4 that of a break is said twice
WITH told AS (
    SELECT id, type, occurred_at FROM driver_event
     WHERE driver_id = $1 AND type IN ('shift_started', 'shift_ended', 'break_started', 'break_ended')
       AND occurred_at >= from_ms($2)
     UNION
    (SELECT id, type, occurred_at FROM driver_event
      WHERE driver_id = $1 AND type IN ('shift_started', 'shift_ended') AND occurred_at < from_ms($2)
      ORDER BY occurred_at DESC, id DESC LIMIT 1)
     UNION
    (SELECT id, type, occurred_at FROM driver_event
      WHERE driver_id = $1 AND occurred_at < from_ms($2)
        AND type IN ('break_started', 'break_ended', 'shift_started', 'shift_ended')
      ORDER BY occurred_at DESC, id DESC LIMIT 1)
), spells AS (
    SELECT id, type, 'shift' AS spell, type = 'shift_started' AS begins, occurred_at
      FROM told WHERE type IN ('shift_started', 'shift_ended')
     UNION ALL
    SELECT id, type, 'break', type = 'break_started', occurred_at
      FROM told
), after AS (
    SELECT id, type, spell, occurred_at, begins, lag(begins, 1, false) OVER told AS lasts, lag(occurred_at) OVER told AS since
      FROM spells WINDOW told AS (PARTITION BY spell ORDER BY occurred_at, id)
), judged AS (
    SELECT id, type, spell, occurred_at, begins,
           CASE WHEN begins AND lasts
                THEN occurred_at > since + make_interval(secs => CASE spell WHEN 'shift' THEN $3::float8 ELSE $4::float8 END)
                  OR (spell = 'break' AND EXISTS (
                      SELECT FROM driver_event AS word
                       WHERE word.driver_id = $1 AND word.stop_id IS NOT NULL AND word.type NOT IN ('note', 'reopened')
                         AND word.occurred_at > after.since AND word.occurred_at < after.occurred_at))
                ELSE begins OR lasts END AS effective
      FROM after
), reasons AS (
    SELECT id, effective,
           CASE WHEN NOT effective THEN CASE WHEN begins THEN 'already-on-' ELSE 'not-on-' END || spell END AS why
      FROM judged WHERE type IN (spell || '_started', spell || '_ended') AND occurred_at >= from_ms($2)
)
UPDATE driver_event AS event SET effective = reasons.effective, why = reasons.why
  FROM reasons JOIN driver_event AS before ON before.driver_id = $1 AND before.id = reasons.id
 WHERE event.driver_id = $1 AND event.id = reasons.id
   AND (reasons.effective, reasons.why) IS DISTINCT FROM (before.effective, before.why)
RETURNING event.driver_id, event.id, event.account_id, event.lane, event.type, event.route_id, event.stop_id,
          to_ms(event.occurred_at) AS occurred_ms, event.lat, event.lon, event.data, event.outcome, event.effective,
          before.effective AS was_effective;

-- name: judge_route_starts
-- Walk through a driver's starts in the order in which they happened, and note which begin another route than the one
-- before; what is older than a time stays as it is. Who may start a route is judged like who may speak of a stop. A start
-- that names no route means one whose hours these were: rather one not finished by then, then the one started within
-- the last ten minutes (a button pressed twice), then one not started by then, then the one started last, then the first
-- by its start. Gives back what is another thing than before; a start that means another route than before was not in
-- force.
-- $1 driver, $2 from when, ms, $3 and $4 how long before its start and after its end a route may be meant, ms
WITH RECURSIVE told AS (
    SELECT id, occurred_at, least(occurred_at, received_at) AS planned_at, means_next,
           CASE WHEN NOT means_next THEN route_id END AS route_id, row_number() OVER (ORDER BY occurred_at, id) AS place
      FROM driver_event WHERE driver_id = $1 AND type = 'route_started' AND occurred_at >= from_ms($2)
), had AS (
    SELECT route_id, min(start_at) - make_interval(secs => $3::bigint / 1000.0) AS from_at,
           max(end_at) + make_interval(secs => $4::bigint / 1000.0) AS to_at
      FROM route_version WHERE driver_id = $1 AND end_at >= from_ms($2 - $4) GROUP BY route_id
), asked AS (
    SELECT place, occurred_at, planned_at, means_next, route_id FROM told WHERE route_id IS NOT NULL
     UNION ALL
    SELECT place, occurred_at, planned_at, means_next, had.route_id
      FROM told JOIN had ON told.occurred_at BETWEEN had.from_at AND had.to_at WHERE means_next
), considered AS (
    SELECT asked.place, asked.route_id, route.external_id, plan.start_at,
           coalesce(route.finished_at <= asked.occurred_at, false) AS is_finished,
           asked.occurred_at BETWEEN plan.start_at - make_interval(secs => $3::bigint / 1000.0)
                                 AND plan.end_at + make_interval(secs => $4::bigint / 1000.0) AS is_in_hours,
           CASE WHEN plan.driver_id = $1 THEN NULL
                WHEN plan.driver_id IS NOT NULL THEN 'given-to-another-driver'
                WHEN EXISTS (SELECT FROM route_version AS later
                              WHERE later.route_id = asked.route_id AND later.version > plan.version
                                AND later.driver_id = $1) THEN NULL
                ELSE 'taken-from-driver' END AS hindrance
      FROM asked JOIN route ON route.id = asked.route_id,
           LATERAL (SELECT version, driver_id, start_at, end_at FROM route_version
                     WHERE route_id = asked.route_id AND effective_at <= asked.planned_at
                     ORDER BY version DESC LIMIT 1) AS plan
), walked AS (
    SELECT 0::bigint AS place, NULL::uuid AS id, NULL::bigint AS route_id, NULL::text AS why,
           coalesce(array_agg(before.route_id ORDER BY before.occurred_at, before.id), '{}') AS started,  -- the last one last
           max(before.occurred_at) AS last_at
      FROM driver_event AS before
     WHERE before.driver_id = $1 AND before.type = 'route_started' AND before.effective
       AND before.occurred_at < from_ms($2)
     UNION ALL
    SELECT told.place, told.id, meant.route_id, judged.why,
           CASE WHEN judged.why IS NULL THEN array_remove(walked.started, meant.route_id) || meant.route_id
                ELSE walked.started END,
           CASE WHEN judged.why IS NULL THEN told.occurred_at ELSE walked.last_at END
      FROM walked JOIN told ON told.place = walked.place + 1
      LEFT JOIN LATERAL (
           SELECT route_id, hindrance FROM considered
            WHERE considered.place = told.place AND (NOT told.means_next OR is_in_hours AND hindrance IS NULL)
            ORDER BY is_finished,
                     (route_id = walked.started[cardinality(walked.started)]
                      AND told.occurred_at < walked.last_at + interval '10 minutes') IS NOT TRUE,
                     route_id = ANY (walked.started),
                     route_id IS DISTINCT FROM walked.started[cardinality(walked.started)], start_at, external_id
            LIMIT 1) AS meant ON true,
           LATERAL (SELECT CASE WHEN meant.route_id IS NULL THEN 'no-route'
                                WHEN meant.hindrance IS NOT NULL THEN meant.hindrance
                                WHEN meant.route_id = walked.started[cardinality(walked.started)] THEN 'already-started'
                                END AS why) AS judged
)
UPDATE driver_event AS event SET effective = walked.why IS NULL, why = walked.why, route_id = walked.route_id
  FROM walked JOIN driver_event AS was ON was.driver_id = $1 AND was.id = walked.id
 WHERE event.driver_id = $1 AND event.id = walked.id
   AND (walked.why IS NULL, walked.why, walked.route_id) IS DISTINCT FROM (was.effective, was.why, was.route_id)
RETURNING event.driver_id, event.id, event.account_id, event.lane, event.type, event.route_id, event.stop_id,
          to_ms(event.occurred_at) AS occurred_ms, event.lat, event.lon, event.data, event.outcome, event.effective,
          was.effective AND (NOT event.effective OR event.route_id = was.route_id) AS was_effective;

-- name: judge_route_ends
-- Note which of what drivers said of the end of a route ends it: nothing that was said to be over is ended again before it was
-- taken up. Who may end a route is judged like who may start it. Gives back what is another thing than before.
-- Columns of one length: $1 driver, null for all who said it; $2 route
WITH told AS (
    SELECT event.driver_id, event.id, event.type, event.route_id, event.occurred_at,
           CASE WHEN event.type <> 'route_ended' OR event.device_id IS NULL OR plan.driver_id = event.driver_id THEN NULL
                WHEN plan.driver_id IS NOT NULL THEN 'given-to-another-driver'
                WHEN EXISTS (SELECT FROM route_version AS later
                              WHERE later.route_id = event.route_id AND later.version > plan.version
                                AND later.driver_id = event.driver_id) THEN NULL
                ELSE 'taken-from-driver' END AS hindrance
      FROM driver_event AS event
      LEFT JOIN LATERAL (
           SELECT version, driver_id FROM route_version
            WHERE route_id = event.route_id AND effective_at <= least(event.occurred_at, event.received_at)
            ORDER BY version DESC LIMIT 1) AS plan ON true
     WHERE event.route_id = ANY ($2::bigint[])
       AND EXISTS (SELECT FROM unnest($1::bigint[], $2::bigint[]) AS asked (driver_id, route_id)
                    WHERE asked.route_id = event.route_id
                      AND coalesce(asked.driver_id, event.driver_id) = event.driver_id)
       AND (event.type = 'route_ended' OR event.effective AND event.type IN ('route_started', 'arrived', 'reopened'))
), judged AS (
    SELECT driver_id, id, type,
           CASE WHEN hindrance IS NOT NULL THEN hindrance
                WHEN lag(type) OVER (PARTITION BY driver_id, route_id, hindrance IS NULL ORDER BY occurred_at, id)
                     = 'route_ended' THEN 'already-ended' END AS why
      FROM told
)
UPDATE driver_event AS event SET effective = judged.why IS NULL, why = judged.why
  FROM judged JOIN driver_event AS before ON before.driver_id = judged.driver_id AND before.id = judged.id
 WHERE judged.type = 'route_ended' AND event.driver_id = judged.driver_id AND event.id = judged.id
   AND (judged.why IS NULL, judged.why) IS DISTINCT FROM (before.effective, before.why)
RETURNING event.driver_id, event.id, event.account_id, event.lane, event.type, event.route_id, event.stop_id,
          to_ms(event.occurred_at) AS occurred_ms, event.lat, event.lon, event.data, event.outcome, event.effective,
          before.effective AS was_effective;

-- name: starts_of_route
-- From when on a new version of a route may change what the starts mean of each driver who ever had it: the first that
-- names it, or that was not long before its hours, or later. Drivers who never said one are not given back. $1 route
SELECT had.driver_id, to_ms(min(event.occurred_at)) AS from_ms
  FROM (SELECT DISTINCT driver_id FROM route_version WHERE route_id = $1 AND driver_id IS NOT NULL) AS had
  JOIN driver_event AS event ON event.driver_id = had.driver_id AND event.type = 'route_started'
   AND (event.route_id = $1
        OR event.occurred_at >= (SELECT min(start_at) - interval '1 day' FROM route_version WHERE route_id = $1))
 GROUP BY had.driver_id ORDER BY had.driver_id;

-- name: hold_stops
-- Drivers of several lanes may have visited a stop: one tracker at a time says what its visits say. Sorted, so that two
-- never wait for each other; alone, so that the next statement sees what the last holder committed. $1 stops
SELECT FROM stop WHERE id = ANY ($1::bigint[]) ORDER BY id FOR NO KEY UPDATE;

-- name: settle_stops
-- Make stops say what was said of them and what was seen there: the status after all that is in force, by the walk that
-- put it in force (judge_stop_events), else a visit. What became of a stop stands even if it was taken out of the tour
-- later, and when what was said is forgotten. Nothing from before a stop was reopened counts. What is open of a closed tour
-- is left open, until something is said of it after; of a tour of whose stops somebody spoke, a visit is no outcome. $1 stops
UPDATE stop
   SET arrived_at = coalesce(seen.arrived_at, since.arrived_at),
       departed_at = CASE WHEN seen.arrived_at IS NULL THEN since.departed_at ELSE seen.departed_at END,
       outcome_at = since.outcome_at,
       status = CASE WHEN since.outcome_at IS NOT NULL THEN said.status
                     WHEN stop.removed_at IS NOT NULL THEN 'removed'
                     WHEN tour.is_closed AND stop.kind NOT IN ('depot', 'break')
                          AND (said.last_at > tour.closed_at) IS NOT TRUE
                          AND (tour.is_worded OR said.status <> 'arrived' AND seen.arrived_at IS NULL) THEN 'left_open'
                     WHEN said.status = 'arrived' OR seen.arrived_at IS NOT NULL THEN 'arrived'
                     ELSE 'pending' END
  FROM unnest($1::bigint[]) AS asked (stop_id)
  LEFT JOIN LATERAL (
       SELECT route.closed_at, route.closed_at IS NOT NULL AND route.status <> 'cancelled' AS is_closed,
              route.closed_at IS NOT NULL AND EXISTS (
                  SELECT FROM stop AS other
                   WHERE other.route_id = route.id AND other.outcome_at IS NOT NULL) AS is_worded
         FROM stop AS own JOIN route ON route.id = own.route_id WHERE own.id = asked.stop_id) AS tour ON true
  LEFT JOIN LATERAL (
       SELECT stop_status(type ORDER BY occurred_at, id, driver_id) AS status,
              coalesce(max(occurred_at) FILTER (WHERE type = 'reopened'), '-infinity') AS reopened_at,
              max(occurred_at) FILTER (WHERE type IN ('arrived', 'reopened')) AS last_at
         FROM driver_event AS event WHERE event.stop_id = asked.stop_id AND event.effective) AS said ON true
  LEFT JOIN LATERAL (
       SELECT min(occurred_at) FILTER (WHERE type = 'arrived' AND occurred_at > said.reopened_at) AS arrived_at,
              max(occurred_at) FILTER (WHERE type = 'departed' AND occurred_at > said.reopened_at) AS departed_at,
              max(occurred_at) FILTER (WHERE type = said.status AND type <> 'arrived') AS outcome_at
         FROM driver_event AS event WHERE event.stop_id = asked.stop_id AND event.effective) AS since ON true
  LEFT JOIN LATERAL (
       SELECT min(visit.arrived_at) AS arrived_at,
              CASE WHEN bool_and(visit.departed_at IS NOT NULL) THEN max(visit.departed_at) END AS departed_at
         FROM visit WHERE visit.stop_id = asked.stop_id AND visit.arrived_at > said.reopened_at) AS seen ON true
 WHERE stop.id = asked.stop_id
   AND (stop.outcome_at IS NULL OR EXISTS (SELECT FROM driver_event AS event WHERE event.stop_id = stop.id));

-- name: hold_routes
-- As hold_stops, for routes that several drivers had. $1 routes
SELECT FROM route WHERE id = ANY ($1::bigint[]) ORDER BY id FOR NO KEY UPDATE;

-- name: settle_routes
-- Make routes say what the feed says of their begin and end, whichever of their drivers it is about. A completed route
-- that has got another stop to come to, of which one was opened again, or that somebody took up again, is under way again.
-- One that began and is closed is finished, and so is one of which that was said. $1 routes
UPDATE route
   SET started_at = told.started_at,
       finished_at = coalesce(told.finished_at, CASE WHEN told.started_at IS NOT NULL OR route.closed_by = 'word'
                                                     THEN route.closed_at END),
       status = CASE WHEN route.status = 'cancelled' THEN 'cancelled'
                     WHEN told.finished_at IS NOT NULL OR route.closed_by = 'word'
                       OR told.started_at IS NOT NULL AND route.closed_at IS NOT NULL
                     THEN 'finished' WHEN told.started_at IS NOT NULL THEN 'started' ELSE 'planned' END
  FROM (SELECT asked.route_id, min(fact.occurred_at) FILTER (WHERE fact.type = 'route.started') AS started_at,
               max(fact.occurred_at) FILTER (WHERE fact.type = 'route.completed' AND plan.stop_ids <@ done.stop_ids
                                               AND (fact.occurred_at < fact.reopened_at) IS NOT TRUE
                                               AND NOT EXISTS (
                   SELECT FROM driver_event AS opened
                    WHERE opened.stop_id = ANY (plan.stop_ids) AND opened.type = 'reopened' AND opened.effective
                      AND opened.occurred_at > fact.occurred_at)) AS finished_at
          FROM unnest($1::bigint[]) AS asked (route_id)
          JOIN route AS now ON now.id = asked.route_id
          JOIN route_version AS plan ON plan.route_id = now.id AND plan.version = now.version
          LEFT JOIN (SELECT newest.*, max(occurred_at) FILTER (WHERE type = 'route.reopened') OVER tour AS reopened_at
                       FROM (SELECT DISTINCT ON (fact_id) route_id, route_version, type, state, occurred_at FROM event
                              WHERE route_id = ANY ($1::bigint[])
                                AND type IN ('route.started', 'route.completed', 'route.reopened')
                              ORDER BY fact_id, revision DESC) AS newest
                      WHERE state <> 'retracted' WINDOW tour AS (PARTITION BY route_id)) AS fact
            ON fact.route_id = asked.route_id
          LEFT JOIN route_version AS done ON done.route_id = fact.route_id AND done.version = fact.route_version
         GROUP BY asked.route_id) AS told
 WHERE route.id = told.route_id;
