-- name: changes_since
-- What was written of routes, drivers and accounts by transactions that were not over at an earlier look, and from where on
-- the next look must look: no transaction before `seen` is under way any more. What was written of a driver is told of
-- every route that they may be driving. At least one row. $1 `seen` of an earlier look, null at the first
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS seen, change.id, change.account_id, change.driver_id,
       coalesce(change.route_id, driven.id) AS route_id
  FROM (SELECT) AS always
  LEFT JOIN change ON change.by >= $1::text::xid8
  LEFT JOIN LATERAL (
       SELECT id FROM route
        WHERE change.route_id IS NULL AND route.driver_id = change.driver_id
          AND status IN ('planned', 'started') AND deleted_at IS NULL) AS driven ON true;

-- name: moved_routes
-- The routes of which the van's place or the ETA was written since they were read.
-- Columns of one length: $1 route, $2 `live_written` and $3 `eta_written` as `tracked_route` gave them
SELECT asked.route_id
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS asked (route_id, live_written, eta_written)
 WHERE live_written IS DISTINCT FROM (SELECT sum(xmin::text::bigint)::bigint FROM live WHERE live.route_id = asked.route_id)
    OR eta_written IS DISTINCT FROM (SELECT xmin::text::bigint FROM route_eta WHERE route_eta.route_id = asked.route_id);

-- name: moved_drivers
-- The drivers of some accounts whose place, or whose silence, was written by transactions that were not over at an earlier
-- look. $1 accounts, $2 `seen` of that look
SELECT live.account_id, live.driver_id
  FROM live
  LEFT JOIN track ON track.lane = live.lane AND track.driver_id = live.driver_id
 WHERE live.account_id = ANY ($1::bigint[])
   AND (age(live.xmin) <= age($2::text::xid8::xid) OR age(track.xmin) <= age($2::text::xid8::xid));

-- name: drop_changes
-- Forget what every process has seen long ago. $1 from before when, $2 at most so many
DELETE FROM change WHERE id IN (SELECT id FROM change WHERE at < $1 ORDER BY id LIMIT $2) RETURNING id;
