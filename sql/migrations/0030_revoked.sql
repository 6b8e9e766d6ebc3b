-- A phone that was shut out holds up no other one.
ALTER TABLE device ADD COLUMN ended_at timestamptz;
