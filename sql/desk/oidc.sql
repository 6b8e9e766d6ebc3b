-- name: provider_of
-- $1 account
SELECT account_id, issuer, client_id, sealed, domains FROM oidc_provider WHERE account_id = $1;

-- name: hold_provider
-- Nobody changes it until the transaction ends. $1 account
SELECT account_id, issuer, client_id, sealed, domains FROM oidc_provider WHERE account_id = $1 FOR SHARE;

-- name: provider_to_change
-- One at a time changes it; who signs in by it waits. $1 account
WITH held AS (SELECT id FROM account WHERE id = $1 FOR NO KEY UPDATE)
SELECT account_id, issuer, client_id, sealed, domains FROM oidc_provider
 WHERE account_id = (SELECT id FROM held) FOR UPDATE;

-- name: provider_by_name
-- $1 name of the account
SELECT account_id, issuer, client_id, sealed, domains FROM oidc_provider
 WHERE account_id = (SELECT id FROM account WHERE name = $1);

-- name: providers_by_domain
-- Two are enough to see that it is not clear which. $1 domain of mail in small letters
SELECT account_id, issuer, client_id, sealed, domains FROM oidc_provider WHERE $1 = ANY (domains) LIMIT 2;

-- name: has_providers
SELECT EXISTS (SELECT FROM oidc_provider);

-- name: put_provider
-- $1 account, $2 issuer, $3 client id, $4 sealed secret or null, $5 domains
INSERT INTO oidc_provider (account_id, issuer, client_id, sealed, domains) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (account_id) DO UPDATE
   SET issuer = excluded.issuer, client_id = excluded.client_id, sealed = excluded.sealed, domains = excluded.domains,
       changed_at = now();

-- name: drop_provider
-- $1 account
DELETE FROM oidc_provider WHERE account_id = $1;

-- name: forget_identities
-- Whom a provider named, and the sessions that it opened. $1 account
WITH sessions AS (DELETE FROM desk_session WHERE account_id = $1 AND by_provider)
DELETE FROM oidc_identity WHERE account_id = $1;

-- name: identity
-- $1 account, $2 issuer, $3 subject
SELECT person_id FROM oidc_identity WHERE account_id = $1 AND issuer = $2 AND subject = $3;

-- name: bind_identity
-- Nothing where the provider named this person by another subject before. $1 account, $2 issuer, $3 subject, $4 person
INSERT INTO oidc_identity (account_id, issuer, subject, person_id) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING RETURNING person_id;

-- name: open_invitation
-- $1 account, $2 e-mail in small letters
SELECT id FROM desk_link
 WHERE account_id = $1 AND email = $2 AND kind = 'invitation' AND over_at IS NULL AND expires_at > now()
 ORDER BY id DESC LIMIT 1;

-- name: sealed_providers
SELECT account_id, sealed FROM oidc_provider WHERE sealed IS NOT NULL ORDER BY account_id FOR UPDATE;

-- name: put_sealed_provider
-- $1 account, $2 sealed secret
UPDATE oidc_provider SET sealed = $2 WHERE account_id = $1;
