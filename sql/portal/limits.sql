-- name: count
-- Count one more, in a window that begins with the first of them; and forget some windows that are long over.
-- $1 hash of who, $2 what, $3 seconds of the window
WITH over AS (
    DELETE FROM recipient_limit
     WHERE ctid = ANY (ARRAY(SELECT ctid FROM recipient_limit
                              WHERE since < now() - interval '1 day' AND who <> $1
                              ORDER BY since LIMIT 20 FOR UPDATE SKIP LOCKED))
)
INSERT INTO recipient_limit AS known (who, what, since, times)
VALUES ($1, $2, now(), 1)
    ON CONFLICT (who, what) DO UPDATE
   SET times = CASE WHEN known.since < now() - make_interval(secs => $3) THEN 1 ELSE known.times + 1 END,
       since = CASE WHEN known.since < now() - make_interval(secs => $3) THEN now() ELSE known.since END
RETURNING times, extract(epoch FROM since + make_interval(secs => $3) - now())::float8 AS left_s;

-- name: forget
-- $1 hash of who, $2 what
DELETE FROM recipient_limit WHERE who = $1 AND what = $2;
