-- A tour is over when somebody says so, too; what its end rests on is kept. Alarms are
-- shown where the driver is.
ALTER TABLE driver_event DROP CONSTRAINT driver_event_type_check, ADD CONSTRAINT driver_event_type_check CHECK (type IN
    ('shift_started', 'shift_ended', 'route_started', 'route_ended', 'arrived', 'departed', 'completed',
     'partially_completed', 'failed', 'skipped', 'reopened', 'break_started', 'break_ended', 'note'));

ALTER TABLE route ADD COLUMN closed_by text CHECK (closed_by IN ('word', 'shift', 'hours'));
UPDATE route SET closed_by = CASE WHEN end_at + interval '4 hours' <= closed_at THEN 'hours' ELSE 'shift' END
 WHERE closed_at IS NOT NULL;

CREATE INDEX event_alarm ON event (driver_id, occurred_at) WHERE type IN ('driver.sos', 'driver.alarm');
