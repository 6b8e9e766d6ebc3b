-- The link of a first start makes the owner, whose address it does not know yet.
ALTER TABLE desk_link DROP CONSTRAINT desk_link_kind_check;
ALTER TABLE desk_link ADD CONSTRAINT desk_link_kind_check CHECK (kind IN ('invitation', 'password', 'owner'));

-- The audit log is read from the newest back, all of it or by one of its filters.
DROP INDEX audit_entry_account;
CREATE INDEX audit_entry_account ON audit_entry (account_id, at, id);
CREATE INDEX audit_entry_person ON audit_entry (account_id, person_id, at, id) WHERE person_id IS NOT NULL;
CREATE INDEX audit_entry_key ON audit_entry (account_id, key_id, at, id) WHERE key_id IS NOT NULL;
CREATE INDEX audit_entry_operation ON audit_entry (account_id, operation, at, id);
CREATE INDEX audit_entry_thing ON audit_entry USING gin (jsonb_path_query_array(thing, '$.*'));
