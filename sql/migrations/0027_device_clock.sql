-- How far a phone's clock was found to be ahead of ours, and when; nulls while it was never found wrong.
ALTER TABLE device ADD COLUMN clock_ahead_ms bigint, ADD COLUMN clock_noted_at timestamptz;
