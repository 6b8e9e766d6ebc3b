-- Accounts that keep only what was recorded while somebody works.
ALTER TABLE account ADD COLUMN working_since timestamptz;
