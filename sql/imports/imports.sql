-- name: waiting_imports
-- How many of an account are not done. $1 account
SELECT count(*) FROM import WHERE account_id = $1 AND sheet IS NOT NULL;

-- name: create_import
-- Nothing where the same waits already. $1 account, $2 kind, $3 dry run, $4 file name, $5 hash of what is asked, $6 how it is
-- read, $7 headings, $8 notes, $9 sheet, $10 rows
INSERT INTO import (account_id, kind, dry_run, file_name, asked_hash, state, asked, headings, notes, sheet, rows)
VALUES ($1, $2, $3, $4, $5, 'queued', $6, $7, $8, $9, $10)
    ON CONFLICT (account_id, asked_hash) WHERE sheet IS NOT NULL DO NOTHING
RETURNING id;

-- name: same_import
-- One that waits. $1 account, $2 hash of what is asked
SELECT id FROM import WHERE account_id = $1 AND asked_hash = $2 AND sheet IS NOT NULL;

-- name: find_import
-- $1 account, $2 import
SELECT id, account_id, kind, dry_run, file_name, state, why, asked, headings, notes, rows, step, created, updated, unchanged,
       rejected, attempts, tries, created_at
  FROM import WHERE account_id = $1 AND id = $2;

-- name: list_imports
-- The newest first. $1 account, $2 before this id, $3 how many
SELECT id, account_id, kind, dry_run, file_name, state, why, asked, headings, notes, rows, step, created, updated, unchanged,
       rejected, attempts, tries, created_at
  FROM import WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3;

-- name: take_import
-- One that waits, or whose process is not heard of any more: of the account that had its turn longest ago, as its newest tell,
-- the one that waited longest. $1 seconds until this one says so again, $2 only this one, or null
WITH waiting AS (
    SELECT DISTINCT account_id FROM import WHERE sheet IS NOT NULL
), in_turn AS (
    SELECT account_id, (SELECT max(updated_at)
                          FROM (SELECT updated_at, attempts FROM import AS had
                                 WHERE had.account_id = waiting.account_id ORDER BY id DESC LIMIT 50) AS newest
                         WHERE attempts > 0) AS turn_at
      FROM waiting
)
UPDATE import SET state = 'running', attempts = attempts + 1, tries = tries + 1, updated_at = now(),
       held_until = now() + $1 * interval '1 second'
 WHERE id = (SELECT one.id FROM import AS one JOIN in_turn ON in_turn.account_id = one.account_id
              WHERE one.sheet IS NOT NULL AND (one.held_until IS NULL OR one.held_until < now())
                AND ($2::bigint IS NULL OR one.id = $2)
              ORDER BY in_turn.turn_at NULLS FIRST, one.held_until NULLS FIRST, one.id LIMIT 1 FOR UPDATE OF one SKIP LOCKED)
RETURNING id, account_id, kind, dry_run, file_name, state, why, asked, headings, notes, rows, step, created, updated, unchanged,
          rejected, attempts, tries, created_at;

-- name: sheet_of_import
-- $1 import
SELECT sheet FROM import WHERE id = $1;

-- name: hold_import
-- Nobody else goes on with it until the transaction ends; nothing where another one does by now. $1 import, $2 attempt
SELECT step FROM import WHERE id = $1 AND attempts = $2 AND state = 'running' FOR UPDATE;

-- name: put_verdicts
-- $1 import, $2 list of them
INSERT INTO import_row (import_id, number, external_id, verdict, errors, cells)
SELECT $1, number, external_id, verdict, errors, cells
  FROM jsonb_to_recordset($2) AS new (number integer, external_id text, verdict text, errors jsonb, cells jsonb);

-- name: go_on
-- A held one is a step further. $1 import, $2 step, $3 seconds, rows that were $4 created, $5 updated, $6 unchanged, $7 rejected
UPDATE import SET step = $2, held_until = now() + $3 * interval '1 second', tries = 0, updated_at = now(),
       created = created + $4, updated = updated + $5, unchanged = unchanged + $6, rejected = rejected + $7
 WHERE id = $1;

-- name: end_import
-- Its sheet goes. $1 import, $2 attempt, $3 state, $4 why or null
UPDATE import SET state = $3, why = $4, sheet = NULL, held_until = NULL, updated_at = now()
 WHERE id = $1 AND attempts = $2 AND state = 'running';

-- name: put_back
-- Others that wait come first. $1 import, $2 attempt
UPDATE import SET held_until = now(), tries = 0 WHERE id = $1 AND attempts = $2 AND state = 'running';

-- name: verdicts_of
-- A page, in the order of the rows. $1 import, $2 verdict or null, $3 after this number, $4 how many, $5 only rows of which
-- something is said
SELECT number, external_id, verdict, errors, cells FROM import_row
 WHERE import_id = $1 AND ($2::text IS NULL OR verdict = $2) AND number > $3 AND (NOT $5 OR errors <> '[]')
 ORDER BY number LIMIT $4;

-- name: read_mapping
-- $1 account, $2 kind
SELECT mapping FROM import_mapping WHERE account_id = $1 AND kind = $2;

-- name: add_mapping
-- Beyond so many headings what was known before is forgotten. $1 account, $2 kind, $3 mapping, $4 how many
INSERT INTO import_mapping AS known (account_id, kind, mapping) VALUES ($1, $2, $3)
    ON CONFLICT (account_id, kind) DO UPDATE SET updated_at = now(), mapping =
       CASE WHEN (SELECT count(*) FROM jsonb_object_keys(known.mapping || excluded.mapping)) <= $4
            THEN known.mapping || excluded.mapping ELSE excluded.mapping END;

-- name: drop_imports
-- With their rows. $1 made before, $2 how many
DELETE FROM import WHERE id = ANY (ARRAY(SELECT id FROM import WHERE created_at < $1 ORDER BY created_at LIMIT $2)) RETURNING id;

-- name: drop_rows_of_words
-- Rejected rows that hold a word of somebody, or the digits of their phone. $1 account, $2 words, $3 digits, $4 how many
DELETE FROM import_row
 WHERE ctid = ANY (ARRAY(
       SELECT one.ctid FROM import JOIN import_row AS one ON one.import_id = import.id
        WHERE import.account_id = $1 AND one.cells IS NOT NULL
          AND (EXISTS (SELECT FROM jsonb_array_elements_text(one.cells) AS cell, unnest($2::text[]) AS word
                        WHERE word <> '' AND position(lower(word) IN lower(cell)) > 0)
               OR EXISTS (SELECT FROM jsonb_array_elements_text(one.cells) AS cell, unnest($3::text[]) AS phone
                           WHERE position(phone IN regexp_replace(cell, '\D', '', 'g')) > 0))
        LIMIT $4))
RETURNING number;
