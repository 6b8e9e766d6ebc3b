-- When the driver's phone was shown what a recipient said.
ALTER TABLE recipient_change ADD COLUMN told_at timestamptz;
CREATE INDEX recipient_change_untold ON recipient_change (stop_id) WHERE told_at IS NULL;
