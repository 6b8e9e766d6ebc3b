-- name: put_quarantined
-- Keep what nobody could use; where an account keeps only what was recorded in a shift, without the bodies of pings: of
-- what could not be read nobody knows when that was. $1 accounts (null: the driver's), $2 drivers or null, $3 devices or null, $4 received_at, $5 sources, $6 reasons,
-- $7 details or null, $8 bodies: columns of one length
INSERT INTO quarantine (account_id, driver_id, device_id, received_at, source, reason, detail, body)
SELECT coalesce(sent.account, driver.account_id), sent.driver, sent.device, sent.received, sent.source, sent.reason, sent.detail,
       CASE WHEN account.shift_only_since IS NULL OR sent.source IN ('tracker', 'events') THEN sent.body ELSE '' END
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::bytea[])
       WITH ORDINALITY AS sent (account, driver, device, received, source, reason, detail, body, place)
  LEFT JOIN driver ON driver.id = sent.driver
  LEFT JOIN account ON account.id = coalesce(sent.account, driver.account_id)
 ORDER BY sent.place;

-- name: list_quarantined
-- A page of an account's quarantine, newest first. $1 account, $2 last id of the page before or null, $3 at most so many
SELECT id, driver_id, device_id, received_at, source, reason, detail, body FROM quarantine
 WHERE account_id = $1 AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3;
