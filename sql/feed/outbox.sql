-- name: put_notices
-- Leave notifications for whoever sends them: one for each stop and kind, ever. Columns of one length: $1 account, $2 stop,
-- $3 kind, $4 payload
INSERT INTO outbox (account_id, stop_id, kind, payload)
SELECT account, stop, kind, payload FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::jsonb[])
    AS new (account, stop, kind, payload)
    ON CONFLICT (stop_id, kind) DO NOTHING;

-- name: send_again
-- Send once more what was left for a stop. $1 stop, $2 kind
UPDATE outbox SET sent_at = NULL, attempts = 0, next_try_at = now() WHERE stop_id = $1 AND kind = $2;
