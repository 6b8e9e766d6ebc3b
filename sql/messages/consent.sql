-- name: consents
-- What is known of addresses. $1 account, $2 addresses
SELECT channel, address, state, source, at FROM consent WHERE account_id = $1 AND address = ANY ($2::text[])
 ORDER BY address, channel;

-- name: put_consent
-- $1 account, $2 channel, $3 address, $4 state, $5 source, $6 at
INSERT INTO consent (account_id, channel, address, state, source, at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (account_id, channel, address) DO UPDATE
   SET state = excluded.state, source = excluded.source, at = excluded.at;

-- name: forget_messages
-- $1 account, $2 address
DELETE FROM message WHERE account_id = $1 AND address = $2 RETURNING id;

-- name: forget_consent
-- $1 account, $2 address
DELETE FROM consent WHERE account_id = $1 AND address = $2 RETURNING state;
