-- name: hold_driver
-- One creation of an upload at a time for a driver: the quota is counted and reserved in one transaction. $1 driver
SELECT id FROM driver WHERE id = $1 FOR NO KEY UPDATE;

-- name: used
-- Bytes reserved by a driver: of uploads under way by their full length, and of the last 24 hours. What was given up
-- counts with the bytes that came. $1 driver
SELECT coalesce(sum(length) FILTER (WHERE finished_at IS NULL AND ended_at IS NULL), 0)::bigint AS open_bytes,
       coalesce(sum(CASE WHEN ended_at IS NULL THEN length ELSE received END)
                FILTER (WHERE created_at > now() - interval '1 day'), 0)::bigint AS day_bytes
  FROM upload
 WHERE driver_id = $1 AND (created_at > now() - interval '1 day' OR (finished_at IS NULL AND ended_at IS NULL));

-- name: find_upload
-- An upload with its proof; one that was given up may have none. $1 driver, $2 upload
SELECT upload.id, upload.driver_id, upload.stop_id, metadata, length, received,
       expires_at, ended_at IS NULL AND expires_at <= now() AND received < length AS is_expired,
       ended_at IS NOT NULL AS is_ended, finished_at IS NOT NULL AS is_finished, proof.id AS proof_id, proof.kind,
       proof.state, proof.why, proof.whole
  FROM upload LEFT JOIN proof ON proof.driver_id = upload.driver_id AND proof.upload_id = upload.id
 WHERE upload.driver_id = $1 AND upload.id = $2;

-- name: make_upload
-- Begin an upload, or begin again one that was given up; nothing where one is there.
-- $1 driver, $2 upload, $3 account, $4 device, $5 stop, $6 metadata, $7 length, $8 hours until it is given up
INSERT INTO upload AS old (driver_id, id, account_id, device_id, stop_id, metadata, length, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => 3600 * $8::float8))
    ON CONFLICT (driver_id, id) DO UPDATE
   SET device_id = excluded.device_id, stop_id = excluded.stop_id, metadata = excluded.metadata,
       length = excluded.length, received = 0, writer = NULL, writer_seen_at = NULL, created_at = now(),
       expires_at = excluded.expires_at, attempts = 0, tried_at = NULL, ended_at = NULL
 WHERE old.ended_at IS NOT NULL
RETURNING id;

-- name: begin_proof
-- The proof that an upload will become; an event may have named it before. Nothing where that event means another stop
-- or kind, or where it is over already. $1 account, $2 driver, $3 device, $4 upload, $5 stop, $6 kind, $7 filename,
-- $8 taken at, $9 lat, $10 lon (degrees), $11 SHA-256 as its metadata say: each may be null
INSERT INTO proof AS known (account_id, driver_id, device_id, upload_id, stop_id, kind, filename, said_at, said_lat,
                            said_lon, said_sha256, begun_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now())
    ON CONFLICT (driver_id, upload_id) DO UPDATE
   SET device_id = excluded.device_id, filename = excluded.filename, said_at = excluded.said_at,
       said_lat = excluded.said_lat, said_lon = excluded.said_lon, said_sha256 = excluded.said_sha256, begun_at = now()
 WHERE known.state = 'pending' AND known.stop_id = excluded.stop_id AND known.kind = excluded.kind
RETURNING id;

-- name: start_writing
-- Let one request append. Another one may take over when no bytes of the first became durable for some time.
-- $1 driver, $2 upload, $3 writer, $4 where it begins, $5 seconds
UPDATE upload SET writer = $3, writer_seen_at = now()
 WHERE driver_id = $1 AND id = $2 AND received = $4 AND received < length AND ended_at IS NULL AND expires_at > now()
   AND (writer IS NULL OR writer_seen_at < now() - make_interval(secs => $5::float8))
RETURNING id;

-- name: still_writing
-- Bytes come that cannot be counted yet. $1 driver, $2 upload, $3 writer
UPDATE upload SET writer_seen_at = now() WHERE driver_id = $1 AND id = $2 AND writer = $3 AND ended_at IS NULL
RETURNING id;

-- name: append
-- Count durable parts, if this request may still append and nobody else did. $1 driver, $2 upload, $3 writer,
-- $4 where the first part begins, $5 sizes, $6 names in the blob store, $7 hours until the upload is given up
WITH part AS (
    SELECT bytes, blob, $4::bigint + sum(bytes) OVER (ORDER BY place) - bytes AS from_byte
      FROM unnest($5::int[], $6::text[]) WITH ORDINALITY AS given (bytes, blob, place)
), moved AS (
    UPDATE upload SET received = received + (SELECT sum(bytes) FROM part), writer_seen_at = now(),
                      expires_at = now() + make_interval(secs => 3600 * $7::float8)
     WHERE driver_id = $1 AND id = $2 AND writer = $3 AND received = $4 AND ended_at IS NULL
    RETURNING driver_id, id
)
INSERT INTO upload_part (driver_id, upload_id, from_byte, bytes, blob)
SELECT moved.driver_id, moved.id, from_byte, bytes, blob FROM moved, part
RETURNING from_byte;

-- name: stop_writing
-- $1 driver, $2 upload, $3 writer
UPDATE upload SET writer = NULL, writer_seen_at = NULL WHERE driver_id = $1 AND id = $2 AND writer = $3;

-- name: terminate
-- Give an upload up that is not complete. $1 driver, $2 upload
UPDATE upload SET ended_at = now(), writer = NULL
 WHERE driver_id = $1 AND id = $2 AND received < length AND ended_at IS NULL
RETURNING driver_id, id;

-- name: give_up
-- Give an upload up that is complete, and of which bytes were lost; nothing where it was finished. $1 driver, $2 upload
UPDATE upload SET ended_at = now()
 WHERE driver_id = $1 AND id = $2 AND received = length AND finished_at IS NULL AND ended_at IS NULL
RETURNING driver_id, id;

-- name: expire
-- Give those up to which nothing was added for too long. $1 how many at most
UPDATE upload SET ended_at = now(), writer = NULL
 WHERE (driver_id, id) IN (SELECT driver_id, id FROM upload
                            WHERE finished_at IS NULL AND ended_at IS NULL AND expires_at <= now() AND received < length
                            ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING driver_id, id;

-- name: forget_parts
-- $1 drivers, $2 uploads: columns of one length
DELETE FROM upload_part USING unnest($1::bigint[], $2::uuid[]) AS ended (driver_id, id)
 WHERE upload_part.driver_id = ended.driver_id AND upload_id = ended.id
RETURNING blob;

-- name: forget_proofs
-- Of uploads that were given up; one that an event names waits on. $1 drivers, $2 uploads: columns of one length
DELETE FROM proof USING unnest($1::bigint[], $2::uuid[]) AS ended (driver_id, id)
 WHERE proof.driver_id = ended.driver_id AND upload_id = ended.id AND state = 'pending' AND event_id IS NULL;

-- name: begin_finishing
-- Take a complete upload to finish it; nothing where it is finished, or somebody began that a moment ago.
-- $1 driver, $2 upload, $3 seconds
UPDATE upload SET attempts = attempts + 1, tried_at = now()
  FROM proof, stop, route
 WHERE upload.driver_id = $1 AND upload.id = $2 AND received = length AND upload.finished_at IS NULL AND ended_at IS NULL
   AND (tried_at IS NULL OR tried_at < now() - make_interval(secs => $3::float8))
   AND proof.driver_id = upload.driver_id AND proof.upload_id = upload.id
   AND stop.id = proof.stop_id AND route.id = stop.route_id
RETURNING upload.account_id, proof.id AS proof_id, proof.kind, length, attempts, route.timezone;

-- name: give_back
-- An attempt that failed and did not end its process says nothing of the file. $1 driver, $2 upload
UPDATE upload SET attempts = greatest(attempts - 1, 0) WHERE driver_id = $1 AND id = $2;

-- name: parts
-- $1 driver, $2 upload
SELECT blob FROM upload_part WHERE driver_id = $1 AND upload_id = $2 ORDER BY from_byte;

-- name: finish
-- Nothing where somebody else finished it. $1 driver, $2 upload
UPDATE upload SET finished_at = now(), writer = NULL WHERE driver_id = $1 AND id = $2 AND finished_at IS NULL
RETURNING id;

-- name: unfinished
-- Complete uploads that nobody finishes. $1 seconds since the last attempt, $2 how many
SELECT driver_id, id FROM upload
 WHERE finished_at IS NULL AND ended_at IS NULL AND received = length
   AND coalesce(tried_at, writer_seen_at, created_at) < now() - make_interval(secs => $1::float8)
 ORDER BY tried_at NULLS FIRST LIMIT $2;

-- name: forget_uploads
-- Forget what is over since a time. $1 when, $2 how many at most
DELETE FROM upload
 WHERE (driver_id, id) IN (SELECT driver_id, id FROM upload
                            WHERE (finished_at IS NOT NULL OR ended_at IS NOT NULL)
                              AND created_at < $1 AND coalesce(finished_at, ended_at) < $1
                            ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING id;

-- name: parts_known
-- Which of these names are parts of an upload under way. $1 names
SELECT blob FROM upload_part WHERE blob = ANY ($1::text[]);
