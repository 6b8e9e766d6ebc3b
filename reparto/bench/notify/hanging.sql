-- name: waits
-- How long messages took that did not hang. $1 account
SELECT extract(epoch FROM sent_at - happened_at)::float8 AS wait_s
  FROM message WHERE account_id = $1 AND channel = 'whatsapp' AND state = 'sent';

-- name: still_waiting
-- $1 account
SELECT count(*) FROM message WHERE account_id = $1 AND channel = 'sms' AND state IN ('held', 'queued');
