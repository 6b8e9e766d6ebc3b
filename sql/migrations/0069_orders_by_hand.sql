-- An order that stands on a route which a company gave by hand is on a route as any other.

-- Stops of an order on routes that no plan made: called like it, on one of its days. One that nobody came to is none.
CREATE FUNCTION stops_by_hand(account bigint, name text, first_day date, last_day date)
    RETURNS TABLE (stop_id bigint, route_id bigint) LANGUAGE sql STABLE AS $$
SELECT stop.id, stop.route_id FROM stop JOIN route ON route.id = stop.route_id
 WHERE stop.account_id = $1 AND stop.external_id = $2 AND stop.kind IN ('delivery', 'pickup') AND stop.removed_at IS NULL
   AND stop.status <> 'left_open' AND route.deleted_at IS NULL AND route.date BETWEEN $3 AND $4
$$;

DROP VIEW order_now;
-- An order with what became of its stop, on whichever route it is by now.
CREATE VIEW order_now AS
SELECT one.id, one.account_id, one.external_id,
       CASE WHEN one.state = 'cancelled' OR stop.id IS NULL THEN one.state
            WHEN stop.status IN ('completed', 'partially_completed', 'failed', 'skipped') THEN 'closed'
            WHEN stop.status = 'removed' THEN 'cancelled'
            ELSE 'assigned' END AS state,
       one.quality, one.lat, one.lon, one.depot, one.earliest, one.latest, one.body, one.plan_id,
       coalesce(stop.route_id, one.route_id) AS route_id, stop.status AS stop_status, stop.id AS stop_id,
       stop.link_generation, stop.link_revoked_at, one.created_at, one.updated_at
  FROM delivery_order AS one
  LEFT JOIN LATERAL (
       SELECT id, route_id, status, link_generation, link_revoked_at FROM stop
        WHERE account_id = one.account_id AND external_id = one.external_id
          AND CASE WHEN one.route_id IS NULL
                   THEN one.state <> 'cancelled' AND id IN (
                        SELECT stop_id FROM stops_by_hand(one.account_id, one.external_id, one.earliest, one.latest))
                   ELSE id >= (SELECT first.id FROM stop AS first
                                WHERE first.route_id = one.route_id AND first.external_id = one.external_id) END
        ORDER BY removed_at IS NOT NULL, id DESC LIMIT 1) AS stop ON true;
