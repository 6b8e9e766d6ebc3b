-- name: claim_upload
-- Tie a driver's upload to the event that names it, whether the upload is over, under way or not begun. Only the first
-- event of an upload is kept, and only where both mean the same stop and kind. Bytes that are not what the event says
-- are no proof, in whichever order the two came.
-- $1 account, $2 driver, $3 device or null, $4 upload, $5 stop, $6 kind, $7 event, $8 its occurred_at, $9 lat,
-- $10 lon (degrees, or null), $11 SHA-256 or null
INSERT INTO proof AS known (account_id, driver_id, device_id, upload_id, stop_id, kind, event_id, event_at, event_lat,
                            event_lon, event_sha256)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT (driver_id, upload_id) DO UPDATE
   SET event_id = excluded.event_id, event_at = excluded.event_at, event_lat = excluded.event_lat,
       event_lon = excluded.event_lon, event_sha256 = excluded.event_sha256,
       state = CASE WHEN known.state = 'stored' AND excluded.event_sha256 <> known.sha256 THEN 'refused'
                    ELSE known.state END,
       why = CASE WHEN known.state = 'stored' AND excluded.event_sha256 <> known.sha256 THEN 'sha256-differs'
                  ELSE known.why END
 WHERE known.event_id IS NULL AND known.stop_id = excluded.stop_id AND known.kind = excluded.kind;

-- name: claimed
-- What became of an upload. $1 driver, $2 upload
SELECT id, stop_id, kind, state, why FROM proof WHERE driver_id = $1 AND upload_id = $2;

-- name: is_of_another
-- Whether an upload of this id is another driver's, and this driver has none. $1 driver, $2 upload
SELECT EXISTS (SELECT FROM proof WHERE upload_id = $2 AND driver_id <> $1 AND begun_at IS NOT NULL)
   AND NOT EXISTS (SELECT FROM proof WHERE upload_id = $2 AND driver_id = $1);
