-- name: look_at
-- All that a driver's manifest follows from, at one moment: one row for each of the routes it may show, at least one
-- row. Of a started day the route that the driver began last comes first; then what is planned, in the order of the tours. After
-- them tours that are over with stops of which nobody said what became of them, while the shift goes on in which they were driven
-- (where no shift was begun, a closed one that was begun last).
-- `content` is a hash of every row about the stops: when it is the same, so are they.
-- $1 account, $2 driver, $3 now, $4 how long what was begun last counts; how long $5 before its start and $6 after its end
-- a route may be driven; $7 how many of those that are over
WITH begun AS (
    SELECT route_id, occurred_at + interval '24 hours' AS until FROM driver_event
     WHERE driver_id = $2 AND effective AND type IN ('route_started', 'arrived') AND route_id IS NOT NULL
       AND occurred_at > $3::timestamptz - $4::interval
     ORDER BY occurred_at DESC, id DESC LIMIT 1
), shift AS (
    SELECT CASE WHEN type = 'shift_started' THEN occurred_at END AS since FROM driver_event
     WHERE driver_id = $2 AND effective AND type IN ('shift_started', 'shift_ended')
       AND occurred_at > $3::timestamptz - $4::interval AND occurred_at <= $3
     ORDER BY occurred_at DESC, id DESC LIMIT 1
), ahead AS (
    SELECT route.id, route.external_id, route.version, route.status, route.date, route.timezone, route.start_at, route.end_at,
           route.started_at, route.depot_name, route.depot_lat, route.depot_lon, route.return_to_depot, route.length_m,
           row_number() OVER tours AS place, begun.route_id IS NOT NULL OR route.start_at - $5::interval <= $3 AS is_due, false AS is_over
      FROM route LEFT JOIN begun ON begun.route_id = route.id
     WHERE route.driver_id = $2 AND route.status IN ('planned', 'started') AND route.deleted_at IS NULL
       AND (begun.route_id IS NOT NULL OR route.end_at >= $3::timestamptz - $6::interval)
    WINDOW tours AS (ORDER BY begun.route_id IS NULL, route.start_at, route.external_id COLLATE "C", route.id)
     ORDER BY place LIMIT 2
), over AS (
    SELECT route.id, route.external_id, route.version, route.status, route.date, route.timezone, route.start_at, route.end_at,
           route.started_at, route.depot_name, route.depot_lat, route.depot_lon, route.return_to_depot, route.length_m,
           2 + row_number() OVER (ORDER BY route.start_at, route.external_id COLLATE "C", route.id) AS place,
           false AS is_due, true AS is_over
      FROM route
     WHERE route.driver_id = $2 AND route.deleted_at IS NULL AND route.status <> 'cancelled'
       AND (route.status = 'finished' OR route.closed_at IS NOT NULL) AND route.end_at > $3::timestamptz - $4::interval
       AND CASE WHEN EXISTS (SELECT FROM shift) THEN (SELECT since FROM shift) <= route.end_at
                ELSE route.closed_at IS NOT NULL AND route.id = (SELECT route_id FROM begun) END
       AND NOT EXISTS (SELECT FROM ahead WHERE ahead.id = route.id)
       AND EXISTS (SELECT FROM stop WHERE stop.route_id = route.id AND stop.removed_at IS NULL AND stop.outcome_at IS NULL
                                      AND stop.kind NOT IN ('depot', 'break'))
     ORDER BY place LIMIT $7
), shown AS (
    SELECT * FROM ahead UNION ALL SELECT * FROM over
)
SELECT account.settings, coalesce(manifest.version, 0) AS manifest_version,
       coalesce(manifest.oldest, 0) AS oldest, (SELECT until FROM begun) AS begun_until, shown.*, stops.content,
       ARRAY(SELECT said.id FROM stop JOIN recipient_change AS said ON said.stop_id = stop.id AND said.told_at IS NULL
              WHERE stop.route_id = shown.id ORDER BY 1) AS untold
  FROM account
  LEFT JOIN manifest ON manifest.driver_id = $2
  LEFT JOIN shown ON true
  LEFT JOIN LATERAL (
       SELECT bit_xor(hash_record_extended(stop, 0) # coalesce(parcels.content, 0)
                      # coalesce(hash_record_extended(wish, 1), 0)) AS content
         FROM stop
         LEFT JOIN recipient_wish AS wish ON wish.stop_id = stop.id
         LEFT JOIN LATERAL (SELECT bit_xor(hash_record_extended(parcel, 0)) AS content
                              FROM parcel WHERE parcel.stop_id = stop.id) AS parcels ON true
        WHERE stop.route_id = shown.id) AS stops ON true
 WHERE account.id = $1
 ORDER BY shown.place;

-- name: note_told
-- The driver's phone has what recipients said. $1 changes
UPDATE recipient_change SET told_at = now() WHERE id = ANY ($1::bigint[]) AND told_at IS NULL;

-- name: path_digest
-- Tells two paths apart without reading them. $1 route, $2 version
SELECT hash_array_extended(path_lon, 0) # hash_array_extended(path_lat, 1) FROM route_version WHERE route_id = $1 AND version = $2;

-- name: parts_of_manifest
-- What the driver's phone was shown last, and what was taken away not long ago. $1 driver
SELECT kind, id, route_id, digest, rank, along_m, added_in, changed_in, placed_in, removed_in, why
  FROM manifest_part WHERE driver_id = $1;

-- name: raise_version
-- The next version: the second it is made in, or one more than the version before, so that no number is ever given twice,
-- not even after the database was restored to an earlier day. Two polls that do this at once: one of them must read again.
-- $1 driver, $2 version before, 0 for the first, $3 for how many seconds changes are told
INSERT INTO manifest AS known (driver_id, version, oldest)
SELECT $1, next.version, next.version
  FROM (SELECT greatest($2::bigint + 1, extract(epoch FROM clock_timestamp())::bigint) AS version) AS next
    ON CONFLICT (driver_id) DO UPDATE
   SET version = excluded.version, oldest = greatest(known.oldest, excluded.version - $3::bigint)
RETURNING version, oldest;

-- name: put_parts
-- What is new in a version, or another than before.
-- $1 driver; columns of one length: $2 kind, $3 id, $4 route, $5 digest, $6 rank or null, $7 along_m or null,
-- $8 added, $9 changed and $10 placed in which version
INSERT INTO manifest_part (driver_id, kind, id, route_id, digest, rank, along_m, added_in, changed_in, placed_in)
SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bigint[], $7::float8[],
                         $8::bigint[], $9::bigint[], $10::bigint[])
    ON CONFLICT (driver_id, kind, id) DO UPDATE
   SET route_id = excluded.route_id, digest = excluded.digest, rank = excluded.rank, along_m = excluded.along_m,
       added_in = excluded.added_in, changed_in = excluded.changed_in, placed_in = excluded.placed_in,
       removed_in = NULL, why = NULL;

-- name: remove_parts
-- What is not shown any more from a version on. $1 driver, $2 version; columns of one length: $3 kind, $4 id, $5 why
UPDATE manifest_part SET removed_in = $2, why = gone.why
  FROM unnest($3::text[], $4::bigint[], $5::text[]) AS gone (kind, id, why)
 WHERE driver_id = $1 AND manifest_part.kind = gone.kind AND manifest_part.id = gone.id;

-- name: forget_parts
-- $1 driver, $2 the oldest version since which changes are told
DELETE FROM manifest_part WHERE driver_id = $1 AND removed_in <= $2;

-- name: why_gone
-- Why a driver does not see routes any more. $1 driver, $2 routes
SELECT id, CASE WHEN deleted_at IS NOT NULL OR status = 'cancelled' THEN 'cancelled'
                WHEN driver_id IS DISTINCT FROM $1 THEN 'reassigned'
                WHEN status = 'finished' THEN 'finished' ELSE 'not_now' END AS why
  FROM route WHERE id = ANY ($2::bigint[]);
