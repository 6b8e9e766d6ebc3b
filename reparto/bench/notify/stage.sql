-- name: only_account
SELECT id FROM account WHERE name = $1;

-- name: tell_of_bookings
-- Have stops told that they are booked. $1 account, $2 their name, $3 first number, $4 number after the last
INSERT INTO notice (account_id, route_id, stop_id, kind, happened_at)
SELECT account_id, route_id, id, 'booked', now() FROM stop
 WHERE account_id = $1 AND external_id LIKE $2 || '-%' AND split_part(external_id, '-', 2)::int >= $3
   AND split_part(external_id, '-', 2)::int < $4;
