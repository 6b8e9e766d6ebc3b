-- name: hold_partitions
-- One process at a time makes or drops partitions. $1 lock
SELECT pg_advisory_xact_lock($1);

-- name: make_partitions
-- $1 first day, $2 last day
SELECT make_ping_partition(day::date) FROM generate_series($1::date, $2::date, interval '1 day') AS day;

-- name: partition_days
-- The days that have a partition, and whether one is half detached: what took it out was stopped in the middle.
SELECT to_date(right(child.relname, 8), 'YYYYMMDD') AS day, inhdetachpending AS is_half_detached
  FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
 WHERE inhparent = 'packed_ping'::regclass
 ORDER BY 1;

-- name: loose_key
-- Of the newest day that is over and whose key is loose, that index: it takes more than $1 bytes a row, and more than $2 in
-- all. How many rows there are is known when the day was analyzed.
SELECT key.relname FROM pg_inherits
  JOIN pg_class AS day ON day.oid = inhrelid
  JOIN pg_index ON indrelid = day.oid AND indisvalid
  JOIN pg_class AS key ON key.oid = indexrelid
 WHERE inhparent = 'packed_ping'::regclass AND to_date(right(day.relname, 8), 'YYYYMMDD') < (now() AT TIME ZONE 'UTC')::date
   AND day.reltuples > 0 AND pg_relation_size(key.oid) > greatest($1 * day.reltuples, $2)
 ORDER BY day.relname DESC LIMIT 1;

-- name: half_made_keys
-- What a rewrite that was stopped in the middle left behind.
SELECT key.relname FROM pg_inherits
  JOIN pg_index ON indrelid = inhrelid AND NOT indisvalid
  JOIN pg_class AS key ON key.oid = indexrelid
 WHERE inhparent = 'packed_ping'::regclass AND key.relname ~ '_cc(new|old)\d*$';

-- name: try_hold_keys
-- One process at a time rewrites keys, until it lets go or its connection ends. $1 lock
SELECT pg_try_advisory_lock($1);

-- name: let_keys_go
-- $1 lock
SELECT pg_advisory_unlock($1);

-- name: wait_long
-- To rewrite a key takes as long as its day is large; nobody waits for it, and it waits for every transaction under way.
SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false);
