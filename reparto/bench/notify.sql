-- name: tell_of_bookings
-- Have every stop of an account told that it is booked. $1 account
INSERT INTO notice (account_id, route_id, stop_id, kind, happened_at)
SELECT account_id, route_id, id, 'booked', now() FROM stop WHERE account_id = $1 AND email IS NULL AND phone IS NOT NULL;

-- name: let_happen
-- Entries of the feed, as a tracker writes them. $1 account, $2 how many
INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, late, data)
SELECT $1, gen_random_uuid(), 1, 'asserted', 'stop.arrived', now(), now(), false, '{"arrived_at": "2026-03-02T10:00:00Z"}'
  FROM generate_series(1, $2);

-- name: only_account
SELECT id FROM account WHERE name = $1;
