-- name: put_orders
-- New ones, and changes of those that are not planned yet; the others are left as they are and given back too.
-- $1 account; columns of one length: $2 external id, $3 state, $4 quality, $5 lat, $6 lon (degrees or null), $7 depot or
-- null, $8 earliest, $9 latest, $10 body
WITH put AS (
    INSERT INTO delivery_order AS known (account_id, external_id, state, quality, lat, lon, depot, earliest, latest, body)
    SELECT $1, new.* FROM unnest($2::text[], $3::text[], $4::text[], $5::float8[], $6::float8[], $7::text[], $8::date[],
                                 $9::date[], $10::jsonb[]) AS new
        ON CONFLICT (account_id, external_id) DO UPDATE
       SET state = excluded.state, quality = excluded.quality, lat = excluded.lat, lon = excluded.lon,
           depot = excluded.depot, earliest = excluded.earliest, latest = excluded.latest, body = excluded.body,
           updated_at = now(), plan_id = NULL
     WHERE known.state IN ('received', 'ready', 'cancelled')
    RETURNING external_id, xmax = 0 AS created)
SELECT external_id, created FROM put;

-- name: find_orders
-- With what became of the stop. $1 account, $2 external ids
SELECT one.id, one.external_id, one.state, one.quality, one.lat, one.lon, one.depot, one.earliest, one.latest, one.body,
       one.plan_id, one.route_id, stop.status AS stop_status
  FROM delivery_order AS one LEFT JOIN stop ON stop.route_id = one.route_id AND stop.external_id = one.external_id
 WHERE one.account_id = $1 AND one.external_id = ANY ($2::text[]) ORDER BY one.id;

-- name: list_orders
-- A page, in the order they came. $1 account, $2 state or null, $3 day or null, $4 after this id, $5 how many
SELECT one.id, one.external_id, one.state, one.quality, one.lat, one.lon, one.depot, one.earliest, one.latest, one.body,
       one.plan_id, one.route_id, stop.status AS stop_status
  FROM delivery_order AS one LEFT JOIN stop ON stop.route_id = one.route_id AND stop.external_id = one.external_id
 WHERE one.account_id = $1 AND ($2::text IS NULL OR one.state = $2)
   AND ($3::date IS NULL OR $3 BETWEEN one.earliest AND one.latest) AND one.id > $4
 ORDER BY one.id LIMIT $5;

-- name: orders_to_plan
-- What may be on a tour of a day and depot. $1 account, $2 day, $3 depot, $4 only these or null, $5 how many
SELECT id, external_id, state, quality, lat, lon, depot, earliest, latest, body, plan_id, route_id, null AS stop_status
  FROM delivery_order
 WHERE account_id = $1 AND state = 'ready' AND $2 BETWEEN earliest AND latest AND (depot IS NULL OR depot = $3)
   AND ($4::text[] IS NULL OR external_id = ANY ($4))
 ORDER BY id LIMIT $5;

-- name: cancel_order
-- $1 account, $2 external id
UPDATE delivery_order SET state = 'cancelled', updated_at = now()
 WHERE account_id = $1 AND external_id = $2 AND state IN ('received', 'ready') RETURNING 1;

-- name: assign_orders
-- Those that are still free; the caller compares how many. $1 account, $2 plan; columns: $3 external id, $4 route
UPDATE delivery_order AS known SET state = 'assigned', plan_id = $2, route_id = new.route_id, updated_at = now()
  FROM unnest($3::text[], $4::bigint[]) AS new (external_id, route_id)
 WHERE known.account_id = $1 AND known.external_id = new.external_id AND known.state = 'ready'
RETURNING known.external_id;
