-- name: sent_photos
-- $1 stop
SELECT count(*) AS photos, coalesce(sum(size_bytes), 0)::bigint AS size_bytes FROM recipient_photo WHERE stop_id = $1;

-- name: find_sent
-- $1 account, $2 stop, $3 SHA-256 of what was sent
SELECT id, account_id, stored_at IS NOT NULL AS is_stored FROM recipient_photo
 WHERE account_id = $1 AND stop_id = $2 AND sha256 = $3;

-- name: begin_photo
-- $1 account, $2 stop, $3 SHA-256 and $4 bytes of what was sent, $5 now
INSERT INTO recipient_photo (account_id, stop_id, sha256, size_bytes, made_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (account_id, stop_id, sha256) DO UPDATE SET size_bytes = excluded.size_bytes
RETURNING id, account_id, stored_at IS NOT NULL AS is_stored;

-- name: photo_is_stored
-- $1 photo, $2 now
UPDATE recipient_photo SET stored_at = coalesce(stored_at, $2) WHERE id = $1;

-- name: stored_of_stop
-- $1 account, $2 stop, $3 photos
SELECT id FROM recipient_photo
 WHERE account_id = $1 AND stop_id = $2 AND id = ANY ($3::bigint[]) AND stored_at IS NOT NULL;

-- name: photo_account
-- $1 photo
SELECT account_id FROM recipient_photo WHERE id = $1 AND stored_at IS NOT NULL;

-- name: old_photos
-- $1 made before, $2 how many
SELECT id, account_id FROM recipient_photo WHERE made_at < $1 ORDER BY made_at LIMIT $2;

-- name: photos_of_stops
-- $1 stops, $2 how many
SELECT id, account_id FROM recipient_photo WHERE stop_id = ANY ($1::bigint[]) ORDER BY id LIMIT $2;

-- name: drop_photos
-- $1 photos
DELETE FROM recipient_photo WHERE id = ANY ($1::bigint[]) RETURNING id;
