-- name: spells_of_drivers
-- When drivers were in a shift, in order: from each that they began until its end or the next one's beginning, and no
-- longer than a limit.
-- Columns of one length: $1 driver, $2 leave out what was over before, ms; $3 the limit, ms
SELECT shift.driver_id, to_ms(shift.occurred_at) AS from_ms,
       least(to_ms(shift.occurred_at) + $3::bigint, over.ended_ms) AS until_ms
  FROM unnest($1::bigint[], $2::bigint[]) AS asked (driver, since)
  JOIN driver_event AS shift ON shift.driver_id = asked.driver AND shift.type = 'shift_started' AND shift.effective
                            AND shift.occurred_at >= from_ms(asked.since - $3::bigint)
  LEFT JOIN LATERAL (
       SELECT to_ms(occurred_at) AS ended_ms FROM driver_event
        WHERE driver_id = shift.driver_id AND type IN ('shift_started', 'shift_ended') AND effective
          AND (occurred_at, id) > (shift.occurred_at, shift.id)
        ORDER BY occurred_at, id LIMIT 1) AS over ON true
 ORDER BY shift.driver_id, shift.occurred_at, shift.id;

-- name: put_held
-- Hold blocks back; what is past its time already is not kept at all. Columns of one length: $1 lane, $2 driver,
-- $3 until when, ms, $4 body
INSERT INTO held (lane, driver_id, expires_at, body)
SELECT lane, driver, from_ms(expires), body
  FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bytea[]) AS block (lane, driver, expires, body)
 WHERE from_ms(expires) > now();

-- name: pop_held
-- Take all that is held of some drivers of locked lanes; what is past its time goes without being read.
-- Columns of one length: $1 lane, $2 driver
WITH gone AS (
    DELETE FROM held USING unnest($1::smallint[], $2::bigint[]) AS asked (lane, driver)
     WHERE held.lane = asked.lane AND held.driver_id = asked.driver
    RETURNING held.lane, held.driver_id, held.id, held.expires_at, held.unreadable, held.body
)
SELECT lane, driver_id, id, to_ms(expires_at) AS expires_ms, unreadable, body
  FROM gone WHERE expires_at > now() ORDER BY driver_id, id;

-- name: put_back_held
-- Hold on to blocks that cannot be opened. Columns of one length: $1 lane, $2 driver, $3 until when, ms, $4 body
INSERT INTO held (lane, driver_id, expires_at, body, unreadable)
SELECT lane, driver, from_ms(expires), body, true
  FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bytea[]) AS block (lane, driver, expires, body);

-- name: unreadable_held
-- How many blocks a tracker could not open.
SELECT count(*) FROM held WHERE unreadable;

-- name: drop_expired
-- Delete what no shift has claimed in time. $1 at most so many
DELETE FROM held
 WHERE ctid = ANY (ARRAY(SELECT ctid FROM held WHERE expires_at <= now() ORDER BY expires_at LIMIT $1))
RETURNING id;

-- name: shifts_changed
-- Have a tracker judge again what is kept and what is held of a driver whose shifts changed from a time on; nothing, where
-- the account keeps all. A re-run from infinity is none: it only makes the tracker look. The caller holds the driver's lane.
-- $1 lane, $2 driver, $3 account, $4 from when, $5 so long before a shift it matters where tours count too, ms
INSERT INTO track (lane, driver_id, account_id, shifts_from, rerun_from)
SELECT $1, $2, id, CASE WHEN working_since IS NULL THEN $4 ELSE from_ms(to_ms($4) - $5::bigint) END, 'infinity'
  FROM account WHERE id = $3 AND (shift_only_since IS NOT NULL OR working_since IS NOT NULL)
    ON CONFLICT (lane, driver_id) DO UPDATE
   SET version = track.version + 1,
       shifts_from = least(track.shifts_from, excluded.shifts_from),
       rerun_from = coalesce(track.rerun_from, excluded.rerun_from);

-- name: release_held
-- Have the trackers judge all that is held of an account's drivers, who are watched by another rule now. The caller holds every
-- lane. $1 account
INSERT INTO track (lane, driver_id, account_id, shifts_from, rerun_from)
SELECT DISTINCT held.lane, held.driver_id, driver.account_id, timestamptz '1970-01-01Z', timestamptz 'infinity'
  FROM held JOIN driver ON driver.id = held.driver_id
 WHERE driver.account_id = $1
    ON CONFLICT (lane, driver_id) DO UPDATE
   SET version = track.version + 1, shifts_from = excluded.shifts_from,
       rerun_from = coalesce(track.rerun_from, excluded.rerun_from);

-- name: take_out_pings
-- Take a driver's pings out of history that lie in no shift.
-- $1 driver, $2 recorded from, ms, $3 received from, ms; columns of one length, the shifts: $4 from, $5 until, ms
WITH outside AS (
    SELECT ping.* FROM device JOIN ping ON ping.device_id = device.id
     WHERE device.driver_id = $1 AND ping.recorded_at >= from_ms($2) AND ping.received_at >= from_ms($3)
       AND NOT EXISTS (SELECT FROM unnest($4::bigint[], $5::bigint[]) AS shift (since, until)
                        WHERE ping.recorded_at BETWEEN from_ms(shift.since) AND from_ms(shift.until))
), gone AS (
    DELETE FROM packed_ping AS ping USING outside
     WHERE ping.device_id = outside.device_id AND ping.recorded_at = outside.recorded_at AND ping.lat_e6 = outside.lat_e6
       AND ping.lon_e6 = outside.lon_e6
)
SELECT ping.driver_id, ping.device_id, to_ms(ping.recorded_at) AS recorded_ms, to_ms(ping.received_at) AS received_ms,
       ping.lat_e6, ping.lon_e6, ping.accuracy_m, ping.altitude_m, ping.speed_mps, ping.heading_deg, ping.battery,
       ping.charging, ping.mock, ping.activity, ping.client_id, ping.flags, ping.route_id
  FROM outside AS ping;

-- name: forget_position
-- Show a driver nowhere whose shown place was taken out. $1 lane, $2 driver, $3 recorded ms of what was taken out
DELETE FROM live
 WHERE lane = $1 AND driver_id = $2 AND recorded_at IN (SELECT from_ms(ms) FROM unnest($3::bigint[]) AS ms);

-- name: rerun_at_once
-- Let a driver be folded again without waiting since the last time. $1 lane, $2 driver
UPDATE track SET rerun_at = '-infinity' WHERE lane = $1 AND driver_id = $2;

-- name: forget_etas
-- ETAs that rest on a ping that was taken out. $1 routes they may be of, $2 recorded ms of what was taken out
DELETE FROM route_eta
 WHERE route_id = ANY ($1::bigint[]) AND as_of IN (SELECT from_ms(ms) FROM unnest($2::bigint[]) AS ms);

-- name: forget_places_of_facts
-- The feed keeps that something was said, and says that it does not stand; where the driver was it forgets. In the order of
-- ids, as facts are numbered. $1 driver, $2 recorded ms of what was taken out
WITH known AS (
    SELECT event.id FROM event
     WHERE driver_id = $1
       AND (folded_at IN (SELECT from_ms(ms) FROM unnest($2::bigint[]) AS ms)
            OR (folded_at IS NULL AND type IN ('driver.silent', 'driver.seen')
                AND occurred_at IN (SELECT from_ms(ms) FROM unnest($2::bigint[]) AS ms)))
     ORDER BY event.id FOR UPDATE
)
UPDATE event SET data = data - '{lat,lon,along_m,offset_m}'::text[] FROM known WHERE event.id = known.id;

-- name: forget_fixes_of_proofs
-- Where a proof was taken, as the ping nearest to it said; it is looked up again. $1 driver, $2 recorded ms of what was
-- taken out
UPDATE proof
   SET fix_checked_at = NULL, fix_at = NULL, fix_lat = NULL, fix_lon = NULL, fix_accuracy_m = NULL
 WHERE driver_id = $1 AND fix_at IN (SELECT from_ms(ms) FROM unnest($2::bigint[]) AS ms);

-- name: forget_detours
-- Detours that rest on what was taken out; those that stand are matched again. $1 driver, $2 recorded ms of what was taken out
UPDATE detour
   SET path = '[]', length_m = 0, pings = 0, checked_at = NULL
 WHERE driver_id = $1
   AND EXISTS (SELECT FROM unnest($2::bigint[]) AS ms WHERE from_ms(ms) BETWEEN detour.from_at AND detour.to_at);
