-- name: waits_in_inbox
-- Pings that came before it was asked and that no tracker has taken yet may be theirs. $1 lane, $2 since when
SELECT EXISTS (SELECT FROM inbox WHERE lane = $1 AND received_at <= $2);

-- name: drop_pings_of_day
-- $1 driver, $2 and $3 begin and end of the day
DELETE FROM packed_ping
 WHERE recorded_at >= $2 AND recorded_at < $3 AND device_id IN (SELECT id FROM device WHERE device.driver_id = $1)
RETURNING device_id;

-- name: drop_held
-- $1 lane, $2 driver
DELETE FROM held WHERE lane = $1 AND driver_id = $2 RETURNING id;

-- name: drop_detours
-- $1 driver
DELETE FROM detour WHERE driver_id = $1 RETURNING route_id;

-- name: drop_live
-- $1 lane, $2 driver
WITH beats AS (DELETE FROM heartbeat WHERE lane = $1 AND driver_id = $2)
DELETE FROM live WHERE lane = $1 AND driver_id = $2 RETURNING driver_id;

-- name: blank_track
-- $1 lane, $2 driver
UPDATE track
   SET state = NULL, version = version + 1, folded_until = '-infinity', head_at = '-infinity',
       stored_until = '-infinity', unmarked = 0, rerun_from = NULL, shifts_from = NULL, silent = false
 WHERE lane = $1 AND driver_id = $2 AND state IS NOT NULL
RETURNING driver_id;

-- name: drop_marks
-- $1 lane, $2 driver
DELETE FROM checkpoint WHERE lane = $1 AND driver_id = $2 RETURNING driver_id;

-- name: drop_reruns
-- $1 lane, $2 driver
DELETE FROM rerun WHERE lane = $1 AND driver_id = $2 RETURNING driver_id;

-- name: blank_feed_of_driver
-- Where they were and what they wrote; that and when something happened at a stop stays. In the order of ids. $1 driver,
-- $2 how many
WITH mine AS (
    SELECT event.id FROM event
     WHERE event.id = ANY (ARRAY(SELECT id FROM event
                                  WHERE driver_id = $1 AND data ?| '{lat,lon,along_m,offset_m,note}' LIMIT $2))
     ORDER BY event.id FOR NO KEY UPDATE
)
UPDATE event SET data = data - '{lat,lon,along_m,offset_m,note}'::text[] FROM mine WHERE event.id = mine.id
RETURNING event.id;

-- name: blank_words_of_driver
-- $1 driver, $2 how many
UPDATE driver_event SET lat = NULL, lon = NULL, data = data - 'note'
 WHERE ctid = ANY (ARRAY(SELECT ctid FROM driver_event
                          WHERE driver_id = $1 AND (lat IS NOT NULL OR lon IS NOT NULL OR data ? 'note') LIMIT $2))
RETURNING id;

-- name: drop_visits_of_fences
-- Visits of tours stay: what became of stops rests on them. $1 driver, $2 lane
DELETE FROM visit WHERE lane = $2 AND driver_id = $1 AND stop_id IS NULL RETURNING visit_id;

-- name: drop_manifest_parts
-- $1 driver
DELETE FROM manifest_part WHERE driver_id = $1;

-- name: drop_manifest
-- $1 driver
DELETE FROM manifest WHERE driver_id = $1 RETURNING driver_id;

-- name: drop_learned_drives
-- How this driver drives. $1 account, $2 driver, as text
DELETE FROM eta_drive WHERE account_id = $1 AND scope = 'drive_driver' AND key = $2 RETURNING scope;

-- name: drop_learned_services
-- $1 account, $2 driver, as text
DELETE FROM eta_service WHERE account_id = $1 AND scope = 'service_driver' AND key = $2 RETURNING scope;

-- name: blank_driver
-- $1 driver
UPDATE driver SET name = '', external_id = '', phone = NULL, locale = NULL, deleted_at = coalesce(deleted_at, now())
 WHERE id = $1 AND (name <> '' OR external_id <> '' OR num_nonnulls(phone, locale) > 0)
RETURNING id;

-- name: blank_devices
-- $1 driver
UPDATE device SET label = NULL WHERE driver_id = $1;

-- name: remains_of_driver
-- $1 driver, $2 lane
SELECT (SELECT count(*) FROM visit WHERE visit.driver_id = $1 AND lane = $2) AS visits,
       (SELECT count(*) FROM driver_event WHERE driver_event.driver_id = $1) AS driver_events,
       (SELECT count(*) FROM event WHERE event.driver_id = $1) AS feed,
       (SELECT count(*) FROM proof WHERE proof.driver_id = $1) AS proofs,
       (SELECT count(DISTINCT route_id) FROM route_version WHERE route_version.driver_id = $1) AS routes;
