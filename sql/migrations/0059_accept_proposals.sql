-- Proposals that a rule of their account is still asked about. What was proposed before waits for a person.
ALTER TABLE plan ADD COLUMN for_rule boolean NOT NULL DEFAULT false;
CREATE INDEX plan_for_rule ON plan (id) WHERE for_rule AND state = 'done';
