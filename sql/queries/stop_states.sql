-- name: judge_stop_events
-- Walk through everything said of some stops in the order in which it happened, and note what is in force. The plan that
-- counts for an event is the one in force when it happened; what was said before the dispatcher changed it stands. An
-- event that happened before the driver was given a stop which nobody else had counts too. Gives back what is another
-- thing than before; an event that has just been written was not in force.
-- $1 stops, $2 wrong PINs after which no other counts
WITH said AS (
    SELECT event.driver_id, event.id, event.stop_id, event.type, event.effective AS was_effective, event.why AS was_why,
           row_number() OVER (PARTITION BY event.stop_id ORDER BY event.occurred_at, event.id, event.driver_id) AS place,
           coalesce(event.flaw,
                    CASE WHEN event.pin_generation IS NOT NULL AND $2 <= count(*) FILTER (WHERE event.flaw = 'wrong-pin')
                                   OVER (PARTITION BY event.stop_id, event.pin_generation
                                             ORDER BY event.occurred_at, event.id, event.driver_id
                                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 'pin-locked' END,
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
-- Note which of a driver's shifts and breaks begin or end something; the end of a shift ends its break too. What is older
-- than a time stays as it is. Gives back what is another thing than before. $1 driver, $2 from when, ms
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
      WHERE driver_id = $1 AND type IN ('break_started', 'break_ended', 'shift_ended') AND occurred_at < from_ms($2)
      ORDER BY occurred_at DESC, id DESC LIMIT 1)
), spells AS (
    SELECT id, type, 'shift' AS spell, type = 'shift_started' AS begins, occurred_at
      FROM told WHERE type IN ('shift_started', 'shift_ended')
     UNION ALL
    SELECT id, type, 'break', type = 'break_started', occurred_at
      FROM told WHERE type <> 'shift_started'
), judged AS (
    SELECT id, type, spell, occurred_at, begins,
           begins <> lag(begins, 1, false) OVER (PARTITION BY spell ORDER BY occurred_at, id) AS effective
      FROM spells
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
-- Note which of a driver's starts begin another route than the one before; what is older than a time stays as it is. Who
-- may start a route is judged like who may speak of a stop. Gives back what is another thing than before.
-- $1 driver, $2 from when, ms
WITH told AS (
    SELECT event.id, event.occurred_at, event.route_id,
           CASE WHEN event.route_id IS NULL THEN 'no-route'
                WHEN plan.driver_id = event.driver_id THEN NULL
                WHEN plan.driver_id IS NOT NULL THEN 'given-to-another-driver'
                WHEN EXISTS (SELECT FROM route_version AS later
                              WHERE later.route_id = event.route_id AND later.version > plan.version
                                AND later.driver_id = event.driver_id) THEN NULL
                ELSE 'taken-from-driver' END AS hindrance
      FROM driver_event AS event
      LEFT JOIN LATERAL (SELECT version, driver_id FROM route_version
                          WHERE route_id = event.route_id
                            AND effective_at <= least(event.occurred_at, event.received_at)
                          ORDER BY version DESC LIMIT 1) AS plan ON true
     WHERE event.driver_id = $1 AND event.type = 'route_started' AND event.occurred_at >= from_ms($2)
), before AS (
    SELECT route_id FROM driver_event
     WHERE driver_id = $1 AND type = 'route_started' AND effective AND occurred_at < from_ms($2)
     ORDER BY occurred_at DESC, id DESC LIMIT 1
), judged AS (
    SELECT id, hindrance,
           route_id IS DISTINCT FROM
               lag(route_id, 1, (SELECT route_id FROM before)) OVER (PARTITION BY hindrance IS NULL ORDER BY occurred_at, id)
               AS is_another
      FROM told
), reasons AS (
    SELECT id, hindrance IS NULL AND is_another AS effective,
           coalesce(hindrance, CASE WHEN NOT is_another THEN 'already-started' END) AS why
      FROM judged
)
UPDATE driver_event AS event SET effective = reasons.effective, why = reasons.why
  FROM reasons JOIN driver_event AS was ON was.driver_id = $1 AND was.id = reasons.id
 WHERE event.driver_id = $1 AND event.id = reasons.id
   AND (reasons.effective, reasons.why) IS DISTINCT FROM (was.effective, was.why)
RETURNING event.driver_id, event.id, event.account_id, event.lane, event.type, event.route_id, event.stop_id,
          to_ms(event.occurred_at) AS occurred_ms, event.lat, event.lon, event.data, event.outcome, event.effective,
          was.effective AS was_effective;

-- name: starts_of_route
-- From when on a new version of a route may change what the starts mean of each driver who ever had it: the first that
-- names it, or that was not long before its hours, or later. Drivers who never said one are not given back. $1 route
SELECT had.driver_id, to_ms(min(event.occurred_at)) AS from_ms
  FROM (SELECT DISTINCT driver_id FROM route_version WHERE route_id = $1 AND driver_id IS NOT NULL) AS had
  JOIN driver_event AS event ON event.driver_id = had.driver_id AND event.type = 'route_started'
   AND (event.route_id = $1
        OR event.occurred_at >= (SELECT min(start_at) - interval '1 day' FROM route_version WHERE route_id = $1))
 GROUP BY had.driver_id ORDER BY had.driver_id;
