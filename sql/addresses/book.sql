-- name: seen_at
-- The newest sightings of some addresses, whoever waits there. $1 account, $2 normalised addresses, $3 how many of each
SELECT seen.address, seen.person, seen.source, seen.lat, seen.lon
  FROM unnest($2::text[]) AS asked (address)
 CROSS JOIN LATERAL (SELECT * FROM address_seen WHERE account_id = $1 AND address = asked.address
                      ORDER BY seen_at DESC, stop_id DESC LIMIT $3) AS seen;

-- name: put_seen
-- $1 account; columns: $2 address, $3 person, $4 source, $5 stop or 0, $6 lat, $7 lon, $8 at
INSERT INTO address_seen (account_id, address, person, source, stop_id, lat, lon, seen_at)
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::float8[], $7::float8[], $8::timestamptz[])
    ON CONFLICT (account_id, address, person, source, stop_id) DO UPDATE
   SET lat = excluded.lat, lon = excluded.lon, seen_at = excluded.seen_at;

-- name: page_of_book
-- $1 account, $2 and $3 address and person after these, $4 how many
SELECT DISTINCT address, person FROM address_seen
 WHERE account_id = $1 AND (address, person) > ($2, $3) ORDER BY address, person LIMIT $4;

-- name: forget_address
-- $1 account, $2 address, $3 person
DELETE FROM address_seen WHERE account_id = $1 AND address = $2 AND person = $3 RETURNING 1;

-- name: routes_to_learn
-- Tours that are over since $1, oldest first; held. $2 how many
SELECT id, account_id FROM route WHERE closed_at < $1 AND NOT addresses_learned
 ORDER BY closed_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED;

-- name: delivered_stops
-- What was seen at stops of a tour that were delivered: where proofs were taken, else where the driver said so; and where the
-- van stood, the median of the fixes of its visit, and the first of them. $1 route
SELECT stop.id AS stop_id, stop.address, stop.name, stop.phone, stop.email, stop.lat AS planned_lat,
       stop.lon AS planned_lon, stop.outcome_at AS seen_at,
       coalesce(proof.lat, word.lat) AS door_lat, coalesce(proof.lon, word.lon) AS door_lon,
       parked.lat AS van_lat, parked.lon AS van_lon, parked.first_lat AS spot_lat, parked.first_lon AS spot_lon
  FROM stop
  LEFT JOIN LATERAL (
       SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY at.lat) AS lat,
              percentile_cont(0.5) WITHIN GROUP (ORDER BY at.lon) AS lon
         FROM proof
        CROSS JOIN LATERAL (VALUES (CASE WHEN exif_lon IS NOT NULL THEN exif_lat END, exif_lon), (said_lat, said_lon),
                                   (event_lat, event_lon)) AS at (lat, lon)
        WHERE proof.stop_id = stop.id AND proof.state = 'stored' AND at.lat IS NOT NULL AND at.lon IS NOT NULL) AS proof ON true
  LEFT JOIN LATERAL (
       SELECT lat, lon FROM driver_event AS said
        WHERE said.stop_id = stop.id AND said.effective AND said.type IN ('completed', 'partially_completed')
          AND said.lat IS NOT NULL AND said.lon IS NOT NULL
        ORDER BY said.occurred_at DESC LIMIT 1) AS word ON true
  LEFT JOIN LATERAL (
       SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ping.lat_e6) / 1e6 AS lat,
              percentile_cont(0.5) WITHIN GROUP (ORDER BY ping.lon_e6) / 1e6 AS lon,
              (array_agg(ping.lat_e6 ORDER BY ping.recorded_at))[1] / 1e6 AS first_lat,
              (array_agg(ping.lon_e6 ORDER BY ping.recorded_at))[1] / 1e6 AS first_lon
         FROM visit
         JOIN device ON device.driver_id = visit.driver_id
         JOIN ping ON ping.device_id = device.id AND ping.believed
                  AND ping.recorded_at BETWEEN visit.arrived_at AND visit.departed_at
        WHERE visit.stop_id = stop.id AND visit.departed_at IS NOT NULL) AS parked ON true
 WHERE stop.route_id = $1 AND stop.status IN ('completed', 'partially_completed') AND stop.kind IN ('delivery', 'pickup', 'return')
   AND stop.address IS NOT NULL AND stop.outcome_at IS NOT NULL
 ORDER BY stop.id;

-- name: note_learned
-- $1 routes
UPDATE route SET addresses_learned = true WHERE id = ANY ($1::bigint[]);

-- name: drop_seen
-- $1 before, $2 how many
DELETE FROM address_seen
 WHERE ctid = ANY (ARRAY(SELECT ctid FROM address_seen WHERE seen_at < $1 ORDER BY seen_at LIMIT $2)) RETURNING 1;

-- name: forget_person
-- What was seen of them, of their addresses where it is not of another person, and what geocoders said of those. $1 account, $2 normalised addresses, $3 persons
WITH answers AS (
    DELETE FROM geocode_answer WHERE account_id = $1 AND address = ANY ($2::text[]) RETURNING 1
), seen AS (
    DELETE FROM address_seen WHERE account_id = $1 AND (person = ANY ($3::text[]) OR person = '' AND address = ANY ($2::text[])) RETURNING 1
)
SELECT (SELECT count(*) FROM answers) + (SELECT count(*) FROM seen);
