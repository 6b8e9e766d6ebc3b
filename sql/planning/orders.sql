-- name: put_orders
-- New ones, and changes of those that are on no route. One that is put as it was stays as it is: what was found of its place
-- since, and the plan that has it. One without a good place is looked at. What was taken off its tour for the time that its
-- recipient chose keeps that time, and the place and contact that they gave; what is over may be put again for other days. $1 account; columns of one length: $2 external id,
-- $3 state, $4 quality, $5 lat, $6 lon (degrees or null), $7 depot or null, $8 earliest, $9 latest, $10 body
WITH put AS (
    SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::float8[], $6::float8[], $7::text[], $8::date[], $9::date[],
                         $10::jsonb[]) AS put (external_id, state, quality, lat, lon, depot, earliest, latest, body)
), chosen AS (
    SELECT DISTINCT ON (known.id) known.external_id, known.earliest, known.latest, known.quality, known.lat, known.lon,
           wish.place_lat IS NOT NULL AS elsewhere,
           jsonb_build_object('windows', known.body -> 'windows') || jsonb_strip_nulls(jsonb_build_object(
               'phone', wish.phone, 'email', wish.email, 'address', wish.place_address)) AS said
      FROM put JOIN delivery_order AS known ON known.account_id = $1 AND known.external_id = put.external_id
       AND known.state IN ('ready', 'planned')
      JOIN stop ON stop.account_id = $1 AND stop.external_id = put.external_id AND stop.removed_at IS NOT NULL
      JOIN recipient_wish AS wish ON wish.stop_id = stop.id AND wish.slot_end > now()
     ORDER BY known.id, wish.said_at DESC
), new AS (
    SELECT put.external_id, CASE WHEN elsewhere THEN 'ready' ELSE put.state END AS state,
           CASE WHEN elsewhere THEN chosen.quality ELSE put.quality END AS quality,
           CASE WHEN elsewhere THEN chosen.lat ELSE put.lat END AS lat, CASE WHEN elsewhere THEN chosen.lon ELSE put.lon END AS lon,
           put.depot, coalesce(chosen.earliest, put.earliest) AS earliest, coalesce(chosen.latest, put.latest) AS latest,
           CASE WHEN elsewhere THEN put.body - 'doubt' ELSE put.body END || coalesce(chosen.said, '{}') AS body
      FROM put LEFT JOIN chosen ON chosen.external_id = put.external_id
), kept AS (
    SELECT new.external_id FROM new
      JOIN delivery_order AS known ON known.account_id = $1 AND known.external_id = new.external_id
     WHERE known.body - 'doubt' = new.body - 'doubt' AND (known.earliest, known.latest) = (new.earliest, new.latest)
       AND (known.state IN ('ready', 'planned') OR known.state = 'received' AND new.state = 'received')
), written AS (
    INSERT INTO delivery_order AS known (account_id, external_id, state, quality, lat, lon, depot, earliest, latest, body, look_at)
    SELECT $1, new.*, CASE WHEN new.state = 'received' THEN now() END FROM new
     WHERE NOT EXISTS (SELECT FROM kept WHERE kept.external_id = new.external_id)
        ON CONFLICT (account_id, external_id) DO UPDATE
       SET state = excluded.state, quality = excluded.quality, lat = excluded.lat, lon = excluded.lon,
           depot = excluded.depot, earliest = excluded.earliest, latest = excluded.latest, body = excluded.body,
           look_at = excluded.look_at, updated_at = now(), plan_id = NULL, route_id = NULL
     WHERE known.state <> 'assigned'
        OR EXISTS (SELECT FROM order_now AS one
                    WHERE one.id = known.id
                      AND (one.state = 'cancelled' OR (one.state = 'closed' OR one.stop_status = 'left_open')
                                                      AND (one.earliest, one.latest) <> (excluded.earliest, excluded.latest)))
    RETURNING external_id, CASE WHEN xmax = 0 THEN 'created' ELSE 'changed' END AS became)
SELECT external_id, became FROM written UNION ALL SELECT external_id, 'unchanged' FROM kept;

-- name: find_orders
-- $1 account, $2 external ids
SELECT id, external_id, state, quality, lat, lon, depot, earliest, latest, body, plan_id, route_id, stop_status
  FROM order_now WHERE account_id = $1 AND external_id = ANY ($2::text[]) ORDER BY id;

-- name: list_orders
-- A page, in the order they came. $1 account, $2 state or null, $3 day or null, $4 after this id, $5 how many
SELECT id, external_id, state, quality, lat, lon, depot, earliest, latest, body, plan_id, route_id, stop_status
  FROM order_now
 WHERE account_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::date IS NULL OR $3 BETWEEN earliest AND latest)
   AND id > $4
 ORDER BY id LIMIT $5;

-- name: order_of_link
-- What a recipient may be told of an order, and where its stop is followed. $1 order
SELECT one.id, one.account_id, one.external_id, one.state, one.quality, one.lat, one.lon, one.depot, one.earliest,
       one.latest, one.body, one.updated_at, one.stop_id, one.link_generation,
       one.link_revoked_at IS NOT NULL AS link_revoked, account.settings,
       depot.body ->> 'timezone' AS timezone, (depot.body ->> 'lat')::float8 AS near_lat,
       (depot.body ->> 'lon')::float8 AS near_lon
  FROM order_now AS one
  JOIN account ON account.id = one.account_id
  LEFT JOIN LATERAL (
       SELECT body FROM plan_resource
        WHERE account_id = one.account_id AND kind = 'depot' AND external_id = coalesce(one.depot, external_id)
        ORDER BY external_id LIMIT 1) AS depot ON true
 WHERE one.id = $1 AND one.body ? 'name';

-- name: hold_asked_order
-- One whose place is asked about; nobody changes it until the transaction ends. $1 order
SELECT FROM delivery_order WHERE id = $1 AND state = 'received' AND body ? 'name' FOR UPDATE;

-- name: pin_order
-- A person says where it is. $1 order, $2 lat, $3 lon (degrees)
UPDATE delivery_order SET lat = $2, lon = $3, quality = 'pinned', state = 'ready', look_at = NULL,
       body = body - 'doubt', updated_at = now()
 WHERE id = $1;

-- name: put_order_fact
-- $1 account, $2 fact, $3 type, $4 data, $5 at
INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, late, data)
VALUES ($1, $2, 1, 'asserted', $3, $5, now(), false, $4);

-- name: orders_to_plan
-- What may be on a tour of a day and depot. $1 account, $2 day, $3 depot, $4 only these or null, $5 how many
SELECT id, external_id, state, quality, lat, lon, depot, earliest, latest, body, plan_id, route_id, null AS stop_status
  FROM delivery_order
 WHERE account_id = $1 AND state IN ('ready', 'planned') AND $2 BETWEEN earliest AND latest AND (depot IS NULL OR depot = $3)
   AND ($4::text[] IS NULL OR external_id = ANY ($4))
   AND NOT EXISTS (SELECT FROM stops_by_hand(account_id, external_id, earliest, latest))
 ORDER BY id LIMIT $5;

-- name: cancel_order
-- $1 account, $2 external id
UPDATE delivery_order SET state = 'cancelled', plan_id = NULL, updated_at = now()
 WHERE account_id = $1 AND external_id = $2 AND state IN ('received', 'ready', 'planned')
   AND NOT EXISTS (SELECT FROM stops_by_hand(account_id, external_id, earliest, latest)) RETURNING 1;

-- name: assign_orders
-- Those that are still free; the caller compares how many. $1 account, $2 plan; columns: $3 external id, $4 route
UPDATE delivery_order AS known SET state = 'assigned', plan_id = $2, route_id = new.route_id, updated_at = now()
  FROM unnest($3::text[], $4::bigint[]) AS new (external_id, route_id)
 WHERE known.account_id = $1 AND known.external_id = new.external_id AND known.state IN ('ready', 'planned')
   AND NOT EXISTS (SELECT FROM stops_by_hand(known.account_id, known.external_id, known.earliest, known.latest) AS other
                    WHERE other.route_id <> new.route_id)
RETURNING known.external_id;

-- name: free_orders
-- What nobody comes to any more, because its route is taken away, is to be planned again: where its recipient wants it, and when.
-- $1 route
UPDATE delivery_order AS known
   SET state = 'ready', plan_id = NULL, route_id = NULL, updated_at = now(),
       quality = CASE WHEN wish.place_lat IS NOT NULL THEN 'given' ELSE known.quality END,
       lat = coalesce(wish.place_lat, known.lat), lon = coalesce(wish.place_lon, known.lon),
       body = known.body || jsonb_strip_nulls(jsonb_build_object(
           'phone', wish.phone, 'email', wish.email, 'address', wish.place_address,
           'windows', CASE WHEN wish.slot_start IS NOT NULL
                           THEN jsonb_build_array(jsonb_build_object('start', stop.window_start, 'end', stop.window_end)) END))
  FROM stop LEFT JOIN recipient_wish AS wish ON wish.stop_id = stop.id
 WHERE stop.route_id = $1 AND stop.removed_at IS NULL AND stop.outcome_at IS NULL AND known.state = 'assigned'
   AND known.account_id = stop.account_id AND known.external_id = stop.external_id
   AND known.id = (SELECT one.id FROM order_now AS one
                    WHERE one.account_id = stop.account_id AND one.external_id = stop.external_id AND one.stop_id = stop.id);
