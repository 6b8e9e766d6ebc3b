-- name: make_drivers
-- Drivers with a phone each, made at once; only ever in a bench's own database. $1 account, $2 the first number, $3 the last,
-- $4 how external ids begin; the token of a phone is that of its driver with `rpd_` before it
WITH made AS (
    INSERT INTO driver (id, account_id, lane, external_id, name)
    SELECT next.id, $1, next.id % instance.lanes, next.name, next.name
      FROM instance,
   LATERAL (SELECT nextval(pg_get_serial_sequence('driver', 'id')) AS id, $4 || number AS name
              FROM generate_series($2::int, $3::int) AS number) AS next
    RETURNING id, lane, external_id
), phone AS (
    INSERT INTO device (account_id, driver_id, app, token_hash, ingest_token_hash)
    SELECT $1, id, 'native', sha256(convert_to('rpd_' || external_id, 'UTF8')), sha256(convert_to('rpi_' || external_id, 'UTF8'))
      FROM made
    RETURNING id, driver_id
)
SELECT phone.id AS device_id, made.id AS driver_id, made.lane, made.external_id FROM phone JOIN made ON made.id = phone.driver_id
 ORDER BY made.id;

-- name: the_account
-- The only one.
SELECT id FROM account;

-- name: wait_as_long_as_it_takes
SET statement_timeout = 0;

-- name: vacuum
-- What comes by itself within minutes after rows were made by the million, and would be counted with the pings of then.
VACUUM ANALYZE;

-- name: checkpoint
-- Each page is written to the log whole when it changes first after one.
CHECKPOINT;

-- name: size
-- Stored pings by the planner's estimate after ANALYZE, and the bytes of their rows and of their key.
SELECT coalesce(sum(reltuples), 0)::bigint AS pings, coalesce(sum(pg_table_size(oid)), 0)::bigint AS row_bytes,
       coalesce(sum(pg_indexes_size(oid)), 0)::bigint AS key_bytes
  FROM pg_inherits JOIN pg_class ON oid = inhrelid
 WHERE inhparent = 'packed_ping'::regclass AND reltuples > 0;

-- name: look_through
-- Count what is there, for the estimates.
ANALYZE packed_ping;
