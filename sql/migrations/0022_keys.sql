-- Keys that end by themselves, and when each was used last.
ALTER TABLE api_key
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN last_used_at timestamptz;
