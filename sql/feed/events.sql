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

-- name: place_of_time
-- A seq before which everything of an account's feed became known before a time, found by halves: entries are numbered about
-- in the order of `known_at`. $1 account, $2 when
WITH RECURSIVE search (low, high) AS (
    SELECT events_dropped + 1, events_numbered + 1 FROM account WHERE id = $1
    UNION ALL
    SELECT CASE WHEN entry.known_at < $2 THEN entry.seq + 1 ELSE low END,
           CASE WHEN entry.known_at < $2 THEN high ELSE (low + high) / 2 END
      FROM search
     CROSS JOIN LATERAL (SELECT seq, known_at FROM event
                          WHERE account_id = $1 AND seq >= (low + high) / 2 ORDER BY seq LIMIT 1) AS entry
     WHERE low < high
)
SELECT max(low) FROM search;

-- name: facts_known_between
-- Facts of some types as they are now, which first became known in a stretch of time and were not taken back since. The seq is
-- that of the first entry. $1 account, $2 from which seq, $3 before which seq, $4 from and $5 before when, $6 types,
-- $7 drivers or null for all, $8 how many
SELECT first.seq, first.fact_id, last.revision, last.state, first.type, last.occurred_at, first.known_at, first.driver_id,
       first.route_id, first.stop_id, first.geofence_id, first.late, last.data
  FROM event AS first
 CROSS JOIN LATERAL (SELECT revision, state, occurred_at, data FROM event AS newer
                      WHERE newer.fact_id = first.fact_id ORDER BY revision DESC LIMIT 1) AS last
 WHERE first.account_id = $1 AND first.seq >= $2 AND first.seq < $3 AND first.known_at >= $4 AND first.known_at < $5
   AND first.revision = 1 AND first.type = ANY ($6::text[]) AND (first.driver_id = ANY ($7::bigint[]) OR $7 IS NULL)
   AND last.state <> 'retracted'
 ORDER BY first.seq
 LIMIT $8;

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
