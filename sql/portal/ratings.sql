-- name: put_rating
-- Nothing when there is one. $1 stop, $2 account, $3 stars, $4 reasons, $5 words, $6 now
INSERT INTO rating (stop_id, account_id, driver_id, stars, reasons, words, rated_at)
SELECT $1, $2, (SELECT driver_id FROM route JOIN stop ON stop.route_id = route.id WHERE stop.id = $1), $3, $4, $5, $6
    ON CONFLICT (stop_id) DO NOTHING RETURNING id;

-- name: find_stars
-- $1 stop
SELECT stars, rated_at FROM rating WHERE stop_id = $1;

-- name: page_of_ratings
-- The newest first. $1 account, $2 driver or null, $3 before this id or null, $4 how many
SELECT id, stop_id, driver_id, stars, reasons, words, rated_at FROM rating
 WHERE account_id = $1 AND ($2::bigint IS NULL OR driver_id = $2) AND ($3::bigint IS NULL OR id < $3)
 ORDER BY id DESC LIMIT $4;
