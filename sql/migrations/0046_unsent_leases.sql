-- A lease that ended without a word need not have sent anything: whoever takes its message up must know whether the provider
-- may have it. Leases of the release before do not say so, and count as sent.
ALTER TABLE message
    ADD COLUMN unsent_lease timestamptz,
    ADD COLUMN unknowns integer NOT NULL DEFAULT 0;
UPDATE message SET unknowns = 1 WHERE state IN ('held', 'queued') AND why = 'unknown';
