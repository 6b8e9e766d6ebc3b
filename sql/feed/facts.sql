-- name: known_facts
-- The newest revision of each fact that is asked for, or that was made known by what is now folded again.
-- $1 fact ids; columns of one length, the stretches folded: $2 driver, $3 after ms, $4 until ms
WITH touched AS (
    SELECT unnest($1::uuid[]) AS fact_id
     UNION
    SELECT event.fact_id
      FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS stretch (driver, after, until)
      JOIN event ON event.driver_id = stretch.driver
                AND event.folded_at > from_ms(stretch.after) AND event.folded_at <= from_ms(stretch.until)
)
SELECT DISTINCT ON (event.fact_id)
       event.fact_id, event.revision, event.state, event.type, to_ms(event.occurred_at) AS occurred_ms,
       to_ms(event.folded_at) AS folded_ms, to_ms(event.first_folded_at) AS first_folded_ms, event.lane, event.account_id, event.driver_id, event.route_id,
       event.route_version, event.stop_id, event.geofence_id, event.visit_id, event.data
  FROM touched JOIN event USING (fact_id)
 ORDER BY event.fact_id, event.revision DESC;

-- name: put_revisions
-- Append to the feed; seq comes after commit. Columns of one length: $1 account, $2 fact, $3 revision, $4 state, $5 type,
-- $6 occurred ms, $7 folded ms or null, $8 lane, $9 driver, $10 route, $11 its version, $12 stop, $13 geofence, $14 visit, $15 data,
-- $16 first folded ms or null, $17 seconds after which a fact is late
INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, folded_at, lane, driver_id, route_id,
                   route_version, stop_id, geofence_id, visit_id, late, data, first_folded_at)
SELECT account, fact, revision, state, type, from_ms(occurred), now(), from_ms(folded), lane, driver, route, version, stop,
       geofence, visit, from_ms(occurred) < now() - make_interval(secs => $17), data,
       from_ms(first_folded)
  FROM unnest($1::bigint[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::smallint[],
              $9::bigint[], $10::bigint[], $11::int[], $12::bigint[], $13::bigint[], $14::uuid[], $15::jsonb[],
              $16::bigint[])
    AS new (account, fact, revision, state, type, occurred, folded, lane, driver, route, version, stop, geofence, visit,
            data, first_folded);

-- name: move_facts
-- The same fact, now made known by another input: nothing for the feed. In the order of ids, as they are numbered, so that
-- neither waits for the other. Columns of one length: $1 fact, $2 revision, $3 folded ms, $4 first folded ms or null
WITH held AS (
    SELECT moved.*
      FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::bigint[]) AS moved (fact, revision, folded, first_folded)
      JOIN event ON event.fact_id = moved.fact AND event.revision = moved.revision
     ORDER BY event.id FOR UPDATE OF event
)
UPDATE event SET folded_at = from_ms(held.folded), first_folded_at = from_ms(held.first_folded)
  FROM held WHERE event.fact_id = held.fact AND event.revision = held.revision;

-- name: begins_before
-- Where a re-run has to begin, for it to come to all of every fact that it comes to: facts may have been made known before
-- and corrected since. Drivers for whom that is where they asked are not given back. Columns of one length: $1 driver, $2 from ms
SELECT asked.driver AS driver_id, to_ms(min(event.first_folded_at)) AS from_ms
  FROM unnest($1::bigint[], $2::bigint[]) AS asked (driver, since)
  JOIN event ON event.driver_id = asked.driver AND event.folded_at >= from_ms(asked.since)
            AND event.first_folded_at < from_ms(asked.since)
 GROUP BY asked.driver;
