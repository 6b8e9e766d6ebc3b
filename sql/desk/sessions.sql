-- name: find_session
-- Whose it is, if it is not over, with the role they have now. $1 SHA-256 of the secret, $2 hours it lasts unused,
-- $3 days it lasts at most
SELECT session.id, session.account_id, session.person_id, member.role, session.by_provider,
       session.last_used_at < now() - interval '5 minutes' AS is_use_stale
  FROM desk_session AS session
  JOIN member ON member.account_id = session.account_id AND member.person_id = session.person_id
 WHERE session.secret_hash = $1
   AND session.last_used_at > now() - make_interval(hours => $2) AND session.created_at > now() - make_interval(days => $3);

-- name: note_use
-- One request notes it; the others at the same time wait for nothing. $1 session
UPDATE desk_session SET last_used_at = now()
 WHERE id = (SELECT id FROM desk_session WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED);

-- name: open_session
-- $1 account, $2 person, $3 SHA-256 of the secret, $4 whether the account's provider opens it
INSERT INTO desk_session (account_id, person_id, secret_hash, by_provider) VALUES ($1, $2, $3, $4) RETURNING id;

-- name: move_session
-- $1 session, $2 another account of the same person
UPDATE desk_session SET account_id = $2 WHERE id = $1;

-- name: end_session
-- $1 session
DELETE FROM desk_session WHERE id = $1;

-- name: end_by_secret
-- $1 SHA-256 of the secret
DELETE FROM desk_session WHERE secret_hash = $1 RETURNING account_id, person_id;

-- name: end_sessions
-- All of a person, in every account, and what was half done. $1 person, $2 but this one, or null
WITH half AS (DELETE FROM sign_in_step WHERE person_id = $1)
DELETE FROM desk_session WHERE person_id = $1 AND id IS DISTINCT FROM $2;

-- name: end_sessions_there
-- $1 account, $2 person
DELETE FROM desk_session WHERE account_id = $1 AND person_id = $2;

-- name: drop_sessions
-- Those that are over. $1 hours one lasts unused, $2 days it lasts at most
DELETE FROM desk_session
 WHERE last_used_at < now() - make_interval(hours => $1) OR created_at < now() - make_interval(days => $2);
