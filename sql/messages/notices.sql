-- name: put_notices
-- Columns of one length: $1 account, $2 route or null, $3 stop or null (every stop of the route), $4 kind, $5 fact or null,
-- $6 happened ms, $7 data
INSERT INTO notice (account_id, route_id, stop_id, kind, fact_id, happened_at, data)
SELECT account, route, stop, kind, fact, from_ms(happened), data
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::uuid[], $6::bigint[], $7::jsonb[])
    AS new (account, route, stop, kind, fact, happened, data);

-- name: pop_notices
-- Take the oldest notices out, to make their messages in the same transaction. $1 at most so many, $2 account or null
WITH first AS (SELECT id FROM notice WHERE $2::bigint IS NULL OR account_id = $2 ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
DELETE FROM notice USING first WHERE notice.id = first.id
RETURNING notice.id, notice.account_id, notice.route_id, notice.stop_id, notice.kind, notice.fact_id, notice.happened_at,
          notice.data;

-- name: accounts_with_notices
-- The one that has waited longest first.
SELECT account_id FROM notice GROUP BY account_id ORDER BY min(id);

-- name: stops_of_routes
-- The stops of tours where somebody waits. $1 routes
SELECT route_id, id FROM stop
 WHERE route_id = ANY ($1::bigint[]) AND removed_at IS NULL AND kind IN ('delivery', 'pickup', 'return')
 ORDER BY route_id, seq;
