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

-- name: hold_webhook
-- The same, which nobody changes until the transaction ends. $1 account, $2 webhook
SELECT id, account_id, url, types, format, enabled, disabled_why, secrets, failing_since, created_at, updated_at
  FROM webhook WHERE account_id = $1 AND id = $2 FOR UPDATE;

-- name: change_webhook
-- One that is switched on again begins with what comes from then on; what waits for it is given up.
-- $1 account, $2 webhook, $3 url, $4 types, $5 format, $6 enabled
WITH before AS (SELECT enabled FROM webhook WHERE account_id = $1 AND id = $2 FOR UPDATE), given_up AS (
    UPDATE webhook_delivery SET state = 'failed'
     WHERE webhook_id = $2 AND state = 'pending' AND $6 AND NOT (SELECT enabled FROM before)
), untold AS (
    DELETE FROM webhook_span WHERE webhook_id = $2 AND $6 AND NOT (SELECT enabled FROM before)
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
-- Which of these have news, or something to try again (also because nobody knows whether it was told). $1 webhooks, $2 now
SELECT id, has_due, has_lost
  FROM (SELECT webhook.id, webhook.told_seq < account.events_numbered AS has_news,
               EXISTS (SELECT FROM webhook_delivery AS due
                        WHERE due.webhook_id = webhook.id AND due.state = 'pending' AND due.next_try_at <= $2) AS has_due,
               EXISTS (SELECT FROM webhook_span AS span
                        WHERE span.webhook_id = webhook.id AND span.leased_until <= $2) AS has_lost
          FROM webhook JOIN account ON account.id = webhook.account_id
         WHERE webhook.id = ANY ($1::bigint[]) AND webhook.enabled) AS looked
 WHERE has_news OR has_due OR has_lost;

-- name: read_on
-- Take the next entries of the feed for a webhook: one process at a time does, as far as the webhook has room. They are
-- leased as one span. $1 webhook, $2 at most so many, $3 entries looked at, $4 lease ends
WITH held AS (
    SELECT webhook.id, webhook.account_id, told_seq, types, least(account.events_numbered, told_seq + $3::bigint) AS upto
      FROM webhook JOIN account ON account.id = webhook.account_id
     WHERE webhook.id = $1 AND webhook.enabled FOR UPDATE OF webhook SKIP LOCKED
), fresh AS (
    SELECT event.seq, event.type
      FROM held JOIN event ON event.account_id = held.account_id AND event.seq > held.told_seq AND event.seq <= held.upto
     WHERE held.types IS NULL OR event.type = ANY (held.types)
     ORDER BY event.seq LIMIT $2
), moved AS (
    UPDATE webhook SET told_seq = CASE WHEN (SELECT count(*) FROM fresh) = $2 THEN (SELECT max(seq) FROM fresh)
                                       ELSE held.upto END
      FROM held WHERE webhook.id = held.id AND held.upto > held.told_seq
), leased AS (
    INSERT INTO webhook_span (webhook_id, first_seq, last_seq, leased_until)
    SELECT $1, min(seq), max(seq), $4 FROM fresh HAVING count(*) > 0
)
SELECT seq, type FROM fresh ORDER BY seq;

-- name: take_up_lost
-- Spans whose lease is over: whoever had them told some of it, or none. What is not noted is to be tried. $1 webhook, $2 now
WITH lost AS (
    DELETE FROM webhook_span
     WHERE (webhook_id, first_seq) IN (SELECT webhook_id, first_seq FROM webhook_span
                                        WHERE webhook_id = $1 AND leased_until <= $2 FOR UPDATE SKIP LOCKED)
    RETURNING first_seq, last_seq
)
INSERT INTO webhook_delivery (webhook_id, account_id, seq, type, state, next_try_at, created_at)
SELECT webhook.id, webhook.account_id, event.seq, event.type, 'pending', $2, $2
  FROM lost JOIN webhook ON webhook.id = $1
       JOIN event ON event.account_id = webhook.account_id AND event.seq BETWEEN lost.first_seq AND lost.last_seq
 WHERE webhook.types IS NULL OR event.type = ANY (webhook.types)
    ON CONFLICT (webhook_id, seq) DO NOTHING;

-- name: end_spans
-- What is told, or noted to be told again. Columns of one length: $1 webhook, $2 first seq
DELETE FROM webhook_span USING unnest($1::bigint[], $2::bigint[]) AS over (webhook_id, first_seq)
 WHERE webhook_span.webhook_id = over.webhook_id AND webhook_span.first_seq = over.first_seq;

-- name: lease_due
-- New events come before what is tried again, as long as there is room. $1 webhook, $2 now, $3 lease ends, $4 at most so many
UPDATE webhook_delivery AS delivery SET attempts = attempts + 1, next_try_at = $3
  FROM (SELECT id FROM webhook_delivery WHERE webhook_id = $1 AND state = 'pending' AND next_try_at <= $2
         ORDER BY next_try_at LIMIT $4 FOR UPDATE SKIP LOCKED) AS due
 WHERE delivery.id = due.id
RETURNING delivery.seq, delivery.type, delivery.replay, delivery.attempts;

-- name: give_up
-- $1 webhook, $2 seqs
UPDATE webhook_delivery SET state = 'failed' WHERE webhook_id = $1 AND seq = ANY ($2::bigint[]) AND state = 'pending';

-- name: events_of
-- $1 account, $2 seqs
SELECT seq, fact_id, revision, state, type, occurred_at, known_at, driver_id, route_id, stop_id, geofence_id, late, data
  FROM event WHERE account_id = $1 AND seq = ANY ($2::bigint[]);

-- name: settle_deliveries
-- What came of tries: the first one makes the row. Columns of one length: $1 webhook, $2 account, $3 seq, $4 type, $5 state,
-- $6 next try, $7 the try, $8 when it was; $9 tries kept
INSERT INTO webhook_delivery AS delivery
       (webhook_id, account_id, seq, type, state, attempts, next_try_at, tries, created_at, delivered_at)
SELECT webhook_id, account_id, seq, type, state, 1, next_try_at, jsonb_build_array(try), at,
       CASE WHEN state = 'delivered' THEN at END
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[], $7::jsonb[],
              $8::timestamptz[]) AS new (webhook_id, account_id, seq, type, state, next_try_at, try, at)
 WHERE EXISTS (SELECT FROM webhook WHERE webhook.id = new.webhook_id)
    ON CONFLICT (webhook_id, seq) DO UPDATE
   SET state = excluded.state, next_try_at = excluded.next_try_at,
       delivered_at = coalesce(delivery.delivered_at, excluded.delivered_at),
       tries = CASE WHEN jsonb_array_length(delivery.tries) < $9 THEN delivery.tries || excluded.tries
                    ELSE (SELECT jsonb_agg(each ORDER BY place) FROM jsonb_array_elements(delivery.tries || excluded.tries)
                            WITH ORDINALITY AS all_tries (each, place)
                           WHERE place > jsonb_array_length(delivery.tries) + 1 - $9) END;

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
