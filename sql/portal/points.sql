-- name: put_points
-- Make or change points by their external id. $1 account; columns of one length: $2 external id, $3 name, $4 address, $5 lat, $6 lon,
-- $7 opening hours, $8 enabled
INSERT INTO pickup_point (account_id, external_id, name, address, lat, lon, opening_hours, enabled)
SELECT $1, new.* FROM unnest($2::text[], $3::text[], $4::text[], $5::float8[], $6::float8[], $7::text[], $8::bool[]) AS new
    ON CONFLICT (account_id, external_id) DO UPDATE
   SET name = excluded.name, address = excluded.address, lat = excluded.lat, lon = excluded.lon,
       opening_hours = excluded.opening_hours, enabled = excluded.enabled
RETURNING id, external_id, name, address, lat, lon, opening_hours, enabled;

-- name: page_of_points
-- $1 account, $2 one point or null, $3 after this id, $4 how many
SELECT id, external_id, name, address, lat, lon, opening_hours, enabled FROM pickup_point
 WHERE account_id = $1 AND ($2::bigint IS NULL OR id = $2) AND id > $3 ORDER BY id LIMIT $4;

-- name: hold_point
-- Nobody changes it until the transaction ends. $1 account, $2 point
SELECT id, external_id, name, address, lat, lon, opening_hours, enabled FROM pickup_point
 WHERE account_id = $1 AND id = $2 FOR UPDATE;

-- name: points_near
-- Those that are open for stops, nearest first by a plane at the stop. $1 account, $2 lat, $3 lon, $4 how many
SELECT id, external_id, name, address, lat, lon, opening_hours, enabled FROM pickup_point
 WHERE account_id = $1 AND enabled
 ORDER BY (lat - $2::float8) ^ 2 + ((lon - $3::float8) * cos(radians($2::float8))) ^ 2, id LIMIT $4;
