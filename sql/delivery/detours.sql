-- name: try_hold_detours
-- One process at a time matches detours, for as long as it keeps its connection; false when another one is at it. $1 lock
SELECT pg_try_advisory_lock($1);

-- name: let_go_detours
-- $1 lock
SELECT pg_advisory_unlock($1);

-- name: news_of_detours
-- What the feed says about leaving routes and coming back that was not looked at yet. $1 how many of each account
SELECT account.id AS account_id, news.seq, news.route_id, news.driver_id
  FROM account
 CROSS JOIN LATERAL (
       SELECT seq, route_id, driver_id FROM event
        WHERE event.account_id = account.id AND type IN ('route.off_route', 'route.back_on_route')
          AND seq > account.detours_seen
        ORDER BY seq LIMIT $1) AS news
 ORDER BY account.id, news.seq;

-- name: set_detours_seen
-- Columns of one length: $1 account, $2 the greatest seq looked at
UPDATE account SET detours_seen = seen.seq
  FROM unnest($1::bigint[], $2::bigint[]) AS seen (account_id, seq)
 WHERE account.id = seen.account_id;

-- name: detours_to_check
-- Whose detours could not be matched, or may rest on other pings because their driver was folded again since: a re-run begins
-- a moment before what follows from it can be read. In no order, so that none that fails stands before others. $1 how many
SELECT detour.route_id, detour.driver_id
  FROM track JOIN detour ON detour.driver_id = track.driver_id
 WHERE detour.checked_at IS NULL OR detour.checked_at < track.rerun_at + interval '1 minute'
 GROUP BY detour.route_id, detour.driver_id
 ORDER BY random() LIMIT $1;

-- name: look
-- What time it is for the database.
SELECT now();

-- name: spells_off_route
-- When a driver was off a route and came back, as the feed says now. A spell that a new plan or the end of the tour cut short
-- has no coming back. $1 route, $2 driver
WITH fact AS (
    SELECT DISTINCT ON (fact_id) type, occurred_at, state FROM event
     WHERE route_id = $1 AND driver_id = $2 AND type IN ('route.off_route', 'route.back_on_route') AND seq IS NOT NULL
     ORDER BY fact_id, revision DESC
), turn AS (
    SELECT type, occurred_at AS from_at, lead(occurred_at) OVER in_time AS to_at, lead(type) OVER in_time AS then_type
      FROM fact WHERE state <> 'retracted'
    WINDOW in_time AS (ORDER BY occurred_at, type)  -- coming back comes before leaving again
)
SELECT from_at, to_at FROM turn WHERE type = 'route.off_route' AND then_type = 'route.back_on_route' ORDER BY from_at;

-- name: believed_pings
-- A driver's believed pings of a stretch of time, in order. $1 driver, $2 from and $3 until and with when, $4 how many
SELECT extract(epoch FROM ping.recorded_at)::float8 AS time_s, ping.lat_e6 / 1e6::float8 AS lat, ping.lon_e6 / 1e6::float8 AS lon,
       ping.accuracy_m::float8 AS accuracy_m
  FROM device JOIN ping ON ping.device_id = device.id
 WHERE device.driver_id = $1 AND ping.recorded_at BETWEEN $2 AND $3 AND ping.believed
 ORDER BY ping.recorded_at, ping.lat_e6, ping.lon_e6
 LIMIT $4;

-- name: known_detours
-- What a driver's detours from a route rest on, but for those that could not be matched. $1 route, $2 driver
SELECT from_at, to_at, pings FROM detour WHERE route_id = $1 AND driver_id = $2 AND checked_at IS NOT NULL;

-- name: put_detour
-- $1 route, $2 driver, $3 from, $4 to, $5 where its path is from, $6 metres, $7 path, $8 pings that it rests on,
-- $9 when they were read, null where the roads could not be asked
INSERT INTO detour (route_id, driver_id, from_at, to_at, source, length_m, path, pings, checked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (route_id, driver_id, from_at) DO UPDATE
   SET to_at = excluded.to_at, source = excluded.source, length_m = excluded.length_m, path = excluded.path,
       pings = excluded.pings, checked_at = excluded.checked_at;

-- name: checked_detour
-- A detour rests on the same pings as before. $1 route, $2 driver, $3 from, $4 when they were read
UPDATE detour SET checked_at = $4 WHERE route_id = $1 AND driver_id = $2 AND from_at = $3;

-- name: keep_detours
-- A driver has no detours from a route but these. $1 route, $2 driver, $3 when each begins
DELETE FROM detour WHERE route_id = $1 AND driver_id = $2 AND from_at <> ALL ($3::timestamptz[]);

-- name: detours_of_route
-- One row a detour; one with nulls for a route without any. $1 account, $2 route or null, $3 external id or null
SELECT route.id AS route_id, detour.driver_id, detour.from_at, detour.to_at, detour.source, detour.length_m, detour.path
  FROM route LEFT JOIN detour ON detour.route_id = route.id
 WHERE route.account_id = $1 AND route.deleted_at IS NULL AND (route.id = $2 OR route.external_id = $3)
 ORDER BY detour.from_at, detour.driver_id;
