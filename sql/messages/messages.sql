-- name: put_messages
-- Make messages; one that is there already stays as it is. Columns of one length: $1 account, $2 route, $3 stop, $4 attempt,
-- $5 kind, $6 round, $7 channel, $8 address, $9 locale, $10 state, $11 why, $12 fact, $13 happened at, $14 data, $15 next try,
-- $16 expires; $17 made at
INSERT INTO message (account_id, route_id, stop_id, attempt, kind, round, channel, address, locale, state, why, fact_id,
                     happened_at, data, next_try_at, expires_at, created_at)
SELECT new.*, $17
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], $5::text[], $6::int[], $7::text[], $8::text[],
              $9::text[], $10::text[], $11::text[], $12::uuid[], $13::timestamptz[], $14::jsonb[], $15::timestamptz[],
              $16::timestamptz[]) AS new
    ON CONFLICT (stop_id, attempt, kind, round, channel, address) DO NOTHING
RETURNING id;

-- name: rounds_told
-- What stops were told of one kind before, newest round first. $1 stops, $2 kind
SELECT stop_id, attempt, max(round) AS round, (array_agg(data ORDER BY round DESC))[1] AS data
  FROM message WHERE stop_id = ANY ($1::bigint[]) AND kind = $2 GROUP BY stop_id, attempt;

-- name: told_before
-- Of these pairs of stop and attempt, those that have a message of the kind by whatever channel.
-- Columns of one length: $1 stop, $2 attempt, $3 kind, $4 round
SELECT DISTINCT message.stop_id, message.attempt, message.kind, message.round
  FROM unnest($1::bigint[], $2::int[], $3::text[], $4::int[]) AS asked (stop, attempt, kind, round)
  JOIN message ON message.stop_id = asked.stop AND message.attempt = asked.attempt AND message.kind = asked.kind
              AND message.round = asked.round;

-- name: due_providers
-- Which of these channels have something to send now. Columns of one length: $1 account, $2 channel; $3 now
SELECT account, channel FROM unnest($1::bigint[], $2::text[]) AS asked (account, channel)
 WHERE EXISTS (SELECT FROM message WHERE message.account_id = asked.account AND message.channel = asked.channel
                                     AND message.state IN ('held', 'queued') AND message.next_try_at <= $3);

-- name: hold_account
-- One sender at a time decides what leaves to an account's recipients. $1 lock, $2 account
SELECT pg_advisory_xact_lock($1, ($2 % 2147483647)::int);

-- name: take_due
-- $1 account, $2 channel, $3 now, $4 at most so many
SELECT id, account_id, route_id, stop_id, attempt, kind, round, channel, address, locale, state, fact_id, happened_at, data,
       why, parts, price, attempts, expires_at,
       unknowns + (leased_until IS NOT NULL AND leased_until IS DISTINCT FROM unsent_lease)::int AS unknowns, created_at
  FROM message
 WHERE account_id = $1 AND channel = $2 AND state IN ('held', 'queued') AND next_try_at <= $3
 ORDER BY next_try_at LIMIT $4 FOR UPDATE SKIP LOCKED;

-- name: left_lately
-- What left to addresses lately, is on its way, or may have come there, without the codes that they asked for. $1 account, $2 addresses, $3 since, $4 since when a day is counted
SELECT address, max(left_at) AS last_at, count(*) FILTER (WHERE left_at >= $4) AS today FROM message
 WHERE account_id = $1 AND address = ANY ($2::text[]) AND left_at > least($3, $4)
   AND (state IN ('sent', 'delivered', 'read') OR leased_until IS NOT NULL OR unknowns > 0)
   AND kind <> 'code'
 GROUP BY address;

-- name: begin_sending
-- Columns of one length: $1 message, $2 subject, $3 body, $4 parts, $5 price, $6 why it is tried again; $7 lease ends, $8 now
UPDATE message
   SET state = 'queued', why = new.why, subject = new.subject, body = new.body, parts = new.parts, price = new.price,
       attempts = attempts + 1, next_try_at = $7, leased_until = $7, unsent_lease = $7, left_at = $8,
       unknowns = unknowns + (leased_until IS NOT NULL AND leased_until IS DISTINCT FROM unsent_lease)::int
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::int[], $5::numeric[], $6::text[])
    AS new (id, subject, body, parts, price, why)
 WHERE message.id = new.id;

-- name: begin_giving
-- From the commit on these may have left; one that somebody else has leased since is not returned. Columns of one length:
-- $1 message, $2 end of its lease
UPDATE message SET unsent_lease = NULL
  FROM unnest($1::bigint[], $2::timestamptz[]) AS given (id, until)
 WHERE message.id = given.id AND message.leased_until = given.until AND message.unsent_lease = given.until
RETURNING message.id;

-- name: put_back
-- Messages that do not leave now. Columns of one length: $1 message, $2 state, $3 why, $4 next try
UPDATE message SET state = new.state, why = new.why, next_try_at = new.next_try_at, leased_until = NULL,
                   unknowns = unknowns + (leased_until IS NOT NULL AND leased_until IS DISTINCT FROM unsent_lease)::int
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[]) AS new (id, state, why, next_try_at)
 WHERE message.id = new.id;

-- name: spent_on
-- What left by a channel on a day and in its month. $1 account, $2 channel, $3 day
SELECT coalesce(sum(parts) FILTER (WHERE day = $3), 0)::bigint AS parts_today,
       coalesce(sum(money) FILTER (WHERE day = $3), 0) AS money_today,
       coalesce(sum(parts), 0)::bigint AS parts_month, coalesce(sum(money), 0) AS money_month
  FROM message_spent
 WHERE account_id = $1 AND channel = $2 AND day >= date_trunc('month', $3::date)::date AND day <= $3;

-- name: spend
-- $1 account, $2 channel, $3 day, $4 parts, $5 money
INSERT INTO message_spent (account_id, channel, day, parts, money) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (account_id, channel, day) DO UPDATE
   SET parts = message_spent.parts + excluded.parts, money = message_spent.money + excluded.money;

-- name: settle_sent
-- What came of sending; a message that a receipt has brought further stays there. Columns of one length: $1 message,
-- $2 state, $3 why, $4 provider's id, $5 next try, $6 sent at, $7 whether nobody knows, $8 end of its lease
UPDATE message
   SET state = CASE WHEN message.state IN ('delivered', 'read') THEN message.state ELSE new.state END, why = new.why,
       provider_id = coalesce(new.provider_id, message.provider_id), next_try_at = new.next_try_at, leased_until = NULL,
       sent_at = coalesce(message.sent_at, new.sent_at), unknowns = unknowns + new.is_unknown::int
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::boolean[],
              $8::timestamptz[]) AS new (id, state, why, provider_id, next_try_at, sent_at, is_unknown, until)
 WHERE message.id = new.id AND message.leased_until = new.until
RETURNING message.id;

-- name: find_sent
-- $1 account, $2 channel, $3 provider's id
SELECT id, account_id, route_id, stop_id, attempt, kind, round, channel, address, locale, state, fact_id, happened_at, data,
       why, parts, price, attempts, expires_at,
       unknowns + (leased_until IS NOT NULL AND leased_until IS DISTINCT FROM unsent_lease)::int AS unknowns, created_at
  FROM message WHERE account_id = $1 AND channel = $2 AND provider_id = $3 FOR UPDATE;

-- name: find_message
-- $1 account, $2 message
SELECT id, account_id, route_id, stop_id, attempt, kind, round, channel, address, locale, state, fact_id, happened_at, data,
       why, parts, price, attempts, expires_at,
       unknowns + (leased_until IS NOT NULL AND leased_until IS DISTINCT FROM unsent_lease)::int AS unknowns, created_at
  FROM message WHERE account_id = $1 AND id = $2 FOR UPDATE;

-- name: raise_state
-- $1 message, $2 state, $3 why, $4 delivered at, $5 read at, $6 sent at
UPDATE message SET state = $2, why = $3, delivered_at = coalesce(delivered_at, $4), read_at = coalesce(read_at, $5),
                   sent_at = coalesce(sent_at, $6), leased_until = NULL
 WHERE id = $1;

-- name: list_messages
-- $1 account, $2 stop or null, $3 route or null, $4 state or null, $5 id before, $6 at most so many
SELECT id, stop_id, kind, channel, address, locale, state, why, subject, body, parts, price, provider_id, attempts,
       created_at, sent_at, delivered_at
  FROM message
 WHERE account_id = $1 AND id < $5 AND (stop_id = $2 OR $2::bigint IS NULL) AND (route_id = $3 OR $3::bigint IS NULL)
   AND (state = $4 OR $4::text IS NULL)
 ORDER BY id DESC LIMIT $6;

-- name: logged_messages
-- What the channel log would have sent, newest first, of every account. $1 at most so many
SELECT id, stop_id, kind, channel, address, locale, state, why, subject, body, parts, price, provider_id, attempts,
       created_at, sent_at, delivered_at
  FROM message WHERE channel = 'log' AND body IS NOT NULL ORDER BY id DESC LIMIT $1;

-- name: address_of
-- Whom a message was for. $1 message
SELECT account_id, channel, address, locale FROM message WHERE id = $1 AND address <> '';

-- name: put_message_facts
-- Tell the feed what became of messages. Columns of one length: $1 message, $2 type, $3 fact, $4 happened at, $5 data
INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, route_id, stop_id, late, data)
SELECT message.account_id, new.fact, 1, 'asserted', new.type, new.happened_at, now(), message.route_id, message.stop_id,
       false, new.data
  FROM unnest($1::bigint[], $2::text[], $3::uuid[], $4::timestamptz[], $5::jsonb[])
    AS new (id, type, fact, happened_at, data)
  JOIN message ON message.id = new.id
 ORDER BY message.id
    ON CONFLICT (fact_id, revision) DO NOTHING;

-- name: drop_messages
-- $1 made before, $2 at most so many
DELETE FROM message WHERE id IN (SELECT id FROM message WHERE created_at < $1 ORDER BY created_at LIMIT $2) RETURNING id;
