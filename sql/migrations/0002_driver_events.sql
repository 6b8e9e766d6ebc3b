-- Drivers say what they do: events of their apps.

-- One event of a driver's app, or of a dispatcher who speaks in the driver's place. Kept whatever becomes of it: in the
-- order of occurrence it may have no effect, and an event that comes late may change that.
CREATE TABLE driver_event (
    driver_id    bigint NOT NULL REFERENCES driver,
    id           uuid NOT NULL,              -- made by the phone; the same event sent again is the same row
    account_id   bigint NOT NULL REFERENCES account,
    lane         smallint NOT NULL,
    device_id    bigint REFERENCES device,   -- null: a dispatcher's
    type         text NOT NULL CHECK (type IN
        ('shift_started', 'shift_ended', 'route_started', 'arrived', 'departed', 'completed', 'partially_completed',
         'failed', 'skipped', 'reopened', 'break_started', 'break_ended', 'note')),
    route_id     bigint REFERENCES route,    -- of the stop, or the one that was started
    stop_id      bigint REFERENCES stop,
    occurred_at  timestamptz NOT NULL,       -- the phone's clock, whole milliseconds
    received_at  timestamptz NOT NULL DEFAULT now(),
    lat          double precision,
    lon          double precision,
    data         jsonb NOT NULL DEFAULT '{}',
    effective    boolean NOT NULL,           -- false: a conflict, recorded and not in force
    why          text,                       -- of a conflict
    PRIMARY KEY (driver_id, id)
);
CREATE INDEX driver_event_order ON driver_event (driver_id, occurred_at, id);
CREATE INDEX driver_event_stop ON driver_event (stop_id, occurred_at, id) WHERE stop_id IS NOT NULL;
