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
