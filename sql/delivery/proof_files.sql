-- name: newest
-- The proofs that came last of those whose bytes are kept. $1 how many
SELECT id, account_id, sha256, served_sha256, width_px IS NOT NULL AS has_thumbnail
  FROM proof WHERE stored_at IS NOT NULL ORDER BY stored_at DESC LIMIT $1;

-- name: after
-- Proofs whose bytes are kept, by id. $1 after this one, $2 how many
SELECT id, account_id, sha256, served_sha256, width_px IS NOT NULL AS has_thumbnail
  FROM proof WHERE id > $1 AND stored_at IS NOT NULL ORDER BY id LIMIT $2;

-- name: still_there
-- Which proofs are there. $1 proofs
SELECT id FROM proof WHERE id = ANY ($1::bigint[]);
