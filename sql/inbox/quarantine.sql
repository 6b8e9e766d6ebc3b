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

-- name: find_quarantined
-- $1 account, $2 id
SELECT id, driver_id, device_id, received_at, source, reason, detail, body FROM quarantine
 WHERE account_id = $1 AND id = $2;

-- name: forget_quarantined
-- $1 account, $2 id
DELETE FROM quarantine WHERE account_id = $1 AND id = $2;

-- name: trim_quarantine
-- Forget the oldest of what is over an account's share, and of one device's eighth of it; not what was acknowledged.
-- $1 bytes of an account, $2 entries of an account, $3 at most so many
DELETE FROM quarantine
 WHERE id = ANY (ARRAY(
       SELECT id
         FROM (SELECT id,
                      sum(octet_length(body) + 200) OVER of_device AS device_bytes,
                      count(*) OVER of_device AS device_entries,
                      sum(octet_length(body) + 200) OVER of_account AS account_bytes,
                      count(*) OVER of_account AS account_entries
                 FROM quarantine WHERE account_id IS NOT NULL AND source <> 'tracker'
               WINDOW of_device AS (PARTITION BY account_id, device_id ORDER BY id DESC),
                      of_account AS (PARTITION BY account_id ORDER BY id DESC)) AS summed
        WHERE device_bytes > $1 / 8 OR device_entries > $2 / 8 OR account_bytes > $1 OR account_entries > $2
        LIMIT $3))
RETURNING id;

-- name: count_quarantined
-- How much is there, and how much of it was acknowledged to phones.
SELECT count(*) AS entries, count(*) FILTER (WHERE source = 'tracker') AS set_aside FROM quarantine;
