-- name: make_link
-- Whatever was open of this kind for this address from this account is over. $1 account, $2 kind, $3 e-mail,
-- $4 role or null, $5 hours it lasts, $6 whether to mail it, $7 driver or null
WITH earlier AS (
    UPDATE desk_link SET over_at = now(), mail_at = NULL
     WHERE account_id = $1 AND kind = $2 AND email = $3 AND over_at IS NULL
)
INSERT INTO desk_link (account_id, kind, email, role, expires_at, mail_at, driver_id)
VALUES ($1, $2, $3, $4, now() + make_interval(hours => $5), CASE WHEN $6 THEN now() END, $7)
RETURNING id, account_id, kind, email, role, driver_id, created_at, expires_at;

-- name: owner_link
-- Only while nobody may sign in, at any account. $1 account, $2 hours that a new one lasts
WITH still_open AS (
    SELECT id, account_id, kind, email, role, driver_id, created_at, expires_at FROM desk_link
     WHERE account_id = $1 AND kind = 'owner' AND over_at IS NULL AND expires_at > now() LIMIT 1
), made AS (
    INSERT INTO desk_link (account_id, kind, email, expires_at)
    SELECT $1, 'owner', '', now() + make_interval(hours => $2)
     WHERE NOT EXISTS (SELECT FROM still_open) AND NOT EXISTS (SELECT FROM member)
    RETURNING id, account_id, kind, email, role, driver_id, created_at, expires_at
)
SELECT * FROM (SELECT * FROM made UNION ALL SELECT * FROM still_open) AS link WHERE NOT EXISTS (SELECT FROM member);

-- name: open_link
-- One that works. $1 id
SELECT id, account_id, kind, email, role, driver_id, created_at, expires_at FROM desk_link
 WHERE id = $1 AND over_at IS NULL AND expires_at > now()
   AND (kind <> 'owner' OR NOT EXISTS (SELECT FROM member));

-- name: use_link
-- Whoever comes second finds it over. $1 id
UPDATE desk_link SET over_at = now(), mail_at = NULL
 WHERE id = $1 AND over_at IS NULL AND expires_at > now()
   AND (kind <> 'owner' OR NOT EXISTS (SELECT FROM member))
RETURNING id, account_id, kind, email, role, driver_id, created_at, expires_at;

-- name: end_links
-- All that would set the password of an address. $1 e-mail
UPDATE desk_link SET over_at = now(), mail_at = NULL WHERE email = $1 AND kind = 'password' AND over_at IS NULL;

-- name: list_invitations
-- Those that nobody took yet. $1 account, $2 after which id, $3 how many
SELECT id, account_id, kind, email, role, driver_id, created_at, expires_at FROM desk_link
 WHERE account_id = $1 AND kind = 'invitation' AND over_at IS NULL AND expires_at > now() AND id > $2
 ORDER BY id LIMIT $3;

-- name: end_invitation
-- $1 account, $2 id
UPDATE desk_link SET over_at = now(), mail_at = NULL
 WHERE account_id = $1 AND id = $2 AND kind = 'invitation' AND over_at IS NULL AND expires_at > now()
RETURNING email, role;

-- name: lease_mails
-- $1 seconds of the lease, $2 at most so many
UPDATE desk_link SET mail_tries = mail_tries + 1, mail_at = now() + make_interval(secs => $1)
  FROM (SELECT id FROM desk_link WHERE mail_at <= now() ORDER BY mail_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS due,
       account
 WHERE desk_link.id = due.id AND account.id = desk_link.account_id
RETURNING desk_link.id, desk_link.account_id, account.name AS account, account.settings, desk_link.kind, desk_link.email,
          desk_link.expires_at, desk_link.mail_tries;

-- name: mailed
-- $1 id
UPDATE desk_link SET mail_at = NULL WHERE id = $1;

-- name: mail_again
-- Not once it is over, or would come too late. $1 id, $2 seconds to wait
UPDATE desk_link
   SET mail_at = CASE WHEN over_at IS NULL AND expires_at > now() + make_interval(secs => $2)
                      THEN now() + make_interval(secs => $2) END
 WHERE id = $1;

-- name: drop_links
-- A week after their time.
DELETE FROM desk_link WHERE expires_at < now() - interval '7 days';
