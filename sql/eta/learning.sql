-- name: note_visits
-- Drives have closed visits that nothing was learned from yet. Sorted, so that nobody waits for each other in a circle.
-- Columns of one length: $1 route, $2 driver, $3 account
INSERT INTO eta_learned (route_id, driver_id, account_id, due_at)
SELECT DISTINCT route, driver, account, now() FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS new (route, driver, account)
 ORDER BY route, driver
    ON CONFLICT (route_id, driver_id) DO UPDATE
   SET due_at = coalesce(eta_learned.due_at, excluded.due_at), noted_at = now();

-- name: accounts_to_learn
-- Accounts of which drives wait to be learned from, the longest waiting first. $1 seconds after their visits, $2 how many
SELECT account_id FROM eta_learned WHERE due_at <= now() - make_interval(secs => $1)
 GROUP BY account_id ORDER BY min(due_at) LIMIT $2;

-- name: try_hold_learning
-- One process at a time learns for an account; false when another one is at it. $1 class, $2 account
SELECT pg_try_advisory_xact_lock($1, ($2::bigint % 2147483648)::int);

-- name: due_drives
-- Drives to learn from, and up to where they are settled: beyond that a late ping may still change them.
-- $1 account, $2 seconds after their visits, $3 how many
SELECT due.route_id, due.driver_id, due.learned,
       to_ms(least(track.folded_until, track.rerun_from, now() - make_interval(secs => $2))) AS horizon_ms, due.due_at,
       (SELECT max(version) FROM route_version AS plan
         WHERE plan.route_id = due.route_id AND plan.driver_id = due.driver_id) AS version
  FROM eta_learned AS due
  JOIN driver ON driver.id = due.driver_id
  LEFT JOIN track ON track.lane = driver.lane AND track.driver_id = due.driver_id
 WHERE due.account_id = $1 AND due.due_at <= now() - make_interval(secs => $2)
 ORDER BY due.due_at LIMIT $3;

-- name: drive_visits
-- When a driver was at the stops of a route, the first time; an end that follows from silence says nothing. $1 route, $2 driver
SELECT DISTINCT ON (stop_id) stop_id, to_ms(arrived_at) AS arrived_ms,
       CASE WHEN NOT presumed THEN to_ms(departed_at) END AS departed_ms
  FROM visit WHERE route_id = $1 AND driver_id = $2 AND stop_id IS NOT NULL ORDER BY stop_id, arrived_at;

-- name: drive_places
-- Where a driver believably was along the path of a version, in the order of time.
-- $1 driver, $2 route, $3 version, $4 from and $5 until ms
SELECT coalesce(array_agg(to_ms(recorded_at) ORDER BY recorded_at), '{}') AS ms,
       coalesce(array_agg(along_m ORDER BY recorded_at), '{}') AS along_m
  FROM device JOIN ping ON ping.device_id = device.id
                       AND ping.recorded_at >= from_ms($4) AND ping.recorded_at <= from_ms($5)
 WHERE device.driver_id = $1 AND ping.route_id = $2 AND ping.route_version = $3 AND ping.believed AND ping.on_route
   AND ping.along_m IS NOT NULL;

-- name: hold_drives
-- Sorted, as note_visits writes them. Columns of one length: $1 route, $2 driver
SELECT FROM eta_learned WHERE (route_id, driver_id) IN (SELECT * FROM unnest($1::bigint[], $2::bigint[]))
 ORDER BY route_id, driver_id FOR UPDATE;

-- name: note_learned
-- Drives were learned from; one whose visits go on is due again later, one that was noted meanwhile stays due.
-- Columns of one length: $1 route, $2 driver, $3 all that was learned, as text of an array, $4 when it was due,
-- $5 whether visits go on
UPDATE eta_learned AS drive
   SET learned = done.learned::text[],
       due_at = CASE WHEN done.goes_on THEN now() WHEN drive.due_at = done.due_at THEN NULL ELSE drive.due_at END
  FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::timestamptz[], $5::boolean[])
    AS done (route, driver, learned, due_at, goes_on)
 WHERE drive.route_id = done.route AND drive.driver_id = done.driver;

-- name: eta_version
-- $1 account
SELECT eta_version FROM account WHERE id = $1;

-- name: raise_eta_version
-- Tell trackers that there is something new. $1 account, $2 version
UPDATE account SET eta_version = $2 WHERE id = $1;

-- name: rows_since
-- What was learned after a version. $1 account, $2 version
SELECT scope, key, hour_class, weekday_class, n, mean, m2, to_ms(as_of) AS as_of_ms
  FROM eta_drive WHERE account_id = $1 AND version > $2
 UNION ALL
SELECT scope, key, hour_class, weekday_class, n, mean, m2, to_ms(as_of) AS as_of_ms
  FROM eta_service WHERE account_id = $1 AND version > $2;

-- name: rows_of_keys
-- What was learned of some things. $1 account; columns of one length: $2 scope, $3 key, $4 hour class, $5 weekday class
SELECT row.scope, row.key, row.hour_class, row.weekday_class, row.n, row.mean, row.m2, to_ms(row.as_of) AS as_of_ms
  FROM unnest($2::text[], $3::text[], $4::smallint[], $5::smallint[]) AS asked (scope, key, hour, weekday)
  JOIN eta_drive AS row ON row.account_id = $1 AND row.scope = asked.scope AND row.key = asked.key
                       AND row.hour_class = asked.hour AND row.weekday_class = asked.weekday
 UNION ALL
SELECT row.scope, row.key, row.hour_class, row.weekday_class, row.n, row.mean, row.m2, to_ms(row.as_of) AS as_of_ms
  FROM unnest($2::text[], $3::text[], $4::smallint[], $5::smallint[]) AS asked (scope, key, hour, weekday)
  JOIN eta_service AS row ON row.account_id = $1 AND row.scope = asked.scope AND row.key = asked.key
                         AND row.hour_class = asked.hour AND row.weekday_class = asked.weekday;

-- name: read_bands
-- $1 account
SELECT lead_s, early, late, n, alpha, waits FROM eta_window WHERE account_id = $1 ORDER BY waits, lead_s;

-- name: put_drive_rows
-- $1 account, $2 version; columns of one length: $3 scope, $4 key, $5 hour class, $6 weekday class, $7 n, $8 mean, $9 m2, $10 as of ms
INSERT INTO eta_drive (account_id, scope, key, hour_class, weekday_class, n, mean, m2, as_of, version)
SELECT $1, scope, key, hour, weekday, n, mean, m2, from_ms(as_of), $2
  FROM unnest($3::text[], $4::text[], $5::smallint[], $6::smallint[], $7::float8[], $8::float8[], $9::float8[],
              $10::bigint[]) AS new (scope, key, hour, weekday, n, mean, m2, as_of)
    ON CONFLICT (account_id, scope, key, hour_class, weekday_class) DO UPDATE
   SET n = excluded.n, mean = excluded.mean, m2 = excluded.m2, as_of = excluded.as_of, version = excluded.version,
       updated_at = now();

-- name: put_service_rows
-- As put_drive_rows.
INSERT INTO eta_service (account_id, scope, key, hour_class, weekday_class, n, mean, m2, as_of, version)
SELECT $1, scope, key, hour, weekday, n, mean, m2, from_ms(as_of), $2
  FROM unnest($3::text[], $4::text[], $5::smallint[], $6::smallint[], $7::float8[], $8::float8[], $9::float8[],
              $10::bigint[]) AS new (scope, key, hour, weekday, n, mean, m2, as_of)
    ON CONFLICT (account_id, scope, key, hour_class, weekday_class) DO UPDATE
   SET n = excluded.n, mean = excluded.mean, m2 = excluded.m2, as_of = excluded.as_of, version = excluded.version,
       updated_at = now();

-- name: drop_bands
-- $1 account
DELETE FROM eta_window WHERE account_id = $1;

-- name: put_bands
-- $1 account; columns of one length: $2 lead_s, $3 early, $4 late, $5 n, $6 alpha, $7 waits
INSERT INTO eta_window (account_id, lead_s, early, late, n, alpha, waits)
SELECT $1, lead, early, late, n, alpha, waits
  FROM unnest($2::float8[], $3::float8[], $4::float8[], $5::float8[], $6::float8[], $7::boolean[])
    AS new (lead, early, late, n, alpha, waits);

-- name: drop_drive_rows
-- Forget what was not driven for long. $1 before, $2 at most so many
DELETE FROM eta_drive WHERE ctid = ANY (ARRAY(SELECT ctid FROM eta_drive WHERE as_of < $1 ORDER BY as_of LIMIT $2))
RETURNING account_id;

-- name: drop_service_rows
-- $1 before, $2 at most so many
DELETE FROM eta_service WHERE ctid = ANY (ARRAY(SELECT ctid FROM eta_service WHERE as_of < $1 ORDER BY as_of LIMIT $2))
RETURNING account_id;

-- name: drop_drives
-- Forget what was learned of drives of which no ping can come any more. $1 before, $2 at most so many
DELETE FROM eta_learned
 WHERE ctid = ANY (ARRAY(SELECT ctid FROM eta_learned WHERE noted_at < $1 ORDER BY noted_at LIMIT $2))
RETURNING route_id;
