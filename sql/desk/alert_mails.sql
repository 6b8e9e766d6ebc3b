-- name: accounts_to_mail
-- With alerts of which it is to be decided whom they are mailed to; held, so that one process decides. $1 at most so many
SELECT id, settings FROM account
 WHERE EXISTS (SELECT FROM desk_alert WHERE account_id = account.id AND mail_at <= now())
 ORDER BY id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED;

-- name: alerts_to_mail
-- $1 account, $2 at most so many
SELECT id, type, severity, closed_at IS NULL AND taken_at IS NULL AS is_open FROM desk_alert
 WHERE account_id = $1 AND mail_at <= now() ORDER BY mail_at, id LIMIT $2;

-- name: emails_of
-- Of members, but for those who drive. $1 account, $2 persons
SELECT person.id, person.email FROM member JOIN person ON person.id = member.person_id
 WHERE member.account_id = $1 AND member.person_id = ANY ($2::bigint[]) AND member.role <> 'driver';

-- name: queue_mails
-- Once an alert, and not while one of this kind about the same thing is open of which they are told. $1 alert, $2 addresses
INSERT INTO desk_alert_mail (alert_id, account_id, email, due_at)
SELECT alert.id, alert.account_id, address.email, now()
  FROM desk_alert AS alert, unnest($2::text[]) AS address (email)
 WHERE alert.id = $1
   AND NOT EXISTS (
       SELECT FROM desk_alert AS before JOIN desk_alert_mail AS mail ON mail.alert_id = before.id
        WHERE before.account_id = alert.account_id AND before.closed_at IS NULL AND before.id <> alert.id
          AND before.type = alert.type AND mail.email = address.email
          AND before.driver_id IS NOT DISTINCT FROM alert.driver_id AND before.route_id IS NOT DISTINCT FROM alert.route_id
          AND before.stop_id IS NOT DISTINCT FROM alert.stop_id AND before.subject IS NOT DISTINCT FROM alert.subject)
    ON CONFLICT DO NOTHING;

-- name: decided
-- $1 alerts
UPDATE desk_alert SET mail_at = NULL WHERE id = ANY ($1::bigint[]);

-- name: end_needless
-- Somebody is at them, or they are closed. Nobody waits for a mail of them.
UPDATE desk_alert_mail AS mail SET due_at = NULL
  FROM desk_alert AS alert
 WHERE mail.due_at <= now() AND alert.id = mail.alert_id AND (alert.closed_at IS NOT NULL OR alert.taken_at IS NOT NULL);

-- name: lease_mails
-- Of so many people at once what is due, with how their last hour was. $1 seconds of the lease, $2 people at most
WITH due AS (
    SELECT alert_id, email FROM desk_alert_mail
     WHERE due_at <= now()
       AND (account_id, email) IN (SELECT account_id, email FROM desk_alert_mail WHERE due_at <= now()
                                    GROUP BY account_id, email ORDER BY min(due_at) LIMIT $2)
       FOR UPDATE SKIP LOCKED
), leased AS (
    UPDATE desk_alert_mail AS mail SET due_at = now() + make_interval(secs => $1), attempts = mail.attempts + 1
      FROM due WHERE mail.alert_id = due.alert_id AND mail.email = due.email
    RETURNING mail.alert_id, mail.email, mail.account_id, mail.attempts
)
SELECT leased.account_id, leased.email, account.name AS account, account.settings, leased.attempts, alert.id, alert.type,
       alert.severity, alert.occurred_at, alert.driver_id, alert.route_id, alert.stop_id, recent.mails, recent.first_at,
       recent.last_at
  FROM leased JOIN desk_alert AS alert ON alert.id = leased.alert_id JOIN account ON account.id = leased.account_id,
       LATERAL (SELECT count(DISTINCT mailed_at) AS mails, min(mailed_at) AS first_at, max(mailed_at) AS last_at
                  FROM desk_alert_mail AS mail
                 WHERE mail.account_id = leased.account_id AND mail.email = leased.email
                   AND mail.mailed_at > now() - interval '1 hour') AS recent
 ORDER BY leased.account_id, leased.email, alert.id;

-- name: mailed
-- In one mail. $1 address, $2 alerts
UPDATE desk_alert_mail SET mailed_at = moment.at, due_at = NULL
  FROM (SELECT clock_timestamp() AS at) AS moment
 WHERE email = $1 AND alert_id = ANY ($2::bigint[]);

-- name: mail_at
-- $1 address, $2 alerts, $3 when, or null: no more, $4 whether it was tried
UPDATE desk_alert_mail SET due_at = $3, attempts = attempts - CASE WHEN $4 THEN 0 ELSE 1 END
 WHERE email = $1 AND alert_id = ANY ($2::bigint[]);
