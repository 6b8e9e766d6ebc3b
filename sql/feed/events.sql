-- name: events_numbered
-- How many entries an account's feed has. $1 account
SELECT events_numbered FROM account WHERE id = $1;

-- name: events_dropped
-- Up to which seq an account's feed is not kept any more. $1 account
SELECT events_dropped FROM account WHERE id = $1;

-- name: read_events
-- A stretch of an account's feed. $1 account, $2 after which seq, $3 up to which seq, $4 types or null for all, $5 how many
SELECT seq, fact_id, revision, state, type, occurred_at, known_at, driver_id, route_id, stop_id, geofence_id, late, data
  FROM event
 WHERE account_id = $1 AND seq > $2 AND seq <= $3 AND (type = ANY ($4::text[]) OR $4::text[] IS NULL)
 ORDER BY seq
 LIMIT $5;

-- name: try_hold_numbering
-- One process at a time gives numbers; false when another one is at it. $1 lock
SELECT pg_try_advisory_xact_lock($1);

-- name: number_events
-- Give committed entries their place in their account's feed, in the order they were made. A seq is given only here, under
-- the lock, so a reader who has seen n has seen everything up to n. A tracker may be moving facts: both hold entries in the
-- order of ids, so that neither waits for the other. Facts of some types alert people too. $1 how many at most, $2 those types
WITH waiting AS (
    SELECT *, row_number() OVER (PARTITION BY account_id ORDER BY id) AS place
      FROM (SELECT id, account_id, fact_id, revision, type
              FROM event WHERE seq IS NULL ORDER BY id LIMIT $1 FOR UPDATE) AS first
), raised AS (
    UPDATE account SET events_numbered = events_numbered + counted.entries
      FROM (SELECT account_id, count(*) AS entries FROM waiting GROUP BY account_id) AS counted
     WHERE account.id = counted.account_id
    RETURNING account.id, account.events_numbered - counted.entries AS before
), numbered AS (
    UPDATE event SET seq = raised.before + waiting.place
      FROM waiting JOIN raised ON raised.id = waiting.account_id
     WHERE event.id = waiting.id
), alerted AS (
    INSERT INTO alert (fact_id, way, account_id, next_try_at)
    SELECT fact_id, way, account_id, now() FROM waiting CROSS JOIN unnest('{email,service}'::text[]) AS way
     WHERE type = ANY ($2::text[]) AND revision = 1
        ON CONFLICT DO NOTHING
)
SELECT id FROM raised ORDER BY id;

-- name: tell_events
-- Tell every listener whose feed has grown. $1 channel, $2 accounts, separated by spaces
SELECT pg_notify($1, $2);
