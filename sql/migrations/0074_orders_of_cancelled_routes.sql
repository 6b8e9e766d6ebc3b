-- Orders of routes that were taken away stayed on them: nobody came, no plan took them, and they could not be put again. They are free.
CREATE OR REPLACE FUNCTION stops_by_hand(account bigint, name text, first_day date, last_day date)
    RETURNS TABLE (stop_id bigint, route_id bigint) LANGUAGE sql STABLE AS $$
SELECT stop.id, stop.route_id FROM stop JOIN route ON route.id = stop.route_id
 WHERE stop.account_id = $1 AND stop.external_id = $2 AND stop.kind IN ('delivery', 'pickup') AND stop.removed_at IS NULL
   AND stop.status <> 'left_open' AND route.deleted_at IS NULL AND route.date BETWEEN $3 AND $4
   AND (route.status <> 'cancelled' OR stop.outcome_at IS NOT NULL)
$$;

UPDATE delivery_order AS known SET state = 'ready', plan_id = NULL, route_id = NULL, updated_at = now()
  FROM order_now JOIN stop ON stop.id = order_now.stop_id JOIN route ON route.id = stop.route_id
 WHERE known.state = 'assigned' AND order_now.id = known.id AND stop.removed_at IS NULL AND stop.outcome_at IS NULL
   AND (route.deleted_at IS NOT NULL OR route.status = 'cancelled');
