-- name: eta_of_route
-- When a route's van is expected where, and where it was seen last; nulls until a ping was on the route. The live row counts
-- only while its driver is on this route. What is open and is not expected lies behind the van.
-- $1 account, $2 route or null, $3 external id or null
SELECT route.status, route.version AS route_version, eta.version, eta.as_of, eta.computed_at, eta.stop_ids, eta.expected,
       eta.low, eta.high, eta.remaining_m, eta.along_m AS from_m, live.recorded_at AS seen_at, live.on_route, live.along_m,
       live.route_version AS seen_version,
       ARRAY(SELECT stop.id FROM stop
              WHERE stop.route_id = route.id AND stop.status = 'pending' AND stop.kind NOT IN ('depot', 'break')
                AND stop.id <> ALL (eta.stop_ids) AND eta.version = route.version ORDER BY stop.seq, stop.id) AS behind_ids
  FROM route
  LEFT JOIN route_eta AS eta ON eta.route_id = route.id
  LEFT JOIN driver ON driver.id = route.driver_id
  LEFT JOIN live ON live.lane = driver.lane AND live.driver_id = driver.id AND live.route_id = route.id
 WHERE route.account_id = $1 AND route.deleted_at IS NULL AND (route.id = $2 OR route.external_id = $3);

-- name: eta_stops
-- $1 stops
SELECT id, external_id, kind, status, along_m, arrived_at, departed_at FROM stop WHERE id = ANY ($1::bigint[]);

-- name: put_etas
-- One row a route; arrays are given as Postgres array text (sql/arrays.py). A driver who lost the
-- route and whose pings come late says nothing of it any more.
-- Columns of one length: $1 route, $2 its version, $3 as of ms, $4 stop ids, $5 expected ms, $6 low ms, $7 high ms, $8 remaining_m,
-- $9 along_m
INSERT INTO route_eta (route_id, version, as_of, computed_at, stop_ids, expected, low, high, remaining_m, along_m)
SELECT new.route, new.version, from_ms(as_of), now(), stop_ids::bigint[], times.expected, times.low, times.high,
       remaining::float8[], along_m
  FROM unnest($1::bigint[], $2::int[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::float8[])
    AS new (route, version, as_of, stop_ids, expected, low, high, remaining, along_m),
       LATERAL (SELECT array_agg(from_ms(at.expected)) AS expected, array_agg(from_ms(at.low)) AS low,
                       array_agg(from_ms(at.high)) AS high
                  FROM unnest(new.expected::bigint[], new.low::bigint[], new.high::bigint[]) AS at (expected, low, high)
               ) AS times
 WHERE EXISTS (SELECT FROM route JOIN route_version AS plan ON plan.route_id = route.id
                WHERE route.id = new.route AND plan.version = new.version AND plan.driver_id = route.driver_id)
    ON CONFLICT (route_id) DO UPDATE
   SET version = excluded.version, as_of = excluded.as_of, computed_at = excluded.computed_at, stop_ids = excluded.stop_ids,
       expected = excluded.expected, low = excluded.low, high = excluded.high, remaining_m = excluded.remaining_m,
       along_m = excluded.along_m
 WHERE route_eta.version <= excluded.version;

-- name: forget_eta
-- Of a route that goes to another driver, or to nobody: what the one before was expected at says nothing any more. $1 route
DELETE FROM route_eta WHERE route_id = $1;

-- name: eta_accounts
-- What trackers must know of accounts: how much their ETAs have learned, and when somebody must hear of one. $1 accounts
SELECT id, eta_version, settings FROM account WHERE id = ANY ($1::bigint[]);

-- name: told_facts
-- The newest revision of what the feed says of the ETAs of routes, and of what it lately said to be late of drivers, who may
-- have lost the route since. $1 routes, $2 drivers
WITH touched AS (
    SELECT id FROM event WHERE route_id = ANY ($1::bigint[]) AND type IN ('eta.late', 'stop.approaching')
     UNION
    SELECT id FROM event
     WHERE driver_id = ANY ($2::bigint[]) AND type = 'eta.late' AND occurred_at > now() - interval '1 day'
)
SELECT DISTINCT ON (fact_id)
       fact_id, revision, state, type, to_ms(occurred_at) AS occurred_ms, to_ms(folded_at) AS folded_ms,
       to_ms(first_folded_at) AS first_folded_ms, lane, account_id,
       driver_id, route_id, route_version, stop_id, geofence_id, visit_id, data
  FROM touched JOIN event USING (id)
 ORDER BY fact_id, revision DESC;
