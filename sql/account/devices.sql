-- name: find_by_tokens
-- Devices that may read and send. $1 SHA-256s of their tokens
SELECT device.token_hash AS secret_hash, device.id, device.account_id, device.driver_id, driver.lane, device.app
  FROM device JOIN driver ON driver.id = device.driver_id
 WHERE device.token_hash = ANY ($1::bytea[]) AND device.revoked_at IS NULL AND driver.deleted_at IS NULL;

-- name: find_by_ingest_tokens
-- Devices that may send. $1 SHA-256s of their ingest tokens
SELECT device.ingest_token_hash AS secret_hash, device.id, device.account_id, device.driver_id, driver.lane, device.app
  FROM device JOIN driver ON driver.id = device.driver_id
 WHERE device.ingest_token_hash = ANY ($1::bytea[]) AND device.revoked_at IS NULL AND driver.deleted_at IS NULL;

-- name: not_as_known
-- Secrets that open no working device any more, or another than was known. $1 whether a secret is the device's token, else its
-- ingest token, $2 its SHA-256, $3 device: columns of one length
SELECT can_read, secret_hash FROM unnest($1::boolean[], $2::bytea[], $3::bigint[]) AS known (can_read, secret_hash, id)
 WHERE NOT EXISTS (SELECT FROM device JOIN driver ON driver.id = device.driver_id
                    WHERE device.id = known.id AND device.revoked_at IS NULL AND driver.deleted_at IS NULL
                      AND CASE WHEN can_read THEN token_hash ELSE ingest_token_hash END = secret_hash);

-- name: browser_of
-- By which somebody who signed in speaks as a driver. $1 account, $2 person
SELECT device.id, device.account_id, device.driver_id, driver.lane, device.app
  FROM member JOIN device ON device.id = member.device_id JOIN driver ON driver.id = device.driver_id
 WHERE member.account_id = $1 AND member.person_id = $2 AND device.revoked_at IS NULL AND driver.deleted_at IS NULL;

-- name: find_device
-- Of an account, revoked or not. $1 account, $2 device
SELECT device.id, device.account_id, device.driver_id, driver.lane, device.app
  FROM device JOIN driver ON driver.id = device.driver_id
 WHERE device.account_id = $1 AND device.id = $2 AND driver.deleted_at IS NULL;

-- name: create_device
-- $1 account, $2 driver (of that account), $3 label or null, $4 app, $5 SHA-256 of the token or null, $6 of the ingest token
INSERT INTO device (account_id, driver_id, label, app, token_hash, ingest_token_hash)
SELECT $1, id, $3, $4, $5, $6 FROM driver WHERE id = $2 AND account_id = $1 AND deleted_at IS NULL
RETURNING id;

-- name: devices_of_account
-- Those that work, of drivers who work. $1 account
SELECT device.id, device.driver_id, device.label, device.app, device.created_at
  FROM driver JOIN device ON device.driver_id = driver.id
 WHERE driver.account_id = $1 AND driver.deleted_at IS NULL AND device.revoked_at IS NULL
 ORDER BY device.driver_id, device.id;

-- name: list_devices
-- A driver's devices that work. $1 account, $2 driver
SELECT id, label, app, created_at FROM device
 WHERE account_id = $1 AND driver_id = $2 AND revoked_at IS NULL ORDER BY id;

-- name: lane_of_device
-- $1 account, $2 device that works
SELECT driver.lane FROM device JOIN driver ON driver.id = device.driver_id
 WHERE device.account_id = $1 AND device.id = $2 AND device.revoked_at IS NULL;

-- name: revoke_device
-- From the last that it recorded on it is not the active one any more; what was days ago makes no difference. The caller holds
-- the driver's lane. $1 account, $2 device
UPDATE device
   SET revoked_at = now(),
       ended_at = least(now(), (SELECT max(recorded_at) FROM ping
                                 WHERE ping.device_id = device.id
                                   AND recorded_at > now() - interval '2 days'))
  FROM driver
 WHERE device.account_id = $1 AND device.id = $2 AND device.revoked_at IS NULL AND driver.id = device.driver_id
RETURNING device.id AS device_id, device.driver_id, driver.lane, device.ended_at, device.ended_at < device.revoked_at AS was_heard;

-- name: ended_devices
-- When the phones that were shut out recorded their last. $1 drivers
SELECT driver_id, id AS device_id, to_ms(ended_at) AS ended_ms FROM device
 WHERE driver_id = ANY ($1::bigint[]) AND ended_at IS NOT NULL;

-- name: notify_revoked
-- Tell every process to forget a device. $1 channel, $2 device, as text
SELECT pg_notify($1, $2);

-- name: clock_of_device
-- $1 device
SELECT clock_ahead_ms AS ahead_ms, to_ms(clock_noted_at) AS noted_ms FROM device
 WHERE id = $1 AND clock_noted_at IS NOT NULL;

-- name: note_clock
-- $1 device, $2 how far ahead, $3 when, ms
UPDATE device SET clock_ahead_ms = $2, clock_noted_at = from_ms($3) WHERE id = $1;
