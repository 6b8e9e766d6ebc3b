-- name: has_pings
-- Whether a day has any. $1 its begin, $2 its end
SELECT EXISTS (SELECT FROM ping WHERE recorded_at >= $1 AND recorded_at < $2);

-- name: count_pings
-- $1 before when, $2 count up to
SELECT count(*) FROM (SELECT FROM ping WHERE recorded_at < $1 LIMIT $2) AS old;

-- name: age_of_tracks
-- As all that follow: the oldest of what is older than $1, and how much of it there is, counted up to $2.
-- One row a driver, and no index: every take would have to write it. Of whom only a tour is known nothing gets old.
SELECT min(at) AS oldest, count(*) AS things
  FROM (SELECT greatest(folded_until, head_at, stored_until) AS at FROM track WHERE state IS NOT NULL) AS known
 WHERE at < $1 AND at > '-infinity' AND $2::bigint > 0;

-- name: age_of_live
-- No index, as age_of_tracks.
SELECT min(recorded_at) AS oldest, count(*) AS things FROM live WHERE recorded_at < $1 AND $2::bigint > 0;

-- name: age_of_places
SELECT min(occurred_at) AS oldest, count(*) AS things
  FROM (SELECT occurred_at FROM event WHERE occurred_at < $1 AND data ?| '{lat,lon,along_m,offset_m}'
         ORDER BY occurred_at LIMIT $2) AS old;

-- name: age_of_feed
-- An account's entries go in the order of seq: the first that is young enough keeps those after it.
SELECT min(known_at) AS oldest, count(*) AS things
  FROM account
 CROSS JOIN LATERAL (SELECT known_at FROM event WHERE event.account_id = account.id AND seq > account.events_dropped
                      ORDER BY seq LIMIT $2) AS first
 WHERE known_at < $1;

-- name: age_of_visits
SELECT min(arrived_at) AS oldest, count(*) AS things
  FROM (SELECT arrived_at FROM visit WHERE arrived_at < $1 ORDER BY arrived_at LIMIT $2) AS old;

-- name: age_of_driver_events
SELECT min(occurred_at) AS oldest, count(*) AS things
  FROM (SELECT occurred_at FROM driver_event WHERE occurred_at < $1 ORDER BY occurred_at LIMIT $2) AS old;

-- name: age_of_proofs
SELECT min(stored_at) AS oldest, count(*) AS things
  FROM (SELECT stored_at FROM proof WHERE stored_at < $1 ORDER BY stored_at LIMIT $2) AS old;

-- name: age_of_photos
SELECT min(made_at) AS oldest, count(*) AS things
  FROM (SELECT made_at FROM recipient_photo WHERE made_at < $1 ORDER BY made_at LIMIT $2) AS old;

-- name: age_of_recipients
-- Counts routes.
SELECT min(end_at) AS oldest, count(*) AS things
  FROM (SELECT end_at FROM route WHERE end_at < $1 AND NOT people_gone ORDER BY end_at LIMIT $2) AS old;

-- name: age_of_drivers
SELECT min(deleted_at) AS oldest, count(*) AS things
  FROM (SELECT deleted_at FROM driver
         WHERE deleted_at < $1 AND (name <> '' OR external_id <> '' OR phone IS NOT NULL)
         ORDER BY deleted_at LIMIT $2) AS old;

-- name: age_of_routes
SELECT min(end_at) AS oldest, count(*) AS things
  FROM (SELECT end_at FROM route WHERE end_at < $1 ORDER BY end_at LIMIT $2) AS old;

-- name: age_of_geofences
SELECT min(ended_at) AS oldest, count(*) AS things
  FROM (SELECT ended_at FROM geofence_version WHERE ended_at < $1 ORDER BY ended_at LIMIT $2) AS old;

-- name: age_of_manifests
-- One row a driver. A version is the second it was made in.
SELECT to_timestamp(min(version)) AS oldest, count(*) AS things
  FROM manifest WHERE version < extract(epoch FROM $1::timestamptz) AND $2::bigint > 0;

-- name: age_of_etas
SELECT min(as_of) AS oldest, count(*) AS things
  FROM (SELECT as_of FROM eta_told WHERE as_of < $1 ORDER BY as_of LIMIT $2) AS old;

-- name: age_of_quarantine
SELECT min(received_at) AS oldest, count(*) AS things
  FROM (SELECT received_at FROM quarantine WHERE received_at < $1 ORDER BY received_at LIMIT $2) AS old;

-- name: age_of_messages
SELECT min(created_at) AS oldest, count(*) AS things
  FROM (SELECT created_at FROM message WHERE created_at < $1 ORDER BY created_at LIMIT $2) AS old;

-- name: age_of_deliveries
SELECT min(created_at) AS oldest, count(*) AS things
  FROM (SELECT created_at FROM webhook_delivery WHERE created_at < $1 ORDER BY created_at LIMIT $2) AS old;

-- name: age_of_orders
-- By their last day, as UTC days.
SELECT min(latest) AT TIME ZONE 'UTC' AS oldest, count(*) AS things
  FROM (SELECT latest::timestamp FROM delivery_order WHERE latest < ($1::timestamptz AT TIME ZONE 'UTC')::date
         ORDER BY latest LIMIT $2) AS old;

-- name: age_of_addresses
SELECT min(seen_at) AS oldest, count(*) AS things
  FROM (SELECT seen_at FROM address_seen WHERE seen_at < $1 ORDER BY seen_at LIMIT $2) AS old;

-- name: age_of_plans
-- Plans and shifts.
SELECT min(date) AT TIME ZONE 'UTC' AS oldest, count(*) AS things
  FROM ((SELECT date::timestamp FROM plan WHERE date < ($1::timestamptz AT TIME ZONE 'UTC')::date
          ORDER BY date LIMIT $2)
        UNION ALL
        (SELECT date::timestamp FROM plan_resource
          WHERE kind = 'shift' AND date < ($1::timestamptz AT TIME ZONE 'UTC')::date ORDER BY date LIMIT $2)) AS old;

-- name: age_of_audit
SELECT min(at) AS oldest, count(*) AS things
  FROM (SELECT at FROM audit_entry WHERE at < $1 ORDER BY at LIMIT $2) AS old;
