-- name: waiting_pings
-- Pings that wait for the trackers, counted one by one.
SELECT coalesce(sum(pings), 0)::bigint FROM inbox;

-- name: some_pings
-- Rows to copy again. $1 how many
SELECT * FROM packed_ping LIMIT $1;

-- name: empty_pings
-- Throw every ping away; only ever on a bench's own database.
TRUNCATE packed_ping;

-- name: change_stops
-- Plan one stop of every route otherwise; only ever in a bench's own database.
UPDATE stop SET service_s = service_s + 1 WHERE id IN (SELECT min(id) FROM stop GROUP BY route_id);
