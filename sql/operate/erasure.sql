-- name: stops_of_phone
-- A recipient's stops, and the words that name them there. $1 account, $2 digits of the phone, $3 how many
SELECT id, array_remove(ARRAY[name, address, phone, email, instructions], NULL) AS words FROM stop
 WHERE account_id = $1 AND reverse(regexp_replace(phone, '\D', '', 'g')) = reverse($2) AND phone IS NOT NULL ORDER BY id LIMIT $3;

-- name: stops_of_email
-- $1 account, $2 the address in lower case, $3 how many
SELECT id, array_remove(ARRAY[name, address, phone, email, instructions], NULL) AS words FROM stop
 WHERE account_id = $1 AND lower(email) = $2 AND email IS NOT NULL ORDER BY id LIMIT $3;

-- name: stop_by_id
-- $1 account, $2 stop
SELECT id, array_remove(ARRAY[name, address, phone, email, instructions], NULL) AS words FROM stop
 WHERE account_id = $1 AND id = $2;

-- name: driver_by_id
-- Also one that was deleted. $1 account, $2 driver or null, $3 external id or null
SELECT id, account_id, lane, external_id, name, phone, locale, created_at FROM driver
 WHERE account_id = $1 AND (id = $2 OR (external_id = $3 AND deleted_at IS NULL));

-- name: begin
-- $1 account, $2 key or null, $3 person or null, $4 driver or null, $5 stops, $6 words,
-- $7 seconds until it is gone through again, $8 orders
INSERT INTO erasure (account_id, key_id, person_id, driver_id, stop_ids, words, again_at, order_ids)
VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7), $8) RETURNING id;

-- name: find
-- $1 account or null for any, $2 erasure
SELECT erasure.id, erasure.account_id, driver_id, driver.lane, stop_ids, order_ids, words, asked_at, done_at, erased, remains
  FROM erasure LEFT JOIN driver ON driver.id = erasure.driver_id
 WHERE erasure.id = $2 AND (erasure.account_id = $1 OR $1::bigint IS NULL);

-- name: due
-- Erasures to go on with. $1 how many
SELECT id FROM erasure WHERE again_at <= now() ORDER BY again_at LIMIT $1;

-- name: count_erased
-- $1 erasure, $2 class, $3 how many more
UPDATE erasure SET erased = erased || jsonb_build_object($2::text, coalesce((erased ->> $2)::bigint, 0) + $3::bigint)
 WHERE id = $1;

-- name: put_off
-- Go on with it later. $1 erasure, $2 seconds
UPDATE erasure SET again_at = now() + make_interval(secs => $2) WHERE id = $1;

-- name: finish
-- It is done; once more is gone through it a while after it was asked, for what was under way then. $1 erasure, $2 remains,
-- $3 seconds after which nothing is under way any more
UPDATE erasure
   SET done_at = coalesce(done_at, clock_timestamp()), words = NULL, remains = $2,
       again_at = CASE WHEN asked_at < now() - make_interval(secs => $3) THEN NULL
                       ELSE asked_at + make_interval(secs => $3) END
 WHERE id = $1;

-- name: proofs_of_stops
-- $1 stops, $2 how many
SELECT id, account_id FROM proof WHERE stop_id = ANY ($1::bigint[]) ORDER BY id LIMIT $2;

-- name: drop_proofs
-- $1 proofs
DELETE FROM proof WHERE id = ANY ($1::bigint[]) RETURNING id;

-- name: uploads_of_stops
-- $1 stops, $2 how many
SELECT driver_id, id FROM upload WHERE stop_id = ANY ($1::bigint[]) ORDER BY driver_id, id LIMIT $2;

-- name: uploads_of_driver
-- $1 driver, $2 how many
SELECT driver_id, id FROM upload WHERE driver_id = $1 ORDER BY id LIMIT $2;

-- name: end_uploads
-- Nothing may be appended to them any more. Columns of one length: $1 driver, $2 upload
UPDATE upload SET ended_at = coalesce(ended_at, now()), writer = NULL
  FROM unnest($1::bigint[], $2::uuid[]) AS gone (driver, id)
 WHERE upload.driver_id = gone.driver AND upload.id = gone.id;

-- name: parts_of_uploads
-- Columns of one length: $1 driver, $2 upload
SELECT blob FROM upload_part
  JOIN unnest($1::bigint[], $2::uuid[]) AS gone (driver, id)
    ON upload_part.driver_id = gone.driver AND upload_part.upload_id = gone.id;

-- name: drop_uploads
-- Their parts go with them. Columns of one length: $1 driver, $2 upload
DELETE FROM upload USING unnest($1::bigint[], $2::uuid[]) AS gone (driver, id)
 WHERE upload.driver_id = gone.driver AND upload.id = gone.id
RETURNING upload.id;

-- name: blank_words_of_stops
-- $1 stops, $2 how many
UPDATE driver_event SET data = without_words(data), outcome = without_words(outcome)
 WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM driver_event
        WHERE stop_id = ANY ($1::bigint[]) AND (data <> without_words(data) OR outcome <> without_words(outcome)) LIMIT $2))
RETURNING driver_id;

-- name: blank_feed_of_stops
-- What the feed tells of words, not of places: those entries name the event. $1 stops, $2 how many
UPDATE event SET data = without_words(data)
 WHERE id = ANY (ARRAY(
       SELECT event.id
         FROM (SELECT DISTINCT driver_id FROM driver_event WHERE stop_id = ANY ($1::bigint[])) AS who
         JOIN event ON event.driver_id = who.driver_id AND event.folded_at IS NULL
        WHERE event.stop_id = ANY ($1::bigint[]) AND data ? 'event_id' AND data <> without_words(data)
        ORDER BY event.id LIMIT $2))
RETURNING id;

-- name: drop_messages
-- What was told or is to be told, wherever it went. $1 stops
DELETE FROM message WHERE stop_id = ANY ($1::bigint[]) RETURNING id;

-- name: drop_notices
-- Few: they become messages at once. $1 stops
DELETE FROM notice WHERE stop_id = ANY ($1::bigint[]) RETURNING id;

-- name: drop_wishes
-- What they said by their tracking page; numbers of a rating stay. $1 stops
WITH changes AS (
    DELETE FROM recipient_change WHERE stop_id = ANY ($1::bigint[]) RETURNING id
), ratings AS (
    UPDATE rating SET words = NULL WHERE stop_id = ANY ($1::bigint[]) AND words IS NOT NULL RETURNING id
), wishes AS (
    DELETE FROM recipient_wish WHERE stop_id = ANY ($1::bigint[]) RETURNING stop_id
), browsers AS (
    DELETE FROM push_subscription WHERE stop_id = ANY ($1::bigint[]) RETURNING stop_id
)
SELECT (SELECT count(*) FROM changes) + (SELECT count(*) FROM ratings) + (SELECT count(*) FROM wishes)
       + (SELECT count(*) FROM browsers);

-- name: blank_cases
-- What was said in their tickets and returns; that there were any stays. $1 stops
WITH said AS (
    UPDATE ticket_entry SET words = NULL, photo_ids = '{}'
     WHERE ticket_id IN (SELECT id FROM ticket WHERE stop_id = ANY ($1::bigint[]))
       AND (words IS NOT NULL OR photo_ids <> '{}') RETURNING id
), asked AS (
    UPDATE return_request SET reason = NULL, words = NULL, said = NULL, photo_ids = '{}'
     WHERE stop_id = ANY ($1::bigint[]) AND (num_nonnulls(reason, words, said) > 0 OR photo_ids <> '{}') RETURNING id
)
SELECT (SELECT count(*) FROM said) + (SELECT count(*) FROM asked);

-- name: blank_stops
-- The tracking link ends, too. $1 stops
UPDATE stop
   SET name = '', address = NULL, phone = NULL, email = NULL, locale = NULL, instructions = NULL,
       link_revoked_at = coalesce(link_revoked_at, now())
 WHERE id = ANY ($1::bigint[])
   AND (name <> '' OR num_nonnulls(address, phone, email, locale, instructions) > 0 OR link_revoked_at IS NULL)
RETURNING id;

-- name: blank_parcels
-- $1 stops
UPDATE parcel SET description = NULL, barcode = NULL WHERE stop_id = ANY ($1::bigint[]);

-- name: drop_unreadable_of_words
-- What nobody could read and that holds a word of theirs. $1 account, $2 words, $3 how many
DELETE FROM quarantine
 WHERE id = ANY (ARRAY(
       SELECT quarantine.id FROM quarantine
        WHERE account_id = $1
          AND EXISTS (SELECT FROM unnest($2::text[]) AS word
                       WHERE position(convert_to(word, 'UTF8') IN body) > 0 OR position(word IN coalesce(detail, '')) > 0)
        ORDER BY quarantine.id LIMIT $3))
RETURNING id;

-- name: drop_unreadable_of_driver
-- $1 account, $2 driver, $3 how many
DELETE FROM quarantine
 WHERE id = ANY (ARRAY(SELECT id FROM quarantine WHERE account_id = $1 AND driver_id = $2 ORDER BY id LIMIT $3))
RETURNING id;

-- name: proofs_with_places
-- Proofs that still say where their driver was. $1 driver, $2 how many
SELECT id, account_id FROM proof
 WHERE driver_id = $1 AND (sha256 IS NOT NULL OR filename IS NOT NULL
       OR num_nonnulls(event_lat, said_lat, exif_lat, fix_lat) > 0 OR fix_checked_at IS NULL)
 ORDER BY id LIMIT $2;

-- name: blank_proofs
-- What is shown of a proof stays; it has no place in it. $1 proofs
UPDATE proof
   SET event_lat = NULL, event_lon = NULL, said_lat = NULL, said_lon = NULL, exif_lat = NULL, exif_lon = NULL,
       fix_checked_at = coalesce(fix_checked_at, now()), fix_at = NULL, fix_lat = NULL, fix_lon = NULL,
       fix_accuracy_m = NULL, filename = NULL, sha256 = NULL, size_bytes = NULL
 WHERE id = ANY ($1::bigint[])
RETURNING id;

-- name: remains_of_stops
-- Numbers without persons. $1 stops, $2 orders
SELECT (SELECT count(*) FROM stop WHERE id = ANY ($1::bigint[])) AS stops,
       (SELECT count(*) FROM visit WHERE stop_id = ANY ($1::bigint[])) AS visits,
       (SELECT count(*) FROM driver_event WHERE stop_id = ANY ($1::bigint[])) AS driver_events,
       (SELECT count(*) FROM delivery_order WHERE id = ANY ($2::bigint[])) AS orders;
