-- name: create_webhook
-- It is told of what comes from now on. $1 account, $2 url, $3 types or null, $4 format, $5 enabled, $6 sealed secrets
INSERT INTO webhook (account_id, url, types, format, enabled, secrets, told_seq)
SELECT $1, $2, $3, $4, $5, $6, events_numbered FROM account WHERE id = $1
RETURNING id;

-- name: count_webhooks
-- $1 account
SELECT count(*) FROM webhook WHERE account_id = $1;

-- name: list_webhooks
-- $1 account, $2 id after, $3 at most so many
SELECT id, account_id, url, types, format, enabled, disabled_why, secrets, failing_since, created_at, updated_at
  FROM webhook WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: find_webhook
-- $1 account, $2 webhook
SELECT id, account_id, url, types, format, enabled, disabled_why, secrets, failing_since, created_at, updated_at
  FROM webhook WHERE account_id = $1 AND id = $2;

-- name: change_webhook
-- One that is switched on again begins with what comes from then on; what waits for it is given up.
-- $1 account, $2 webhook, $3 url, $4 types, $5 format, $6 enabled
WITH before AS (SELECT enabled FROM webhook WHERE account_id = $1 AND id = $2 FOR UPDATE), given_up AS (
    UPDATE webhook_delivery SET state = 'failed'
     WHERE webhook_id = $2 AND state = 'pending' AND $6 AND NOT (SELECT enabled FROM before)
)
UPDATE webhook
   SET url = $3, types = $4, format = $5, enabled = $6, disabled_why = CASE WHEN $6 THEN NULL ELSE disabled_why END,
       told_seq = CASE WHEN $6 AND NOT before.enabled THEN (SELECT events_numbered FROM account WHERE id = $1)
                       ELSE told_seq END,
       failing_since = CASE WHEN $6 AND NOT before.enabled THEN NULL ELSE failing_since END, updated_at = now()
  FROM before WHERE account_id = $1 AND id = $2;

-- name: put_webhook_secrets
-- $1 webhook, $2 sealed secrets
UPDATE webhook SET secrets = $2, updated_at = now() WHERE id = $1;

-- name: sealed_webhooks
-- All of them, held: their key changes.
SELECT id, secrets FROM webhook ORDER BY id FOR UPDATE;

-- name: delete_webhook
-- $1 account, $2 webhook
DELETE FROM webhook WHERE account_id = $1 AND id = $2 RETURNING id;

-- name: endpoints
-- Every webhook that is told, and how far its account's feed is.
SELECT webhook.id, account_id, url, types, format, enabled, disabled_why, secrets, failing_since, webhook.created_at,
       updated_at
  FROM webhook WHERE enabled ORDER BY webhook.id;

-- name: behind
-- Which of these have news, or something to try again. $1 webhooks, $2 now
SELECT webhook.id FROM webhook JOIN account ON account.id = webhook.account_id
 WHERE webhook.id = ANY ($1::bigint[]) AND webhook.enabled
   AND (webhook.told_seq < account.events_numbered
        OR EXISTS (SELECT FROM webhook_delivery AS due
                    WHERE due.webhook_id = webhook.id AND due.state = 'pending' AND due.next_try_at <= $2));

-- name: hold_endpoint
-- One process at a time reads on for a webhook. $1 webhook
SELECT webhook.account_id, webhook.told_seq, account.events_numbered AS head, webhook.types
  FROM webhook JOIN account ON account.id = webhook.account_id
 WHERE webhook.id = $1 AND webhook.enabled FOR UPDATE OF webhook SKIP LOCKED;

-- name: set_told
-- $1 webhook, $2 seq
UPDATE webhook SET told_seq = $2 WHERE id = $1;

-- name: lease_due
-- New events come before what is tried again, as long as there is room. $1 webhook, $2 now, $3 lease ends, $4 at most so many
UPDATE webhook_delivery AS delivery SET attempts = attempts + 1, next_try_at = $3
  FROM (SELECT id FROM webhook_delivery WHERE webhook_id = $1 AND state = 'pending' AND next_try_at <= $2
         ORDER BY next_try_at LIMIT $4 FOR UPDATE SKIP LOCKED) AS due
 WHERE delivery.id = due.id
RETURNING delivery.id, delivery.webhook_id, delivery.account_id, delivery.seq, delivery.type, delivery.replay,
          delivery.attempts, delivery.created_at;

-- name: put_deliveries
-- $1 webhook, $2 account, columns of one length: $3 seq, $4 type; $5 lease ends, $6 now
INSERT INTO webhook_delivery (webhook_id, account_id, seq, type, state, attempts, next_try_at, created_at)
SELECT $1, $2, seq, type, 'pending', 1, $5, $6 FROM unnest($3::bigint[], $4::text[]) AS new (seq, type)
    ON CONFLICT (webhook_id, seq) DO NOTHING
RETURNING id, webhook_id, account_id, seq, type, replay, attempts, created_at;

-- name: events_of
-- $1 account, $2 seqs
SELECT seq, fact_id, revision, state, type, occurred_at, known_at, driver_id, route_id, stop_id, geofence_id, late, data
  FROM event WHERE account_id = $1 AND seq = ANY ($2::bigint[]);

-- name: settle_deliveries
-- What came of tries. Columns of one length: $1 delivery, $2 state, $3 next try, $4 the try, $5 delivered at; $6 tries kept
UPDATE webhook_delivery AS delivery
   SET state = new.state, next_try_at = new.next_try_at, delivered_at = coalesce(delivery.delivered_at, new.delivered_at),
       tries = CASE WHEN jsonb_array_length(delivery.tries) < $6 THEN delivery.tries || new.try
                    ELSE (SELECT jsonb_agg(each ORDER BY place) FROM jsonb_array_elements(delivery.tries || new.try)
                            WITH ORDINALITY AS all_tries (each, place)
                           WHERE place > jsonb_array_length(delivery.tries) + 1 - $6) END
  FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::jsonb[], $5::timestamptz[])
    AS new (id, state, next_try_at, try, delivered_at)
 WHERE delivery.id = new.id;

-- name: note_working
-- $1 webhooks
UPDATE webhook SET failing_since = NULL WHERE id = ANY ($1::bigint[]) AND failing_since IS NOT NULL;

-- name: note_failing
-- $1 webhooks, $2 now
UPDATE webhook SET failing_since = $2 WHERE id = ANY ($1::bigint[]) AND failing_since IS NULL;

-- name: disable_webhook
-- $1 webhook, $2 why
UPDATE webhook SET enabled = false, disabled_why = $2, updated_at = now() WHERE id = $1 AND enabled
RETURNING account_id, url;

-- name: put_webhook_fact
-- $1 account, $2 fact, $3 now, $4 data
INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, late, data)
VALUES ($1, $2, 1, 'asserted', 'webhook.disabled', $3, now(), false, $4);

-- name: list_deliveries
-- $1 webhook, $2 id before, $3 state or null, $4 at most so many
SELECT id, seq, type, state, replay, attempts, next_try_at, tries, created_at, delivered_at
  FROM webhook_delivery WHERE webhook_id = $1 AND id < $2 AND (state = $3 OR $3::text IS NULL) ORDER BY id DESC LIMIT $4;

-- name: replay_again
-- What there is a delivery of. $1 webhook, $2 since seq, $3 until seq, $4 only those that failed, $5 now
UPDATE webhook_delivery SET state = 'pending', replay = true, attempts = 0, next_try_at = $5
 WHERE webhook_id = $1 AND seq BETWEEN $2 AND $3 AND (state = 'failed' OR (NOT $4 AND state = 'delivered'))
RETURNING id;

-- name: replay_others
-- What there is none of: it was before the webhook, or while it was off. $1 webhook, $2 account, $3 since seq, $4 until seq,
-- $5 now, $6 at most so many
INSERT INTO webhook_delivery (webhook_id, account_id, seq, type, state, replay, next_try_at, created_at)
SELECT $1, $2, event.seq, event.type, 'pending', true, $5, $5
  FROM event JOIN webhook ON webhook.id = $1
 WHERE event.account_id = $2 AND event.seq BETWEEN $3 AND least($4, webhook.told_seq)
   AND (webhook.types IS NULL OR event.type = ANY (webhook.types))
   AND NOT EXISTS (SELECT FROM webhook_delivery AS known WHERE known.webhook_id = $1 AND known.seq = event.seq)
 ORDER BY event.seq LIMIT $6
    ON CONFLICT (webhook_id, seq) DO NOTHING
RETURNING id;

-- name: put_test
-- $1 webhook, $2 account, $3 state, $4 tries, $5 now, $6 type
INSERT INTO webhook_delivery (webhook_id, account_id, type, state, attempts, next_try_at, tries, created_at, delivered_at)
VALUES ($1, $2, $6, $3::text, 1, $5::timestamptz, $4, $5, CASE WHEN $3::text = 'delivered' THEN $5 END)
RETURNING id;

-- name: drop_deliveries
-- $1 made before, $2 at most so many
DELETE FROM webhook_delivery
 WHERE id IN (SELECT id FROM webhook_delivery WHERE created_at < $1 AND state <> 'pending' ORDER BY created_at LIMIT $2)
RETURNING id;
