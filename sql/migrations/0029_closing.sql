-- Tours end by their hours, or with the shift, and what is open of them then stays in sight.
ALTER TABLE route ADD COLUMN closed_at timestamptz, ADD COLUMN look_at timestamptz;
ALTER TABLE stop DROP CONSTRAINT stop_status_check;
ALTER TABLE stop ADD CONSTRAINT stop_status_check CHECK (status IN
    ('pending', 'arrived', 'completed', 'partially_completed', 'failed', 'skipped', 'left_open', 'removed'));
INSERT INTO stop_transition (from_status, event_type, to_status) VALUES
    ('pending', 'reopened', 'pending'),
    ('arrived', 'reopened', 'pending');
DROP INDEX event_tour;
CREATE INDEX event_tour ON event (route_id) WHERE type IN ('route.started', 'route.completed', 'route.reopened');
-- What was over long ago is over; nobody is told of it any more.
UPDATE route SET closed_at = end_at + interval '4 hours' WHERE end_at < now() - interval '2 days';
UPDATE route SET look_at = end_at + interval '4 hours' WHERE closed_at IS NULL AND deleted_at IS NULL AND status <> 'cancelled';
CREATE INDEX route_look ON route (look_at) WHERE look_at IS NOT NULL;
-- Tracking links of stops that went to another route: they lead on.
CREATE TABLE moved_link (
    link_hash  bytea PRIMARY KEY,
    stop_id    bigint NOT NULL REFERENCES stop ON DELETE CASCADE
);
CREATE INDEX moved_link_stop ON moved_link (stop_id);
CREATE INDEX stop_external ON stop (account_id, external_id);
