-- name: write_entry
-- $1 account, $2 key or null, $3 person or null, $4 operation, $5 thing, $6 address, $7 before or null, $8 after or null
INSERT INTO audit_entry (account_id, key_id, person_id, operation, thing, address, before, after)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: list_entries
-- The newest first. $1 account, $2 before this time, $3 and at it before this id, $4 person or null for any, $5 key or
-- null, $6 operation or null, $7 a name or id of the thing, or null, $8 from, or null, $9 until, or null, $10 how many
SELECT entry.id, entry.at, entry.key_id, api_key.label AS key_label, entry.person_id, person.email,
       entry.operation, entry.thing, entry.address, entry.before, entry.after
  FROM audit_entry AS entry
  LEFT JOIN api_key ON api_key.id = entry.key_id
  LEFT JOIN person ON person.id = entry.person_id
 WHERE entry.account_id = $1 AND (entry.at, entry.id) < ($2, $3)
   AND (entry.person_id = $4 OR $4::bigint IS NULL) AND (entry.key_id = $5 OR $5::bigint IS NULL)
   AND (entry.operation = $6 OR $6::text IS NULL)
   AND (jsonb_path_query_array(entry.thing, '$.*') ? $7 OR $7::text IS NULL)
   AND (entry.at >= $8 OR $8::timestamptz IS NULL) AND (entry.at < $9 OR $9::timestamptz IS NULL)
 ORDER BY entry.at DESC, entry.id DESC LIMIT $10;

-- name: plan_anew
-- Until the transaction ends: a plan made once for all filters reads by none of them.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true);

-- name: write_for_all
-- What concerns every account. $1 operation, $2 after or null
INSERT INTO audit_entry (account_id, operation, address, after) SELECT id, $1, '', $2::jsonb FROM account;

-- name: may_forget
-- Until the transaction ends.
SELECT set_config('reparto.forgets', 'audit', true);

-- name: drop_entries
-- $1 before, $2 at most so many
DELETE FROM audit_entry
 WHERE ctid = ANY (ARRAY(SELECT ctid FROM audit_entry WHERE at < $1 ORDER BY at LIMIT $2))
RETURNING id;

-- name: blank_driver
-- Their number stays; what the company called them goes. $1 account, $2 driver
UPDATE audit_entry SET thing = thing || jsonb_build_object('driver', 'dr_' || driver.id), before = NULL, after = NULL
  FROM driver
 WHERE driver.id = $2 AND audit_entry.account_id = $1 AND audit_entry.thing ->> 'driver' = driver.external_id
RETURNING audit_entry.id;

-- name: blank_words
-- $1 account, $2 addresses of a person
UPDATE audit_entry SET before = NULL, after = NULL
 WHERE account_id = $1 AND (before ->> 'email' = ANY ($2::text[]) OR after ->> 'email' = ANY ($2::text[]))
RETURNING id;
