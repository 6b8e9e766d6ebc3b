-- name: stop_with_pin
-- A stop whose PIN somebody replaces; the row is held, so that no driver's PIN is held against the old one meanwhile.
-- $1 account, $2 stop
SELECT route_id, pin_generation, 'pin' = ANY (proof) AS asks_pin FROM stop WHERE account_id = $1 AND id = $2 FOR NO KEY UPDATE;

-- name: replace_pin
-- $1 stop, $2 generation
UPDATE stop SET pin_generation = $2 WHERE id = $1;
