-- What is shown beside a driver's place is told once, for all statements that read it.

-- When a driver said that a break begins, of a route on which they have come to no stop and said nothing else since.
CREATE FUNCTION break_of(driver bigint, route bigint) RETURNS TABLE (since timestamptz) LANGUAGE sql STABLE AS $$
SELECT CASE WHEN type = 'break_started'
             AND NOT EXISTS (SELECT FROM visit WHERE visit.route_id = $2 AND visit.driver_id = $1 AND arrived_at > occurred_at)
            THEN occurred_at END
  FROM driver_event
 WHERE driver_id = $1 AND type NOT IN ('note', 'reopened') AND effective
 ORDER BY occurred_at DESC, id DESC LIMIT 1
$$;

-- What is shown beside a driver's place: an alarm of at most that age, a call for help before any other, unless the shift was
-- ended since; a break; the stop where the van is.
CREATE FUNCTION beside_live(driver bigint, route bigint, alarm_shown interval)
    RETURNS TABLE (alarm text, alarm_at timestamptz, break_since timestamptz, at_stop_id bigint, at_break boolean)
    LANGUAGE sql STABLE AS $$
SELECT alarm.kind, alarm.at, pause.since, here.stop_id, coalesce(door.kind = 'break', false)
  FROM (SELECT) AS one
  LEFT JOIN LATERAL (
       SELECT data ->> 'alarm' AS kind, occurred_at AS at FROM event
        WHERE event.driver_id = $1 AND type IN ('driver.sos', 'driver.alarm') AND occurred_at > now() - $3
          AND NOT EXISTS (SELECT FROM driver_event AS word
                           WHERE word.driver_id = $1 AND word.type = 'shift_ended' AND word.effective
                             AND word.occurred_at > event.occurred_at)
        ORDER BY type = 'driver.sos' DESC, occurred_at DESC LIMIT 1) AS alarm ON true
  LEFT JOIN break_of($1, $2) AS pause ON true
  LEFT JOIN LATERAL (
       SELECT stop_id, departed_at FROM visit
        WHERE visit.route_id = $2 AND visit.driver_id = $1 AND stop_id IS NOT NULL
        ORDER BY arrived_at DESC LIMIT 1) AS here ON here.departed_at IS NULL
  LEFT JOIN stop AS door ON door.id = here.stop_id
$$;
