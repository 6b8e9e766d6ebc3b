-- A recipient says that nobody is at home, and a company decides on what they proposed.

ALTER TABLE recipient_wish ADD COLUMN away boolean NOT NULL DEFAULT false;

ALTER TABLE recipient_change
    ADD COLUMN decided_at timestamptz,
    DROP CONSTRAINT recipient_change_state_check,
    ADD CONSTRAINT recipient_change_state_check CHECK (state IN ('applied', 'proposed', 'rejected')) NOT VALID;
ALTER TABLE recipient_change VALIDATE CONSTRAINT recipient_change_state_check;
CREATE INDEX recipient_change_open ON recipient_change (account_id, id) WHERE state = 'proposed';
