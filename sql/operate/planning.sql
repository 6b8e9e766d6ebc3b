-- name: orders_of_phone
-- A recipient's orders, and the words that name them there. $1 account, $2 digits of the phone, $3 how many
SELECT id, array_remove(ARRAY[body ->> 'name', body ->> 'address', body ->> 'phone', body ->> 'email',
                              body ->> 'instructions'], NULL) AS words
  FROM delivery_order
 WHERE account_id = $1 AND regexp_replace(body ->> 'phone', '\D', '', 'g') = $2 ORDER BY id LIMIT $3;

-- name: orders_of_email
-- $1 account, $2 the address in lower case, $3 how many
SELECT id, array_remove(ARRAY[body ->> 'name', body ->> 'address', body ->> 'phone', body ->> 'email',
                              body ->> 'instructions'], NULL) AS words
  FROM delivery_order
 WHERE account_id = $1 AND lower(body ->> 'email') = $2 ORDER BY id LIMIT $3;

-- name: orders_of_stops
-- $1 stops
SELECT one.id, array_remove(ARRAY[body ->> 'name', body ->> 'address', body ->> 'phone', body ->> 'email',
                                  body ->> 'instructions'], NULL) AS words
  FROM stop JOIN delivery_order AS one ON one.route_id = stop.route_id AND one.external_id = stop.external_id
 WHERE stop.id = ANY ($1::bigint[]) ORDER BY one.id;

-- name: blank_orders
-- Numbers stay. One on no route is cancelled, and its place goes too: nobody knows any more whom it is for. $1 orders
UPDATE delivery_order
   SET body = body - '{name,address,phone,email,locale,instructions,parcels,source,doubt}'::text[],
       state = CASE WHEN route_id IS NULL THEN 'cancelled' ELSE state END,
       quality = CASE WHEN route_id IS NULL THEN 'none' ELSE quality END,
       lat = CASE WHEN route_id IS NULL THEN NULL ELSE lat END, lon = CASE WHEN route_id IS NULL THEN NULL ELSE lon END,
       updated_at = now()
 WHERE id = ANY ($1::bigint[]) AND body ? 'name'
RETURNING id;

-- name: stops_of_orders
-- $1 orders
SELECT stop.id FROM delivery_order AS one
  JOIN stop ON stop.route_id = one.route_id AND stop.external_id = one.external_id
 WHERE one.id = ANY ($1::bigint[]) ORDER BY stop.id;

-- name: forget_shifts
-- Which shifts a driver had. $1 driver
UPDATE plan_resource SET driver_id = NULL, updated_at = now() WHERE driver_id = $1 RETURNING external_id;

-- name: drop_orders
-- Orders whose last day was long ago. $1 before this day, $2 how many
DELETE FROM delivery_order
 WHERE id = ANY (ARRAY(SELECT id FROM delivery_order WHERE latest < $1::date ORDER BY latest LIMIT $2)) RETURNING id;

-- name: drop_plans
-- $1 before this day, $2 how many
DELETE FROM plan WHERE id = ANY (ARRAY(SELECT id FROM plan WHERE date < $1::date ORDER BY date LIMIT $2)) RETURNING id;

-- name: drop_shifts
-- $1 before this day, $2 how many
DELETE FROM plan_resource
 WHERE ctid = ANY (ARRAY(SELECT ctid FROM plan_resource WHERE kind = 'shift' AND date < $1::date ORDER BY date LIMIT $2))
RETURNING external_id;
