-- name: claim_uploads
-- Tie a driver's uploads to the events that name them, whether an upload is over, under way or not begun. Only the first
-- event of an upload is kept, or the first that can have an effect where one before it cannot, and only where both mean the
-- same stop and kind. Bytes that are not what the event says are no proof, in whichever order the two came.
-- $1 account, $2 driver, $3 device or null, $4 what events name, in order: a list of objects with the columns below
INSERT INTO proof AS known (account_id, driver_id, device_id, upload_id, stop_id, kind, event_id, event_at, event_lat,
                            event_lon, event_sha256)
SELECT $1, $2, $3, upload_id, stop_id, kind, event_id, from_ms(occurred_ms), lat, lon, decode(sha256, 'hex')
  FROM (SELECT DISTINCT ON (named.upload_id) named.*
          FROM jsonb_to_recordset($4) AS named (place int, upload_id uuid, stop_id bigint, kind text, event_id uuid,
                                                occurred_ms bigint, lat float8, lon float8, sha256 text)
          LEFT JOIN proof AS there ON there.driver_id = $2 AND there.upload_id = named.upload_id
          LEFT JOIN driver_event AS said ON said.driver_id = $2 AND said.id = named.event_id
         WHERE there.id IS NULL OR there.stop_id = named.stop_id AND there.kind = named.kind
         ORDER BY named.upload_id, said.flaw IS NOT NULL, named.place) AS first
 ORDER BY place
    ON CONFLICT (driver_id, upload_id) DO UPDATE
   SET event_id = excluded.event_id, event_at = excluded.event_at, event_lat = excluded.event_lat,
       event_lon = excluded.event_lon, event_sha256 = excluded.event_sha256,
       state = CASE WHEN known.state = 'stored' AND excluded.event_sha256 <> known.sha256 THEN 'refused'
                    ELSE known.state END,
       why = CASE WHEN known.state = 'stored' AND excluded.event_sha256 <> known.sha256 THEN 'sha256-differs'
                  ELSE known.why END
 WHERE known.stop_id = excluded.stop_id AND known.kind = excluded.kind
   AND (known.event_id IS NULL
        OR EXISTS (SELECT FROM driver_event WHERE driver_id = $2 AND id = known.event_id AND flaw IS NOT NULL)
           AND EXISTS (SELECT FROM driver_event WHERE driver_id = $2 AND id = excluded.event_id AND flaw IS NULL));

-- name: claimed
-- What became of a driver's uploads. $1 driver, $2 uploads
SELECT upload_id, stop_id, kind, state, why FROM proof WHERE driver_id = $1 AND upload_id = ANY ($2::uuid[]);

-- name: store
-- The bytes can be shown. They are no proof if that was found otherwise, or they are not what event or metadata say. $1 proof, $2 bytes and
-- $3 SHA-256 of the original, $4 its type; $5 bytes, $6 SHA-256 and $7 type of what is shown, $8 width and $9 height in
-- pixels or null; $10 when, $11 lat and $12 lon the photo itself says, each may be null; $13 whether all of it can be seen;
-- $14 why it is no proof, or null
UPDATE proof
   SET state = CASE WHEN $14::text IS NULL AND $3 = ALL (array_remove(ARRAY[event_sha256, said_sha256], NULL))
                    THEN 'stored' ELSE 'refused' END,
       why = CASE WHEN $3 = ALL (array_remove(ARRAY[event_sha256, said_sha256], NULL)) THEN $14 ELSE 'sha256-differs' END,
       stored_at = now(), size_bytes = $2, sha256 = $3, media_type = $4, served_bytes = $5, served_sha256 = $6,
       served_type = $7, width_px = $8, height_px = $9, exif_at = $10, exif_lat = $11, exif_lon = $12,
       whole = $13
 WHERE id = $1 AND state = 'pending';

-- name: refuse
-- The bytes are no proof, and nothing of them can be shown. $1 proof, $2 bytes and $3 SHA-256 of the original, $4 why
UPDATE proof SET state = 'refused', why = $4, stored_at = now(), size_bytes = $2, sha256 = $3
 WHERE id = $1 AND state = 'pending';

-- name: stop_of_driver
-- A stop of a route that a driver drives, or drove before it was given to another one or deleted. $1 account, $2 driver, $3 stop
SELECT stop.id FROM stop JOIN route ON route.id = stop.route_id
 WHERE stop.account_id = $1 AND stop.id = $3
   AND (route.driver_id = $2
        OR EXISTS (SELECT FROM route_version WHERE route_id = route.id AND route_version.driver_id = $2));

-- name: read_proofs
-- Proofs of one stop, or one proof, in the order they were made; each with its stop, and the believed ping of its driver
-- that is nearest to it in time. $1 account, $2 stop or null, $3 proof or null, $4 and $5 seconds that ping may lie before
-- and after
SELECT proof.id, proof.stop_id, proof.driver_id, driver.external_id AS driver_external_id, driver.name AS driver_name,
       proof.upload_id, proof.kind, proof.state, proof.why, begun_at, stored_at, event_id, event_at, event_lat,
       event_lon, said_at, said_lat, said_lon, exif_at, exif_lat, exif_lon, filename, size_bytes, sha256,
       media_type, served_bytes, served_sha256, served_type, width_px, height_px, whole, stop.lat AS stop_lat,
       stop.lon AS stop_lon, coalesce(fix_at, near.recorded_at) AS fix_at, coalesce(fix_lat, near.lat) AS fix_lat,
       coalesce(fix_lon, near.lon) AS fix_lon, coalesce(fix_accuracy_m, near.accuracy_m) AS fix_accuracy_m
  FROM proof
  JOIN driver ON driver.id = proof.driver_id
  JOIN stop ON stop.id = proof.stop_id
  LEFT JOIN LATERAL (
       SELECT recorded_at, lat_e6 / 1e6::float8 AS lat, lon_e6 / 1e6::float8 AS lon, accuracy_m
         FROM ping, LATERAL (SELECT coalesce(said_at, event_at, exif_at, begun_at) AS taken_at) AS proven
        WHERE proof.fix_checked_at IS NULL
          AND device_id IN (SELECT device.id FROM device WHERE device.driver_id = driver.id)
          AND recorded_at BETWEEN taken_at - make_interval(secs => $4::float8)
                              AND taken_at + make_interval(secs => $5::float8)
          AND believed IS NOT false
        ORDER BY abs(extract(epoch FROM recorded_at - taken_at)), recorded_at, lat_e6, lon_e6 LIMIT 1) AS near ON true
 WHERE proof.account_id = $1 AND ($2::bigint IS NULL OR proof.stop_id = $2) AND ($3::bigint IS NULL OR proof.id = $3)
   AND (proof.stop_id = $2 OR proof.id = $3)
 ORDER BY coalesce(said_at, event_at, exif_at, begun_at), proof.id;

-- name: stop_exists
-- $1 account, $2 stop
SELECT EXISTS (SELECT FROM stop WHERE account_id = $1 AND id = $2);

-- name: keep_fixes
-- Keep the nearest ping of old proofs before pings are dropped. $1 stored before, $2 how many at most, $3 and $4 seconds
-- that it may lie before and after
WITH old AS (
    SELECT proof.id, proof.driver_id, coalesce(said_at, event_at, exif_at, begun_at) AS taken_at
      FROM proof
     WHERE fix_checked_at IS NULL AND stored_at < $1 ORDER BY stored_at LIMIT $2
), near AS (
    SELECT old.id, found.* FROM old LEFT JOIN LATERAL (
        SELECT recorded_at, lat_e6 / 1e6::float8 AS lat, lon_e6 / 1e6::float8 AS lon, accuracy_m
          FROM ping
         WHERE device_id IN (SELECT device.id FROM device WHERE device.driver_id = old.driver_id)
           AND recorded_at BETWEEN taken_at - make_interval(secs => $3::float8)
                               AND taken_at + make_interval(secs => $4::float8)
           AND believed IS NOT false
         ORDER BY abs(extract(epoch FROM recorded_at - taken_at)), recorded_at, lat_e6, lon_e6 LIMIT 1) AS found ON true
)
UPDATE proof SET fix_checked_at = now(), fix_at = near.recorded_at, fix_lat = near.lat, fix_lon = near.lon,
                 fix_accuracy_m = near.accuracy_m
  FROM near WHERE proof.id = near.id
RETURNING proof.id;

-- name: old_proofs
-- Proofs to forget, oldest first. $1 stored before, $2 how many
SELECT id, account_id FROM proof WHERE stored_at < $1 ORDER BY stored_at LIMIT $2;

-- name: forget_proofs
-- $1 proofs
DELETE FROM proof WHERE id = ANY ($1::bigint[]);

-- name: stop_story
-- A stop with its route and its driver, and what happened there. $1 account, $2 stop
SELECT stop.id, stop.external_id, stop.kind, stop.name, stop.address, stop.lat, stop.lon, stop.status, stop.locale,
       stop.arrived_at, stop.departed_at, stop.window_start, stop.window_end, stop.cash_amount, stop.cash_currency,
       stop.proof AS required, stop.along_m, stop.radius_m,
       coalesce((SELECT jsonb_agg(jsonb_build_object('barcode', barcode, 'description', description, 'quantity', quantity)
                                  ORDER BY parcel.seq)
                   FROM parcel WHERE parcel.stop_id = stop.id), '[]') AS parcels,
       route.id AS route_id, route.external_id AS route_external_id, route.version AS route_version, route.date,
       route.timezone, account.settings
  FROM stop JOIN route ON route.id = stop.route_id JOIN account ON account.id = stop.account_id
 WHERE stop.account_id = $1 AND stop.id = $2;

-- name: outcome
-- The last effective word of a driver or dispatcher on how a stop ended; none after it was reopened. $1 stop
SELECT * FROM (
    SELECT driver_event.id, driver_event.type, driver_event.occurred_at, driver_event.lat, driver_event.lon,
           driver_event.data, driver_event.outcome, driver_event.driver_id, driver.external_id AS driver_external_id,
           driver.name AS driver_name
      FROM driver_event JOIN driver ON driver.id = driver_event.driver_id
     WHERE stop_id = $1 AND effective
       AND type IN ('completed', 'partially_completed', 'failed', 'skipped', 'reopened')
     ORDER BY occurred_at DESC, driver_event.id DESC LIMIT 1) AS last
 WHERE type <> 'reopened';

-- name: photos_of_stop
-- The photos that show what was handed over: those of words that count. $1 stop
SELECT proof.id FROM proof JOIN driver_event AS said ON said.stop_id = proof.stop_id AND said.id = proof.event_id
 WHERE proof.stop_id = $1 AND proof.kind = 'photo' AND proof.state = 'stored'
   AND said.effective AND said.type IN ('completed', 'partially_completed')
 ORDER BY proof.id LIMIT 4;

-- name: find_blob
-- Whose proof it is, and the type of what is shown of it. $1 proof
SELECT account_id, served_type FROM proof WHERE id = $1;
