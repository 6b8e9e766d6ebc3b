-- name: fence_rows_of_accounts
-- Every version of every geofence these accounts ever had. $1 accounts
SELECT geofence_id, version, account_id, effective_at, ended_at, feature, dwell_s
  FROM geofence_version WHERE account_id = ANY ($1::bigint[]) ORDER BY account_id, geofence_id, version;

-- name: find_geofence
-- A geofence in force, by either of its ids. $1 account, $2 id or null, $3 external id or null
SELECT geofence.id, geofence.external_id, geofence.version, plan.feature, plan.name, plan.dwell_s
  FROM geofence JOIN geofence_version AS plan
    ON plan.geofence_id = geofence.id AND plan.version = geofence.version
 WHERE geofence.account_id = $1 AND geofence.deleted_at IS NULL
   AND (geofence.id = $2 OR geofence.external_id = $3);

-- name: list_geofences
-- A page of the geofences in force. $1 account, $2 after this id, $3 how many
SELECT geofence.id, geofence.external_id, geofence.version, plan.feature, plan.name, plan.dwell_s
  FROM geofence JOIN geofence_version AS plan
    ON plan.geofence_id = geofence.id AND plan.version = geofence.version
 WHERE geofence.account_id = $1 AND geofence.deleted_at IS NULL AND geofence.id > $2
 ORDER BY geofence.id LIMIT $3;

-- name: create_geofence
-- $1 account, $2 external id
INSERT INTO geofence (account_id, external_id, version) VALUES ($1, $2, 1) RETURNING id;

-- name: next_fence_time
-- From when a next version may be in force: now, and after the version before even if the clock was set back. Whole
-- milliseconds, as pings have them. $1 geofence
SELECT greatest(date_trunc('milliseconds', clock_timestamp()), max(effective_at) + interval '1 millisecond') AS at
  FROM geofence_version WHERE geofence_id = $1;

-- name: add_geofence_version
-- $1 account, $2 geofence, $3 version, $4 from when it is in force, $5 feature, $6 name or null, $7 dwell in seconds or null
INSERT INTO geofence_version (account_id, geofence_id, version, effective_at, feature, name, dwell_s)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: end_geofence_version
-- The version that was in force is not any more. $1 geofence, $2 when
UPDATE geofence_version SET ended_at = $2 WHERE geofence_id = $1 AND ended_at IS NULL;

-- name: move_geofence_version
-- $1 geofence, $2 version
UPDATE geofence SET version = $2, updated_at = now() WHERE id = $1;

-- name: delete_geofence
-- $1 geofence
UPDATE geofence SET deleted_at = now() WHERE id = $1;
