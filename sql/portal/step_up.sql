-- name: ask_code
-- The next code; nothing while too many wrong ones lock it. Another link begins anew.
-- $1 stop, $2 account, $3 generation of the link, $4 seconds that it stays locked
INSERT INTO step_up AS known (stop_id, account_id, link_generation, generation, sent_at)
VALUES ($1, $2, $3, 1, now())
    ON CONFLICT (stop_id) DO UPDATE
   SET generation = known.generation + 1, sent_at = now(), locked_at = NULL, link_generation = excluded.link_generation,
       wrong = CASE WHEN known.link_generation = excluded.link_generation AND known.locked_at IS NULL THEN known.wrong ELSE 0 END
 WHERE known.link_generation <> excluded.link_generation OR known.locked_at IS NULL
    OR known.locked_at <= now() - make_interval(secs => $4)
RETURNING generation;

-- name: hold_code
-- What counts now; who guesses at the same moment waits. $1 stop, $2 generation of the link, $3 seconds that a code lives, $4 that
-- it stays locked
SELECT generation, sent_at > now() - make_interval(secs => $3) AS alive, wrong,
       coalesce(locked_at > now() - make_interval(secs => $4), false) AS locked
  FROM step_up WHERE stop_id = $1 AND link_generation = $2 FOR NO KEY UPDATE;

-- name: count_guess
-- $1 stop, $2 wrong ones since the last right one, $3 whether it is locked from now on
UPDATE step_up SET wrong = $2, locked_at = CASE WHEN $3::boolean THEN now() END WHERE stop_id = $1;
