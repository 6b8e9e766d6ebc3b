-- name: found_stops
-- By whatever somebody says of a delivery, the most certain first, then the newest tour. $1 account, $2 what was said,
-- $3 its digits from the last one on where it looks like a phone, else null, $4 how many
SELECT stop.id, found.rank, stop.external_id, stop.name, stop.address, stop.status, route.external_id AS route, route.date,
       route.timezone
  FROM (SELECT id, min(rank) AS rank
          FROM ((SELECT id, 1 AS rank FROM stop WHERE account_id = $1 AND external_id = $2 ORDER BY id DESC LIMIT $4)
                UNION ALL
                (SELECT stop.id, 2 FROM parcel JOIN stop ON stop.id = parcel.stop_id
                  WHERE parcel.barcode = $2 AND stop.account_id = $1 ORDER BY stop.id DESC LIMIT $4)
                UNION ALL
                (SELECT id, 3 FROM stop WHERE account_id = $1 AND lower(email) = lower($2) ORDER BY id DESC LIMIT $4)
                UNION ALL
                (SELECT id, 3 FROM stop WHERE account_id = $1 AND phone IS NOT NULL
                    AND reverse(regexp_replace(phone, '\D', '', 'g')) LIKE $3 || '%' ORDER BY id DESC LIMIT $4)
                UNION ALL
                (SELECT id, 4 FROM stop
                  WHERE to_tsvector('simple'::regconfig, 'account' || account_id || ' '
                          || plain_words(external_id || ' ' || name || ' ' || coalesce(address, '')))
                     @@ to_tsquery('simple'::regconfig, 'account' || $1::bigint || ' & '
                          || replace(nullif(plain_words($2), ''), ' ', ':* & ') || ':*')
                    AND account_id = $1 ORDER BY id DESC LIMIT $4)) AS hit
         GROUP BY id) AS found
  JOIN stop ON stop.id = found.id JOIN route ON route.id = stop.route_id
 WHERE route.deleted_at IS NULL AND stop.kind NOT IN ('depot', 'break')
 ORDER BY found.rank, stop.removed_at IS NOT NULL, route.start_at DESC, stop.id DESC LIMIT $4;

-- name: found_orders
-- Those that are on no tour. $1 account, $2 what was said, $3 all its digits where it looks like a phone, else null, $4 how many
SELECT external_id, body ->> 'name' AS name, body ->> 'address' AS address, state, earliest, latest
  FROM order_now
 WHERE account_id = $1 AND state IN ('received', 'ready', 'planned') AND id IN (
       SELECT id FROM delivery_order WHERE account_id = $1 AND external_id = $2
       UNION ALL
       SELECT id FROM delivery_order WHERE account_id = $1 AND regexp_replace(body ->> 'phone', '\D', '', 'g') = $3
       UNION ALL
       SELECT id FROM delivery_order WHERE account_id = $1 AND lower(body ->> 'email') = lower($2))
 ORDER BY id DESC LIMIT $4;

-- name: found_tours
-- Of these days, by their id or who drives them. $1 account, $2 what was said, $3 not before, $4 how many
SELECT route.id, route.external_id, route.date, route.status, driver.name AS driver
  FROM route LEFT JOIN driver ON driver.id = route.driver_id
 WHERE route.account_id = $1 AND route.start_at >= $3 AND route.deleted_at IS NULL AND plain_words($2) <> ''
   AND (lower(route.external_id) = lower($2) OR ' ' || plain_words(driver.name) LIKE '% ' || plain_words($2) || '%')
 ORDER BY route.start_at DESC, route.id DESC LIMIT $4;

-- name: tries_of_order
-- Other stops of the same order: earlier and later tries. $1 account, $2 stop
SELECT other.id, route.external_id AS route, route.date, other.status
  FROM stop JOIN stop AS other ON other.account_id = stop.account_id AND other.external_id = stop.external_id
  JOIN route ON route.id = other.route_id
 WHERE stop.account_id = $1 AND stop.id = $2 AND other.id <> stop.id AND route.deleted_at IS NULL
 ORDER BY route.start_at DESC, other.id DESC LIMIT 20;
