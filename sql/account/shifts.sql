-- name: shifts_of_driver
-- The shifts of a driver that touch a span, in order; what has no end yet goes on. What nobody ended is over when the next
-- begins, and no later than a limit after it began, but not before what was done in it.
-- $1 driver, $2 from, $3 to, $4 now, $5 how long a shift lasts at most
SELECT shift.id, shift.occurred_at AS started_at, over.ended_at, over.ended_by, most.at AS limit_at
  FROM driver_event AS shift
  LEFT JOIN LATERAL (
       SELECT type, occurred_at FROM driver_event
        WHERE driver_id = $1 AND type IN ('shift_started', 'shift_ended') AND effective
          AND (occurred_at, id) > (shift.occurred_at, shift.id)
        ORDER BY occurred_at, id LIMIT 1) AS next ON true
 CROSS JOIN LATERAL (
       SELECT greatest(shift.occurred_at + $5::interval, max(occurred_at) + interval '1 millisecond') AS at
         FROM driver_event
        WHERE driver_id = $1 AND stop_id IS NOT NULL AND type NOT IN ('note', 'reopened') AND effective
          AND occurred_at > shift.occurred_at
          AND occurred_at < least(next.occurred_at, shift.occurred_at + 2 * $5::interval)) AS most
 CROSS JOIN LATERAL (
       SELECT CASE WHEN next.type = 'shift_ended' THEN next.occurred_at
                   ELSE least(next.occurred_at, CASE WHEN most.at <= $4 THEN most.at END) END AS ended_at,
              CASE WHEN next.type = 'shift_ended' THEN 'said'
                   WHEN next.occurred_at <= most.at THEN 'next' WHEN most.at <= $4 THEN 'limit' END AS ended_by) AS over
 WHERE shift.driver_id = $1 AND shift.type = 'shift_started' AND shift.effective
   AND shift.occurred_at < $3 AND coalesce(over.ended_at, 'infinity') > $2
 ORDER BY shift.occurred_at, shift.id;

-- name: breaks_of_driver
-- The breaks of a driver that began in a span, in order; what has no end yet goes on. One is over when it is said so, when
-- anything else is said of a shift, a tour or a stop, when pings show a visit, and no later than a limit after it began.
-- $1 driver, $2 from, $3 to, $4 now, $5 how long a break lasts at most
SELECT pause.id, pause.occurred_at AS started_at, over.at AS ended_at, over.how AS ended_by
  FROM driver_event AS pause
  LEFT JOIN LATERAL (
       (SELECT occurred_at AS at, CASE type WHEN 'break_ended' THEN 'said' WHEN 'shift_ended' THEN 'shift'
                                            WHEN 'shift_started' THEN 'next' WHEN 'break_started' THEN 'next'
                                            ELSE 'word' END AS how
          FROM driver_event
         WHERE driver_id = $1 AND type <> 'note' AND type <> 'reopened' AND effective
           AND (occurred_at, id) > (pause.occurred_at, pause.id) AND occurred_at <= pause.occurred_at + $5::interval
         ORDER BY occurred_at, id LIMIT 1)
        UNION ALL
       (SELECT visit.arrived_at, 'visit'
          FROM route JOIN visit ON visit.route_id = route.id AND visit.driver_id = $1
         WHERE route.driver_id = $1 AND route.start_at < pause.occurred_at + interval '1 day'
           AND route.end_at > pause.occurred_at - interval '1 day'
           AND visit.arrived_at > pause.occurred_at AND visit.arrived_at <= pause.occurred_at + $5::interval
         ORDER BY visit.arrived_at LIMIT 1)
        UNION ALL
        SELECT pause.occurred_at + $5::interval, 'limit' WHERE pause.occurred_at + $5::interval <= $4
        ORDER BY at, how DESC LIMIT 1) AS over ON true
 WHERE pause.driver_id = $1 AND pause.type = 'break_started' AND pause.effective
   AND pause.occurred_at >= $2 AND pause.occurred_at < $3
 ORDER BY pause.occurred_at, pause.id;

-- name: look_at_shifts
-- Have somebody look at when drivers' shifts and breaks were over, of around a time on. What is said or seen of stops makes a
-- difference only for a break it may end, and for a shift that the clock has ended. The caller holds the drivers' lanes.
-- Columns of one length: $1 driver, $2 first and $3 last ms of what was said or seen, $4 whether it was about shifts or breaks;
-- $5 how long a break lasts at most
UPDATE driver
   SET shifts_look_at = now(), shifts_from = least(shifts_from, from_ms(heard.first_ms))
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::boolean[]) AS heard (driver, first_ms, last_ms, of_spells)
 WHERE driver.id = heard.driver
   AND (heard.of_spells
        OR EXISTS (SELECT FROM driver_event
                    WHERE driver_id = heard.driver AND type = 'break_started' AND effective
                      AND occurred_at BETWEEN from_ms(heard.first_ms) - $5::interval AND from_ms(heard.last_ms))
        OR (driver.shifts_look_at IS NULL
            AND (SELECT type FROM driver_event
                  WHERE driver_id = heard.driver AND type IN ('shift_started', 'shift_ended') AND effective
                    AND occurred_at <= from_ms(heard.last_ms)
                  ORDER BY occurred_at DESC, id DESC LIMIT 1) = 'shift_started'));

-- name: drivers_to_look_at
-- Whose shifts or breaks may be over, or may not be any more. $1 now, $2 how many
SELECT id, account_id, lane FROM driver WHERE shifts_look_at <= $1 ORDER BY shifts_look_at, id LIMIT $2;

-- name: looks_from
-- From when on; null: nothing is due. The caller holds the driver's lane. $1 driver, $2 now
SELECT least(shifts_from, shifts_look_at) FROM driver WHERE id = $1 AND shifts_look_at <= $2;

-- name: looked_at_shifts
-- $1 driver, $2 when to look again; null: not before something is said
UPDATE driver SET shifts_look_at = $2, shifts_from = NULL WHERE id = $1;

-- name: ends_told
-- The facts that told of ends of a driver's shifts and breaks from a time on. $1 driver, $2 from
SELECT DISTINCT fact_id FROM event
 WHERE driver_id = $1 AND type IN ('shift.ended', 'break.ended') AND occurred_at >= $2;

-- name: outcomes_of_shifts
-- What became of stops in a driver's shifts and stood at the end of each: the last word on every stop, unless it was
-- reopened after. $1 driver; columns of one length: $2 shift, $3 begin, $4 end or null
SELECT shift.id AS shift_id, event.type, event.outcome
  FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) AS shift (id, started_at, ended_at),
LATERAL (SELECT DISTINCT ON (stop_id) stop_id, type, outcome, occurred_at, id FROM driver_event
          WHERE driver_id = $1 AND effective AND type IN ('completed', 'partially_completed', 'failed', 'skipped')
            AND occurred_at >= shift.started_at AND occurred_at < coalesce(shift.ended_at, 'infinity')
          ORDER BY stop_id, occurred_at DESC, id DESC) AS event
 WHERE NOT EXISTS (SELECT FROM driver_event AS undone
                    WHERE undone.stop_id = event.stop_id AND undone.type = 'reopened' AND undone.effective
                      AND (undone.occurred_at, undone.id) > (event.occurred_at, event.id)
                      AND undone.occurred_at < coalesce(shift.ended_at, 'infinity'));
