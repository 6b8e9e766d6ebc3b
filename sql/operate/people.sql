-- name: routes_with_people
-- Routes that ended long ago and still tell of people, oldest first; one that is being changed waits.
-- $1 ended before, $2 how many
SELECT id FROM route WHERE end_at < $1 AND NOT people_gone ORDER BY end_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED;

-- name: blank_stops
-- Names, addresses, phones and words of recipients; where it was, when, and what became of it stay. $1 routes
UPDATE stop
   SET name = '', address = NULL, phone = NULL, email = NULL, locale = NULL, instructions = NULL
 WHERE route_id = ANY ($1::bigint[]);

-- name: blank_parcels
-- $1 routes
UPDATE parcel SET description = NULL, barcode = NULL
  FROM stop WHERE stop.route_id = ANY ($1::bigint[]) AND parcel.stop_id = stop.id;

-- name: drop_wishes
-- $1 routes
WITH theirs AS (
    SELECT id FROM stop WHERE route_id = ANY ($1::bigint[])
), changes AS (
    DELETE FROM recipient_change WHERE stop_id IN (SELECT id FROM theirs)
), words AS (
    UPDATE rating SET words = NULL WHERE stop_id IN (SELECT id FROM theirs) AND words IS NOT NULL
), browsers AS (
    DELETE FROM push_subscription WHERE stop_id IN (SELECT id FROM theirs)
), notes AS (
    DELETE FROM route_note WHERE route_id = ANY ($1::bigint[])
)
DELETE FROM recipient_wish WHERE stop_id IN (SELECT id FROM theirs);

-- name: blank_cases
-- What was said in tickets and returns; that there were any, and how they ended, stays. $1 routes
WITH theirs AS (
    SELECT id FROM stop WHERE route_id = ANY ($1::bigint[])
), said AS (
    UPDATE ticket_entry SET words = NULL, photo_ids = '{}'
     WHERE ticket_id IN (SELECT id FROM ticket WHERE stop_id IN (SELECT id FROM theirs))
)
UPDATE return_request SET reason = NULL, words = NULL, said = NULL, photo_ids = '{}'
 WHERE stop_id IN (SELECT id FROM theirs);

-- name: people_are_gone
-- $1 routes
UPDATE route SET people_gone = true WHERE id = ANY ($1::bigint[]);

-- name: blank_drivers
-- Drivers that were deleted long ago. $1 deleted before, $2 at most so many
UPDATE driver SET name = '', external_id = '', phone = NULL, locale = NULL
 WHERE id = ANY (ARRAY(SELECT id FROM driver
                        WHERE deleted_at < $1 AND (name <> '' OR external_id <> '' OR phone IS NOT NULL)
                        ORDER BY deleted_at LIMIT $2))
RETURNING id;

-- name: blank_devices
-- $1 drivers
UPDATE device SET label = NULL WHERE driver_id = ANY ($1::bigint[]);

-- name: old_routes
-- Routes that ended long ago, of which no word of a driver, no proof, no upload and no photo is left, oldest first.
-- $1 ended before, $2 how many
SELECT id FROM route
 WHERE end_at < $1
   AND NOT EXISTS (SELECT FROM driver_event AS word WHERE word.route_id = route.id)
   AND NOT EXISTS (SELECT FROM proof JOIN stop ON stop.id = proof.stop_id WHERE stop.route_id = route.id)
   AND NOT EXISTS (SELECT FROM recipient_photo AS photo JOIN stop ON stop.id = photo.stop_id WHERE stop.route_id = route.id)
   AND NOT EXISTS (SELECT FROM upload JOIN stop ON stop.id = upload.stop_id WHERE stop.route_id = route.id)
 ORDER BY end_at LIMIT $2 FOR UPDATE SKIP LOCKED;

-- name: drop_of_routes
-- All that belongs to routes. Each statement sees the rows of before: what refers to another row is checked at the end.
-- A table that refers to a route or a stop gets a line here (a test compares). $1 routes
WITH gone AS (
    SELECT id FROM stop WHERE route_id = ANY ($1::bigint[])
), messages AS (
    DELETE FROM message WHERE stop_id IN (SELECT id FROM gone)
), notices AS (
    DELETE FROM notice WHERE stop_id IN (SELECT id FROM gone)
), links AS (
    DELETE FROM moved_link WHERE stop_id IN (SELECT id FROM gone)
), wishes AS (
    DELETE FROM recipient_wish WHERE stop_id IN (SELECT id FROM gone)
), changes AS (
    DELETE FROM recipient_change WHERE stop_id IN (SELECT id FROM gone)
), browsers AS (
    DELETE FROM push_subscription WHERE stop_id IN (SELECT id FROM gone)
), places AS (
    DELETE FROM slot_place WHERE stop_id IN (SELECT id FROM gone)
), codes AS (
    DELETE FROM step_up WHERE stop_id IN (SELECT id FROM gone)
), ratings AS (
    DELETE FROM rating WHERE stop_id IN (SELECT id FROM gone)
), tickets AS (
    DELETE FROM ticket WHERE stop_id IN (SELECT id FROM gone)
), returns AS (
    DELETE FROM return_request WHERE stop_id IN (SELECT id FROM gone)
), things AS (
    DELETE FROM parcel WHERE stop_id IN (SELECT id FROM gone)
), etas AS (
    DELETE FROM route_eta WHERE route_id = ANY ($1::bigint[])
), told AS (
    DELETE FROM eta_told WHERE route_id = ANY ($1::bigint[])
), learned AS (
    DELETE FROM eta_learned WHERE route_id = ANY ($1::bigint[])
), detours AS (
    DELETE FROM detour WHERE route_id = ANY ($1::bigint[])
), visits AS (
    DELETE FROM visit WHERE route_id = ANY ($1::bigint[])
), notes AS (
    DELETE FROM route_note WHERE route_id = ANY ($1::bigint[])
), orders AS (
    DELETE FROM delivery_order WHERE route_id = ANY ($1::bigint[])
), plans AS (
    DELETE FROM route_version WHERE route_id = ANY ($1::bigint[])
)
DELETE FROM stop WHERE route_id = ANY ($1::bigint[]);

-- name: drop_routes
-- $1 routes
DELETE FROM route WHERE id = ANY ($1::bigint[]);
