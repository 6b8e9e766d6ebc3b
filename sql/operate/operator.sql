-- name: all_keys
-- The keys that are not revoked, of every account.
SELECT api_key.id, account.name AS account, api_key.role, api_key.label, api_key.created_at,
       api_key.expires_at, api_key.last_used_at
  FROM api_key JOIN account ON account.id = api_key.account_id
 WHERE api_key.revoked_at IS NULL ORDER BY account.name, api_key.id;

-- name: revoke_any_key
-- $1 key
UPDATE api_key SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING account_id;

-- name: processes
-- What is connected to this database, by the name it gives (`reparto track`); not the connection that asks.
SELECT application_name AS name, count(*) AS connections, min(backend_start) AS since
  FROM pg_stat_activity
 WHERE datname = current_database() AND application_name LIKE 'reparto%' AND pid <> pg_backend_pid()
 GROUP BY application_name ORDER BY application_name;

-- name: last_ping
-- When the newest ping of all drivers came in; null when none ever did.
SELECT max(received_at) FROM live;

-- name: unnumbered_events
-- Events that wait for their number, and for how long the oldest does, seconds.
SELECT count(*) AS events, coalesce(extract(epoch FROM now() - min(known_at)), 0)::float8 AS oldest_s
  FROM event WHERE seq IS NULL;

-- name: server
-- The server, as far as it matters to us. Time is read by clock_timestamp: now() stands still in a transaction.
SELECT current_setting('server_version_num')::integer AS version,
       current_setting('max_connections')::integer AS max_connections,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
       current_setting('fsync') AS fsync,
       current_setting('full_page_writes') AS full_page_writes,
       pg_is_in_recovery() AS standby,
       clock_timestamp() AS clock,
       pg_database_size(current_database()) AS size_bytes;

-- name: backend
-- The server process behind this connection: the same for every statement, unless a pooling proxy is in between.
SELECT pg_backend_pid();
