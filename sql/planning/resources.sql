-- name: put_resource
-- $1 account, $2 kind, $3 external id, $4 date or null, $5 depot or null, $6 body, $7 driver or null
INSERT INTO plan_resource (account_id, kind, external_id, date, depot, body, driver_id)
VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (account_id, kind, external_id) DO UPDATE
   SET date = excluded.date, depot = excluded.depot, body = excluded.body, driver_id = excluded.driver_id, updated_at = now()
RETURNING xmax = 0 AS created;

-- name: find_resource
-- $1 account, $2 kind, $3 external id
SELECT one.external_id, one.body, driver.external_id AS driver
  FROM plan_resource AS one LEFT JOIN driver ON driver.id = one.driver_id AND driver.deleted_at IS NULL
 WHERE one.account_id = $1 AND one.kind = $2 AND one.external_id = $3;

-- name: list_resources
-- A page, by external id. $1 account, $2 kind, $3 after this one, $4 only of this date or null, $5 how many
SELECT one.external_id, one.body, driver.external_id AS driver
  FROM plan_resource AS one LEFT JOIN driver ON driver.id = one.driver_id AND driver.deleted_at IS NULL
 WHERE one.account_id = $1 AND one.kind = $2 AND one.external_id > $3 AND ($4::date IS NULL OR one.date = $4)
 ORDER BY one.external_id LIMIT $5;

-- name: delete_resource
-- $1 account, $2 kind, $3 external id
DELETE FROM plan_resource WHERE account_id = $1 AND kind = $2 AND external_id = $3 RETURNING 1;

-- name: shifts_of_day
-- $1 account, $2 date, $3 depot
SELECT one.external_id, one.body, driver.external_id AS driver
  FROM plan_resource AS one LEFT JOIN driver ON driver.id = one.driver_id AND driver.deleted_at IS NULL
 WHERE one.account_id = $1 AND one.kind = 'shift' AND one.date = $2 AND one.depot = $3 ORDER BY one.external_id;

-- name: resources_named
-- $1 account, $2 kind, $3 external ids
SELECT one.external_id, one.body, driver.external_id AS driver
  FROM plan_resource AS one LEFT JOIN driver ON driver.id = one.driver_id AND driver.deleted_at IS NULL
 WHERE one.account_id = $1 AND one.kind = $2 AND one.external_id = ANY ($3::text[]);

-- name: depot_places
-- $1 account, $2 one depot or null
SELECT (body ->> 'lat')::float8 AS lat, (body ->> 'lon')::float8 AS lon FROM plan_resource
 WHERE account_id = $1 AND kind = 'depot' AND ($2::text IS NULL OR external_id = $2) ORDER BY external_id LIMIT 1000;
