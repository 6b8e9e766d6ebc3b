-- name: stops_of_route
-- The stops of a route in the order of the tour, each with its parcels; removed ones last. $1 route
SELECT stop.id, stop.external_id, kind, name, address, lat, lon, along_m, radius_m, geofence, phone, email, locale,
       window_start, window_end, service_s, planned_arrival, instructions, cash_amount, cash_currency, proof, recipient_may_not,
       park_lat, park_lon,
       coalesce((SELECT jsonb_agg(jsonb_build_object('barcode', barcode, 'description', description, 'quantity', quantity)
                                  ORDER BY parcel.seq)
                   FROM parcel WHERE parcel.stop_id = stop.id), '[]') AS parcels,
       status, arrived_at, departed_at, outcome_at, link_generation, link_revoked_at IS NOT NULL AS link_revoked,
       removed_at IS NOT NULL AS removed, pin_generation,
       (SELECT to_jsonb(wish) - '{stop_id,account_id,route_id}'::text[] FROM recipient_wish AS wish
         WHERE wish.stop_id = stop.id) AS wish
  FROM stop WHERE route_id = $1 ORDER BY removed_at IS NOT NULL, seq, id;

-- name: new_stop_ids
-- Ids for stops that are about to be made: their tracking links are derived from them. $1 how many
SELECT nextval(pg_get_serial_sequence('stop', 'id')) AS id FROM generate_series(1, $1::int);

-- name: put_stops
-- Make stops, or change those that are there; what happened at them stays. One that was removed is back;
-- its status follows (settle_stops).
-- $1 account, $2 route, $3 stops: a list of objects with the columns below
INSERT INTO stop (id, account_id, route_id, external_id, seq, kind, name, address, lat, lon, along_m, radius_m, geofence,
                  phone, email, locale, window_start, window_end, service_s, planned_arrival, instructions, cash_amount,
                  cash_currency, proof, recipient_may_not, park_lat, park_lon, link_hash)
SELECT id, $1, $2, external_id, seq, kind, name, address, lat, lon, along_m, radius_m, geofence, phone, email, locale,
       window_start, window_end, service_s, planned_arrival, instructions, cash_amount, cash_currency, proof,
       recipient_may_not, park_lat, park_lon, decode(link_hash, 'hex')
  FROM jsonb_to_recordset($3) AS new (
       id bigint, external_id text, seq int, kind text, name text, address text, lat float8, lon float8, along_m float8,
       radius_m float8, geofence jsonb, phone text, email text, locale text, window_start timestamptz,
       window_end timestamptz, service_s float8, planned_arrival timestamptz, instructions text, cash_amount numeric,
       cash_currency text, proof text[], recipient_may_not text[], park_lat float8, park_lon float8, link_hash text)
    ON CONFLICT (id) DO UPDATE
   SET seq = excluded.seq, kind = excluded.kind, name = excluded.name, address = excluded.address, lat = excluded.lat,
       lon = excluded.lon, along_m = excluded.along_m, radius_m = excluded.radius_m, geofence = excluded.geofence,
       phone = excluded.phone, email = excluded.email, locale = excluded.locale, window_start = excluded.window_start,
       window_end = excluded.window_end, service_s = excluded.service_s, planned_arrival = excluded.planned_arrival,
       instructions = excluded.instructions, cash_amount = excluded.cash_amount, cash_currency = excluded.cash_currency,
       proof = excluded.proof, recipient_may_not = excluded.recipient_may_not, park_lat = excluded.park_lat,
       park_lon = excluded.park_lon, removed_at = NULL;

-- name: forget_parcels
-- $1 stops
DELETE FROM parcel WHERE stop_id = ANY ($1::bigint[]);

-- name: put_parcels
-- $1 parcels: a list of objects with the columns below
INSERT INTO parcel (stop_id, seq, barcode, description, quantity)
SELECT stop_id, seq, barcode, description, quantity
  FROM jsonb_to_recordset($1) AS new (stop_id bigint, seq int, barcode text, description text, quantity int);

-- name: forget_other_stops
-- Forget the stops that are not of the tour any more and at which nothing happened. $1 route, $2 stops of the tour
DELETE FROM stop
 WHERE route_id = $1 AND NOT id = ANY ($2::bigint[]) AND status = 'pending'
   AND NOT EXISTS (SELECT FROM visit WHERE visit.stop_id = stop.id)
   AND NOT EXISTS (SELECT FROM driver_event WHERE driver_event.stop_id = stop.id)
   AND NOT EXISTS (SELECT FROM message WHERE message.stop_id = stop.id AND message.left_at IS NOT NULL)
   AND NOT EXISTS (SELECT FROM proof WHERE proof.stop_id = stop.id)
   AND NOT EXISTS (SELECT FROM upload WHERE upload.stop_id = stop.id)
   AND NOT EXISTS (SELECT FROM slot_place WHERE slot_place.stop_id = stop.id)
   AND NOT EXISTS (SELECT FROM recipient_wish WHERE recipient_wish.stop_id = stop.id)
   AND NOT EXISTS (SELECT FROM recipient_change WHERE recipient_change.stop_id = stop.id)
   AND NOT EXISTS (SELECT FROM recipient_photo WHERE recipient_photo.stop_id = stop.id)
   AND NOT EXISTS (SELECT FROM ticket WHERE ticket.stop_id = stop.id)
   AND NOT EXISTS (SELECT FROM push_subscription WHERE push_subscription.stop_id = stop.id);

-- name: remove_other_stops
-- Keep the stops that are not of the tour any more, as removed; their status follows (settle_stops).
-- $1 route, $2 stops of the tour
UPDATE stop SET removed_at = now() WHERE route_id = $1 AND NOT id = ANY ($2::bigint[]) AND removed_at IS NULL;

-- name: move_links
-- Have tracking links of stops that were taken off their route lead to the same order on another one: where either route is this
-- one, the external id is the same, the days are near, and so is the person or the place: external ids repeat. Links that lead to
-- a stop that moves on move with it. $1 account, $2 route, $3 how many days apart, $4 and $5 how far in latitude and longitude
WITH moved AS (
    SELECT DISTINCT ON (old.id) old.id AS old_id, old.link_hash, new.id AS new_id
      FROM stop AS mine
      JOIN stop AS other ON other.account_id = $1 AND other.external_id = mine.external_id AND other.route_id <> $2
     CROSS JOIN LATERAL (VALUES (mine.id, other.id), (other.id, mine.id)) AS pair (old_id, new_id)
      JOIN stop AS old ON old.id = pair.old_id
      JOIN stop AS new ON new.id = pair.new_id
      JOIN route AS old_route ON old_route.id = old.route_id
      JOIN route AS new_route ON new_route.id = new.route_id
     WHERE mine.route_id = $2
       AND old.removed_at IS NOT NULL AND old.outcome_at IS NULL AND old.link_revoked_at IS NULL
       AND new.removed_at IS NULL AND new_route.deleted_at IS NULL AND new_route.status <> 'cancelled'
       AND abs(new_route.date - old_route.date) <= $3::int
       AND (old.phone = new.phone OR old.email = new.email
            OR old.name = new.name AND abs(old.lat - new.lat) <= $4::float8 AND abs(old.lon - new.lon) <= $5::float8)
     ORDER BY old.id, new_route.date DESC, new.id DESC
), read_again AS (  -- whoever follows the other route has its stops in memory
    UPDATE stop SET seq = seq FROM moved WHERE stop.id = moved.new_id AND stop.route_id <> $2
), led_on AS (
    UPDATE moved_link SET stop_id = moved.new_id FROM moved WHERE moved_link.stop_id = moved.old_id
), led AS (
    INSERT INTO moved_link (link_hash, stop_id) SELECT link_hash, new_id FROM moved
        ON CONFLICT (link_hash) DO UPDATE SET stop_id = excluded.stop_id
)
SELECT old_id, new_id FROM moved;

-- name: spoken_of
-- Of which of these stops their recipients said anything. $1 stops
SELECT id FROM stop
 WHERE id = ANY ($1::bigint[])
   AND (EXISTS (SELECT FROM recipient_wish WHERE recipient_wish.stop_id = stop.id)
        OR EXISTS (SELECT FROM recipient_change WHERE recipient_change.stop_id = stop.id)
        OR EXISTS (SELECT FROM recipient_photo WHERE recipient_photo.stop_id = stop.id)
        OR EXISTS (SELECT FROM ticket WHERE ticket.stop_id = stop.id)
        OR EXISTS (SELECT FROM slot_place WHERE slot_place.stop_id = stop.id)
        OR EXISTS (SELECT FROM push_subscription WHERE push_subscription.stop_id = stop.id));

-- name: move_said
-- What a recipient said of a stop, and asks there, goes to the stop that its order is now; of two words the newer one stands. A slot
-- goes along where the tour drives in it, and "nobody at home" on the same day. $1 stop, $2 the stop it is now
WITH now_there AS (
    SELECT new.id, new.route_id, tour.start_at, tour.end_at, tour.date = was.date AS same_day
      FROM stop AS new JOIN route AS tour ON tour.id = new.route_id
      JOIN stop AS old ON old.id = $1 JOIN route AS was ON was.id = old.route_id
     WHERE new.id = $2
), said AS (
    DELETE FROM recipient_wish WHERE stop_id = $1 RETURNING *
), wish AS (
    INSERT INTO recipient_wish AS known
           (stop_id, account_id, route_id, instructions, safe_place, neighbour_name, neighbour_address, door_lat, door_lon,
            door_m, phone, email, channel, slot_start, slot_end, place_address, place_lat, place_lon, said_at, last_change, away)
    SELECT there.id, said.account_id, there.route_id, instructions, safe_place, neighbour_name, neighbour_address, door_lat,
           door_lon, door_m, phone, email, channel,
           CASE WHEN slot_start < there.end_at AND slot_end > there.start_at THEN slot_start END,
           CASE WHEN slot_start < there.end_at AND slot_end > there.start_at THEN slot_end END,
           place_address, place_lat, place_lon, said_at, last_change, away AND there.same_day
      FROM said, now_there AS there
        ON CONFLICT (stop_id) DO UPDATE
       SET instructions = excluded.instructions, safe_place = excluded.safe_place, neighbour_name = excluded.neighbour_name,
           neighbour_address = excluded.neighbour_address, door_lat = excluded.door_lat, door_lon = excluded.door_lon,
           door_m = excluded.door_m, phone = excluded.phone, email = excluded.email, channel = excluded.channel,
           slot_start = excluded.slot_start, slot_end = excluded.slot_end, place_address = excluded.place_address,
           place_lat = excluded.place_lat, place_lon = excluded.place_lon, said_at = excluded.said_at,
           last_change = excluded.last_change, away = excluded.away
     WHERE known.said_at < excluded.said_at
    RETURNING phone, email
), reached AS (
    UPDATE stop SET phone = coalesce(wish.phone, stop.phone), email = coalesce(wish.email, stop.email)
      FROM wish WHERE stop.id = $2 AND num_nonnulls(wish.phone, wish.email) > 0
), changes AS (
    UPDATE recipient_change SET stop_id = $2, told_at = NULL WHERE stop_id = $1
), photos AS (
    UPDATE recipient_photo AS photo SET stop_id = $2
     WHERE stop_id = $1 AND NOT EXISTS (SELECT FROM recipient_photo AS other WHERE other.stop_id = $2 AND other.sha256 = photo.sha256)
), reports AS (
    UPDATE ticket SET stop_id = $2
     WHERE stop_id = $1 AND (closed_at IS NOT NULL OR NOT EXISTS (
           SELECT FROM ticket AS other WHERE other.stop_id = $2 AND other.kind = ticket.kind AND other.closed_at IS NULL))
), left_places AS (
    DELETE FROM slot_place WHERE stop_id = $1 RETURNING *
), places AS (
    INSERT INTO slot_place (stop_id, slot_id, load, held_until)
    SELECT there.id, slot_id, load, held_until
      FROM left_places AS place JOIN slot ON slot.id = place.slot_id
      JOIN now_there AS there ON slot.start_at < there.end_at AND slot.end_at > there.start_at
        ON CONFLICT DO NOTHING
)
UPDATE push_subscription AS push SET stop_id = $2
 WHERE stop_id = $1 AND NOT EXISTS (
       SELECT FROM push_subscription AS other WHERE other.stop_id = $2 AND other.endpoint_hash = push.endpoint_hash);

-- name: forget_moved_links
-- $1 stop
DELETE FROM moved_link WHERE stop_id = $1;

-- name: find_link
-- A stop whose tracking link somebody changes; the row is held. $1 account, $2 stop
SELECT stop.id, stop.route_id, stop.link_generation, route.deleted_at IS NOT NULL OR route.status = 'cancelled' AS route_ended
  FROM stop JOIN route ON route.id = stop.route_id
 WHERE stop.account_id = $1 AND stop.id = $2 FOR UPDATE OF stop;

-- name: rotate_link
-- $1 stop, $2 generation, $3 SHA-256 of the token
UPDATE stop SET link_generation = $2, link_hash = $3, link_revoked_at = NULL WHERE id = $1;

-- name: revoke_link
-- $1 stop
UPDATE stop SET link_revoked_at = coalesce(link_revoked_at, now()) WHERE id = $1;

-- name: revoke_links_of_route
-- $1 route
UPDATE stop SET link_revoked_at = coalesce(link_revoked_at, now()) WHERE route_id = $1;

-- name: ids_of_route
-- Every stop a route ever had. $1 route
SELECT id FROM stop WHERE route_id = $1 ORDER BY id;

-- name: route_of_stop
-- $1 account, $2 stop
SELECT route_id FROM stop WHERE account_id = $1 AND id = $2;
