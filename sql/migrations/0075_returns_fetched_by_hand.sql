-- The pickup of a return is on whatever route has its order: also one that was given by hand, or that it went to since.
CREATE OR REPLACE VIEW return_now AS
SELECT one.id, one.account_id, one.stop_id, stop.route_id, stop.external_id AS "order", one.state, one.asked_by,
       one.reason, one.words, one.said, one.photo_ids, one.version, one.asked_at, one.updated_at, one.closed_at,
       one.pickups, one.order_name, wanted.state AS order_state,
       pickup.id AS pickup_stop_id, pickup.status AS pickup_status, tour.date AS pickup_day,
       CASE WHEN pickup.link_revoked_at IS NULL THEN pickup.link_generation END AS pickup_generation
  FROM return_request AS one JOIN stop ON stop.id = one.stop_id
  LEFT JOIN order_now AS wanted ON wanted.account_id = one.account_id AND wanted.external_id = one.order_name
  LEFT JOIN stop AS pickup ON pickup.id = wanted.stop_id
  LEFT JOIN route AS tour ON tour.id = pickup.route_id;
