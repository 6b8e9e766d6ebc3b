-- name: shifts_of_driver
-- The shifts of a driver that touch a span, in order, each with its breaks; what has no end yet goes on. What nobody ended is
-- over when the next begins, and no later than a limit after it began; a shift not before what was done in it, a break when
-- something is done at a stop or a tour is begun.
-- $1 driver, $2 from, $3 to, $4 now, $5 how long a shift and $6 how long a break lasts at most
SELECT shift.id, shift.occurred_at AS started_at, over.ended_at, over.ended_by,
       coalesce((SELECT jsonb_agg(jsonb_build_object('started_at', pause.occurred_at, 'ended_at', back.ended_at)
                                  ORDER BY pause.occurred_at)
                   FROM driver_event AS pause
                   LEFT JOIN LATERAL (
                        SELECT least(min(occurred_at), CASE WHEN pause.occurred_at + $6::interval <= $4
                                                            THEN pause.occurred_at + $6::interval END) AS ended_at
                          FROM driver_event
                         WHERE driver_id = $1 AND type <> 'note' AND type <> 'reopened' AND effective
                           AND (occurred_at, id) > (pause.occurred_at, pause.id)
                           AND occurred_at <= pause.occurred_at + $6::interval) AS back ON true
                  WHERE pause.driver_id = $1 AND pause.type = 'break_started' AND pause.effective
                    AND pause.occurred_at >= shift.occurred_at
                    AND pause.occurred_at < coalesce(over.ended_at, 'infinity')), '[]') AS breaks
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
