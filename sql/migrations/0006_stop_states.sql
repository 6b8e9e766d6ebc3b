-- What drivers say decides what becomes of their stops.

ALTER TABLE stop
    ADD COLUMN outcome_at      timestamptz,   -- when the driver said completed, failed …; null: nothing of that stands
    ADD COLUMN removed_at      timestamptz,   -- when it was taken out of the tour; null: it is in it
    ADD COLUMN pin_generation  integer NOT NULL DEFAULT 0;
UPDATE stop SET removed_at = now() WHERE status = 'removed';

ALTER TABLE driver_event
    ADD COLUMN outcome           jsonb NOT NULL DEFAULT '{}',  -- what the data mean for the stop as it was planned when they came in
    ADD COLUMN flaw              text,                         -- why it can have no effect in any order; found when it came in
    ADD COLUMN pin_generation    integer,                      -- of the PIN that its own was held against
    ADD COLUMN manifest_version  bigint;                       -- what the phone had before it
CREATE INDEX driver_event_shift ON driver_event (driver_id, occurred_at, id)
    WHERE type IN ('shift_started', 'shift_ended', 'break_started', 'break_ended');

-- What an event does to a stop; one that is not here for the status it meets is a conflict. The same table for people
-- is docs/reference/stop-states.md.
CREATE TABLE stop_transition (
    from_status  text NOT NULL,
    event_type   text NOT NULL,
    to_status    text NOT NULL,
    PRIMARY KEY (from_status, event_type)
);
INSERT INTO stop_transition (from_status, event_type, to_status) VALUES
    ('pending', 'arrived', 'arrived'),
    ('pending', 'departed', 'pending'),
    ('pending', 'completed', 'completed'),
    ('pending', 'partially_completed', 'partially_completed'),
    ('pending', 'failed', 'failed'),
    ('pending', 'skipped', 'skipped'),
    ('pending', 'note', 'pending'),
    ('arrived', 'arrived', 'arrived'),
    ('arrived', 'departed', 'arrived'),
    ('arrived', 'completed', 'completed'),
    ('arrived', 'partially_completed', 'partially_completed'),
    ('arrived', 'failed', 'failed'),
    ('arrived', 'skipped', 'skipped'),
    ('arrived', 'note', 'arrived'),
    ('completed', 'departed', 'completed'),
    ('completed', 'reopened', 'pending'),
    ('completed', 'note', 'completed'),
    ('partially_completed', 'departed', 'partially_completed'),
    ('partially_completed', 'reopened', 'pending'),
    ('partially_completed', 'note', 'partially_completed'),
    ('failed', 'departed', 'failed'),
    ('failed', 'reopened', 'pending'),
    ('failed', 'note', 'failed'),
    ('skipped', 'departed', 'skipped'),
    ('skipped', 'reopened', 'pending'),
    ('skipped', 'note', 'skipped');
