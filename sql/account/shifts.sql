-- name: shifts_of_driver
-- The shifts of a driver that touch a span, in order, each with its breaks; what has no end yet goes on. The next shift
-- ends the one before, and the next break too.
-- $1 driver, $2 from, $3 to
SELECT shift.id, shift.occurred_at AS started_at, over.ended_at,
       coalesce((SELECT jsonb_agg(jsonb_build_object('started_at', pause.occurred_at, 'ended_at', back.ended_at)
                                  ORDER BY pause.occurred_at)
                   FROM driver_event AS pause
                   LEFT JOIN LATERAL (
                        SELECT occurred_at AS ended_at FROM driver_event
                         WHERE driver_id = $1 AND type IN ('break_started', 'break_ended', 'shift_started', 'shift_ended')
                           AND effective
                           AND (occurred_at, id) > (pause.occurred_at, pause.id)
                         ORDER BY occurred_at, id LIMIT 1) AS back ON true
                  WHERE pause.driver_id = $1 AND pause.type = 'break_started' AND pause.effective
                    AND pause.occurred_at >= shift.occurred_at
                    AND pause.occurred_at < coalesce(over.ended_at, 'infinity')), '[]') AS breaks
  FROM driver_event AS shift
  LEFT JOIN LATERAL (
       SELECT occurred_at AS ended_at FROM driver_event
        WHERE driver_id = $1 AND type IN ('shift_started', 'shift_ended') AND effective
          AND (occurred_at, id) > (shift.occurred_at, shift.id)
        ORDER BY occurred_at, id LIMIT 1) AS over ON true
 WHERE shift.driver_id = $1 AND shift.type = 'shift_started' AND shift.effective
   AND shift.occurred_at < $3 AND coalesce(over.ended_at, 'infinity') > $2
 ORDER BY shift.occurred_at, shift.id;

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
