-- name: accounts_with_news
-- Accounts whose feed has grown since it was looked at; one that another process looks at now waits. $1 at most so many
SELECT id, alerts_seen, events_numbered, settings FROM account
 WHERE alerts_seen < events_numbered ORDER BY id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED;

-- name: open_alerts
-- Of a stretch of the feed: facts that are new, and no old news. $1 account, $2 after which seq, $3 up to which,
-- columns of one length: $4 types, $5 severities, $6 the field of the data that names what else it is about, or null,
-- $7 minutes that one lasts before it is seen
INSERT INTO desk_alert (account_id, fact_id, type, severity, occurred_at, driver_id, route_id, stop_id, subject, snoozed_until,
                        push_at, mail_at)
SELECT event.account_id, event.fact_id, event.type, kind.severity, event.occurred_at, event.driver_id, event.route_id,
       event.stop_id, event.data ->> kind.subject,
       CASE WHEN kind.wait_minutes > 0 THEN event.occurred_at + make_interval(mins => kind.wait_minutes) END,
       seen.at, seen.at
  FROM event JOIN unnest($4::text[], $5::smallint[], $6::text[], $7::int[]) AS kind (type, severity, subject, wait_minutes)
    ON kind.type = event.type,
       greatest(now(), event.occurred_at + make_interval(mins => kind.wait_minutes)) AS seen (at)
 WHERE event.account_id = $1 AND event.seq > $2 AND event.seq <= $3
   AND event.revision = 1 AND event.state = 'asserted' AND NOT event.late
 ORDER BY event.seq
    ON CONFLICT DO NOTHING;

-- name: end_alerts
-- What is over by what the feed says in a stretch, and what never was. An end counts for what began before it, by the clock
-- of what happened. $1 account, $2 after which seq, $3 up to which, columns of one length: $4 type of alert, $5 type of event
-- that ends it, $6 what both are about: driver, route, stop or subject, $7 the field of the data that names a subject, or null
UPDATE desk_alert
   SET closed_at = now(), closed_why = CASE WHEN news.state = 'retracted' THEN 'retracted' ELSE 'over' END
  FROM (SELECT event.fact_id AS own_fact, NULL AS ends, NULL AS about, event.driver_id, event.route_id, event.stop_id,
               NULL AS subject, event.occurred_at, event.state
          FROM event
         WHERE event.account_id = $1 AND event.seq > $2 AND event.seq <= $3 AND event.state = 'retracted'
        UNION ALL
        SELECT NULL, rule.ends, rule.about, event.driver_id, event.route_id, event.stop_id, event.data ->> rule.subject,
               event.occurred_at, event.state
          FROM event JOIN unnest($4::text[], $5::text[], $6::text[], $7::text[]) AS rule (ends, by, about, subject)
            ON rule.by = event.type
         WHERE event.account_id = $1 AND event.seq > $2 AND event.seq <= $3 AND event.state <> 'retracted') AS news
 WHERE desk_alert.account_id = $1 AND desk_alert.closed_at IS NULL
   AND (desk_alert.fact_id = news.own_fact
        OR (desk_alert.type = news.ends AND desk_alert.occurred_at <= news.occurred_at
            AND CASE news.about WHEN 'driver' THEN desk_alert.driver_id = news.driver_id
                                WHEN 'route' THEN desk_alert.route_id = news.route_id
                                WHEN 'stop' THEN desk_alert.stop_id = news.stop_id
                                ELSE desk_alert.subject = news.subject END));

-- name: set_alerts_seen
-- $1 account, $2 the greatest seq looked at
UPDATE account SET alerts_seen = $2 WHERE id = $1;

-- name: expire_alerts
-- $1 days that one is open at most
UPDATE desk_alert SET closed_at = now(), closed_why = 'expired'
 WHERE closed_at IS NULL AND occurred_at < now() - make_interval(days => $1);

-- name: drop_closed
-- $1 days that a closed one is kept
DELETE FROM desk_alert WHERE closed_at < now() - make_interval(days => $1);

-- name: list_alerts
-- The newest first, with what the feed says of each now. $1 account, $2 before this id, $3 state: open, snoozed, closed, or
-- null for open and snoozed, $4 least severity, $5 how many, $6 only this one, or null
SELECT alert.id, alert.type, alert.severity, alert.occurred_at, alert.driver_id, alert.route_id, alert.stop_id,
       alert.taken_key_id, alert.taken_by, person.email AS taken_email, alert.taken_at, alert.snoozed_until,
       alert.closed_at, alert.closed_why, coalesce(told.data, '{}') AS data,
       CASE WHEN alert.closed_at IS NOT NULL THEN 'closed' WHEN alert.snoozed_until > now() THEN 'snoozed' ELSE 'open' END
       AS state
  FROM desk_alert AS alert
  LEFT JOIN person ON person.id = alert.taken_by
  LEFT JOIN LATERAL (SELECT data FROM event WHERE event.fact_id = alert.fact_id ORDER BY revision DESC LIMIT 1) AS told ON true
 WHERE alert.account_id = $1 AND alert.id < $2 AND alert.severity >= $4
   AND CASE $3::text WHEN 'closed' THEN alert.closed_at IS NOT NULL
                     WHEN 'snoozed' THEN alert.closed_at IS NULL AND alert.snoozed_until > now()
                     WHEN 'open' THEN alert.closed_at IS NULL AND coalesce(alert.snoozed_until <= now(), true)
                     ELSE alert.closed_at IS NULL OR $6::bigint IS NOT NULL END
   AND (alert.id = $6 OR $6::bigint IS NULL)
 ORDER BY alert.id DESC LIMIT $5;

-- name: hold_alert
-- $1 account, $2 alert
SELECT taken_key_id, taken_by, closed_at IS NULL AS is_open FROM desk_alert WHERE account_id = $1 AND id = $2 FOR UPDATE;

-- name: take_alert
-- Whoever takes it is at it: it sleeps no more. $1 alert, $2 key or null, $3 person or null
UPDATE desk_alert SET taken_key_id = $2, taken_by = $3, taken_at = now(), snoozed_until = NULL WHERE id = $1;

-- name: snooze_alert
-- $1 alert, $2 until when
UPDATE desk_alert SET snoozed_until = $2 WHERE id = $1;

-- name: close_alert
-- $1 alert
UPDATE desk_alert SET closed_at = now(), closed_why = 'closed' WHERE id = $1;
