-- name: channels_of
-- $1 account
SELECT channel, enabled, settings, secrets, hook_generation FROM message_channel WHERE account_id = $1;

-- name: put_channel
-- $1 account, $2 channel, $3 enabled, $4 settings, $5 sealed secrets
INSERT INTO message_channel (account_id, channel, enabled, settings, secrets) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (account_id, channel) DO UPDATE
   SET enabled = excluded.enabled, settings = excluded.settings, secrets = excluded.secrets, updated_at = now();

-- name: providers
-- Every channel that sends.
SELECT account_id, channel, enabled, settings, secrets, hook_generation, updated_at FROM message_channel
 WHERE enabled ORDER BY account_id, channel;

-- name: sealed_channels
-- All of them, held: their key changes.
SELECT account_id, channel, secrets FROM message_channel
 WHERE secrets IS NOT NULL ORDER BY account_id, channel FOR UPDATE;

-- name: put_sealed_channel
-- $1 account, $2 channel, $3 sealed secrets
UPDATE message_channel SET secrets = $3 WHERE account_id = $1 AND channel = $2;

-- name: kinds_of
-- $1 account
SELECT kind, settings FROM message_kind WHERE account_id = $1;

-- name: put_kind
-- $1 account, $2 kind, $3 settings
INSERT INTO message_kind (account_id, kind, settings) VALUES ($1, $2, $3)
    ON CONFLICT (account_id, kind) DO UPDATE SET settings = excluded.settings;
