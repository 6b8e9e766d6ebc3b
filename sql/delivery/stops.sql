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
)
INSERT INTO moved_link (link_hash, stop_id) SELECT link_hash, new_id FROM moved
    ON CONFLICT (link_hash) DO UPDATE SET stop_id = excluded.stop_id;

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
