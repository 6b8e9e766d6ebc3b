-- name: find_company
-- $1 name, or empty for the only one
SELECT id, settings FROM account
 WHERE CASE WHEN $1 = '' THEN (SELECT count(*) FROM (SELECT FROM account LIMIT 2) AS first_two) = 1 ELSE name = $1 END
 LIMIT 1;

-- name: stops_named
-- Account by account, as the index of external ids has them. $1 external id, $2 account or null, $3 how many
SELECT stop.id, stop.link_generation, stop.address, stop.phone
  FROM account JOIN stop ON stop.account_id = account.id AND stop.external_id = $1 JOIN route ON route.id = stop.route_id
 WHERE ($2::bigint IS NULL OR account.id = $2) AND stop.removed_at IS NULL AND stop.link_revoked_at IS NULL
   AND stop.name <> '' AND route.deleted_at IS NULL AND route.status <> 'cancelled'
 ORDER BY route.start_at DESC, stop.id DESC LIMIT $3;
