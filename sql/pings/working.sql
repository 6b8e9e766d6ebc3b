-- name: accounts_of_working
-- Which of these accounts keep what was recorded while somebody works. $1 accounts
SELECT id FROM account WHERE id = ANY ($1::bigint[]) AND working_since IS NOT NULL;

-- name: tours_of_drivers
-- The hours of tours that drivers have or had: each version's while it was in force, and no longer than until the driver
-- said that the shift had ended. In no order; hours may overlap. Columns of one length: $1 driver, $2 leave out what was over
-- before, ms; $3 and $4 so long before its start and after its end a tour may be driven, ms
SELECT hours.driver_id, hours.from_ms,
       least(hours.until_ms, (SELECT to_ms(min(occurred_at)) FROM driver_event AS word
                               WHERE word.driver_id = hours.driver_id AND word.type = 'shift_ended' AND word.effective
                                 AND word.occurred_at > from_ms(hours.from_ms)
                                 AND word.occurred_at < from_ms(hours.until_ms))) AS until_ms
  FROM (SELECT plan.driver_id, greatest(to_ms(plan.start_at) - $3::bigint, to_ms(plan.effective_at)) AS from_ms,
               least(to_ms(plan.end_at) + $4::bigint, coalesce(to_ms(later.effective_at), 9223372036854775807)) AS until_ms
          FROM unnest($1::bigint[], $2::bigint[]) AS asked (driver, since)
          JOIN route_version AS plan ON plan.driver_id = asked.driver
                                    AND plan.end_at >= from_ms(asked.since - $4::bigint)
          LEFT JOIN LATERAL (
               SELECT effective_at FROM route_version AS next
                WHERE next.route_id = plan.route_id AND next.version > plan.version ORDER BY version LIMIT 1) AS later ON true
       ) AS hours
 WHERE hours.from_ms < hours.until_ms;

-- name: tours_changed
-- Have a tracker judge again what is kept and what is held of a driver whose tours changed; nothing, where the account keeps
-- by something else than tours. The caller holds the driver's lane. $1 lane, $2 driver, $3 account, $4 route, $5 so long before
-- the start of a tour it matters, ms
INSERT INTO track (lane, driver_id, account_id, shifts_from, rerun_from)
SELECT $1, $2, account.id, from_ms(min(to_ms(plan.start_at)) - $5::bigint), 'infinity'
  FROM account JOIN route_version AS plan ON plan.route_id = $4
 WHERE account.id = $3 AND working_since IS NOT NULL
 GROUP BY account.id
    ON CONFLICT (lane, driver_id) DO UPDATE
   SET version = track.version + 1,
       shifts_from = least(track.shifts_from, excluded.shifts_from),
       rerun_from = coalesce(track.rerun_from, excluded.rerun_from);
