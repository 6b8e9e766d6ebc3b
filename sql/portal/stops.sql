-- name: find_stop
-- A stop by its tracking link, with all that says what its recipient may do. One that went to another tour is
-- meant there. $1 SHA-256 of the token or null, $2 stop or null
SELECT stop.id, stop.account_id, stop.route_id, stop.kind, stop.status, stop.lat, stop.lon, stop.arrived_at,
       stop.departed_at, stop.outcome_at, stop.removed_at IS NOT NULL AS removed, stop.link_revoked_at IS NOT NULL AS revoked,
       stop.cash_amount IS NOT NULL AS cash, stop.planned_arrival, stop.window_start, stop.window_end, stop.phone, stop.email,
       stop.recipient_may_not, stop.link_generation, stop.external_id, stop.service_s, stop.locale, route.timezone,
       route.status AS route_status, route.start_at, route.end_at, route.finished_at,
       route.deleted_at IS NOT NULL AS route_deleted, account.settings,
       eta.low[array_position(eta.stop_ids, stop.id)] AS eta_low,
       EXISTS (SELECT FROM rating WHERE rating.stop_id = stop.id) AS rated,
       EXISTS (SELECT FROM return_request AS asked WHERE asked.stop_id = stop.id AND asked.closed_at IS NULL)
           AS return_open,
       EXISTS (SELECT FROM return_request AS asked WHERE asked.stop_id = stop.id AND asked.closed_at IS NULL)
           OR EXISTS (SELECT FROM ticket WHERE ticket.stop_id = stop.id
                         AND (ticket.closed_at IS NULL OR ticket.closed_at > now() - interval '7 days')) AS case_open,
       chosen.slot_start, chosen.slot_end
  FROM stop JOIN route ON route.id = stop.route_id JOIN account ON account.id = stop.account_id
  LEFT JOIN recipient_wish AS chosen ON chosen.stop_id = stop.id
   AND NOT EXISTS (SELECT FROM delivery_order AS one WHERE one.account_id = stop.account_id AND one.external_id = stop.external_id
                      AND one.state = 'cancelled' AND stop.removed_at IS NOT NULL)
  LEFT JOIN route_eta AS eta ON eta.route_id = route.id
 WHERE stop.id = coalesce($2::bigint, (
       SELECT coalesce(CASE WHEN own.removed_at IS NULL THEN own.id END, moved.stop_id, own.id)
         FROM (SELECT $1::bytea AS link_hash) AS asked
         LEFT JOIN stop AS own ON own.link_hash = asked.link_hash
         LEFT JOIN moved_link AS moved ON moved.link_hash = asked.link_hash));

-- name: hold_stop
-- Nobody settles or changes it until the transaction ends. $1 stop
SELECT FROM stop WHERE id = $1 FOR NO KEY UPDATE;

-- name: find_wish
-- $1 stop
SELECT instructions, safe_place, neighbour_name, neighbour_address, door_lat, door_lon, door_m, phone, email, channel,
       slot_start, slot_end, place_address, place_lat, place_lon, said_at, last_change, away
  FROM recipient_wish WHERE stop_id = $1;

-- name: put_wish
-- $1 stop, $2 account, $3 route, $4 instructions, $5 safe place, $6 neighbour's name and $7 address, $8 lat, $9 lon and
-- $10 distance of the door, $11 phone, $12 e-mail, $13 channel, $14 and $15 slot, $16
-- address, $17 lat and $18 lon of where it goes instead, $19 now, $20 what it is about, $21 nobody is at home
INSERT INTO recipient_wish (stop_id, account_id, route_id, instructions, safe_place, neighbour_name, neighbour_address,
                            door_lat, door_lon, door_m, phone, email, channel, slot_start, slot_end, place_address,
                            place_lat, place_lon, said_at, last_change, away)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
    ON CONFLICT (stop_id) DO UPDATE
   SET route_id = excluded.route_id, instructions = excluded.instructions, safe_place = excluded.safe_place,
       neighbour_name = excluded.neighbour_name, neighbour_address = excluded.neighbour_address,
       door_lat = excluded.door_lat, door_lon = excluded.door_lon, door_m = excluded.door_m, phone = excluded.phone,
       email = excluded.email, channel = excluded.channel, slot_start = excluded.slot_start,
       slot_end = excluded.slot_end, place_address = excluded.place_address, place_lat = excluded.place_lat,
       place_lon = excluded.place_lon, said_at = excluded.said_at,
       last_change = excluded.last_change, away = excluded.away;

-- name: put_contact
-- $1 stop, $2 phone, $3 e-mail
UPDATE stop SET phone = $2, email = $3 WHERE id = $1;

-- name: put_window
-- Of a stop that is on no tour now. $1 stop, $2 start, $3 end
UPDATE stop SET window_start = $2, window_end = $3, planned_arrival = NULL WHERE id = $1;

-- name: move_waiting
-- Bring a stop that is on no tour now, and the order that waits in its place, elsewhere; nothing where no order waits.
-- $1 stop, $2 address, $3 lat, $4 lon
WITH moved AS (
    UPDATE stop SET address = $2, lat = $3, lon = $4 WHERE id = $1 RETURNING account_id, external_id
)
UPDATE delivery_order AS known
   SET state = 'ready', plan_id = NULL, quality = 'given', lat = $3, lon = $4, look_at = NULL, updated_at = now(),
       body = known.body - 'doubt' || jsonb_strip_nulls(jsonb_build_object('address', $2::text))
  FROM moved
 WHERE known.account_id = moved.account_id AND known.external_id = moved.external_id
   AND known.state IN ('received', 'ready', 'planned')
RETURNING known.id;

-- name: put_change
-- $1 account, $2 stop, $3 kind, $4 state, $5 before, $6 now, $7 at
INSERT INTO recipient_change (account_id, stop_id, kind, state, was, is_now, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id;

-- name: told_changes
-- $1 stop
SELECT DISTINCT ON (kind) id, kind, told_at IS NOT NULL AS told, state
  FROM recipient_change WHERE stop_id = $1 ORDER BY kind, id DESC;

-- name: put_fact
-- Tell the feed. $1 account, $2 fact, $3 type, $4 route, $5 stop, $6 data, $7 at
INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, route_id, stop_id, late, data)
VALUES ($1, $2, 1, 'asserted', $3, $7, now(), $4, $5, false, $6);

-- name: changes_of_stop
-- $1 account, $2 stop
SELECT id, kind, state, was, is_now, made_at FROM recipient_change WHERE account_id = $1 AND stop_id = $2 ORDER BY id;

-- name: page_of_changes
-- The newest first. $1 account, $2 state or null for any, $3 before this one or null, $4 how many
SELECT id, stop_id, kind, state, was, is_now, made_at FROM recipient_change
 WHERE account_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::bigint IS NULL OR id < $3) ORDER BY id DESC LIMIT $4;

-- name: hold_change
-- With whether another place was chosen or proposed after it. $1 account, $2 stop, $3 change
SELECT id, kind, state, was, is_now, made_at,
       EXISTS (SELECT FROM recipient_change AS later
                WHERE later.stop_id = asked.stop_id AND later.id > asked.id
                  AND later.kind IN ('address', 'pickup-point', 'pin-drop')) AS superseded
  FROM recipient_change AS asked WHERE account_id = $1 AND stop_id = $2 AND id = $3 FOR UPDATE;

-- name: decide_change
-- $1 change, $2 state, $3 at
UPDATE recipient_change SET state = $2, decided_at = $3 WHERE id = $1;

-- name: has_stop
-- $1 account, $2 stop
SELECT EXISTS (SELECT FROM stop WHERE account_id = $1 AND id = $2);
