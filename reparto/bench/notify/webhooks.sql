-- name: let_happen
-- Entries of the feed, as a tracker writes them. $1 account, $2 how many
INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, late, data)
SELECT $1, gen_random_uuid(), 1, 'asserted', 'stop.arrived', now(), now(), false, '{"arrived_at": "2026-03-02T10:00:00Z"}'
  FROM generate_series(1, $2);
