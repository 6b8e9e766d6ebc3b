-- What drivers said ---------------------------------------------------------------------------------------------------

-- One event of a driver's app, or of a dispatcher who speaks in the driver's place. Kept whatever becomes of it: in the
-- order of occurrence it may have no effect, and an event that comes late may change that.
CREATE TABLE driver_event (
    driver_id    bigint NOT NULL REFERENCES driver,
    id           uuid NOT NULL,              -- made by the phone; the same event sent again is the same row
    account_id   bigint NOT NULL REFERENCES account,
    lane         smallint NOT NULL,
    device_id    bigint REFERENCES device,   -- null: a dispatcher's
    type         text NOT NULL CHECK (type IN
        ('shift_started', 'shift_ended', 'route_started', 'route_ended', 'arrived', 'departed', 'completed',
         'partially_completed', 'failed', 'skipped', 'reopened', 'break_started', 'break_ended', 'note')),
    route_id     bigint REFERENCES route,    -- of the stop, or the one that was started or ended
    stop_id      bigint REFERENCES stop,
    occurred_at  timestamptz NOT NULL,       -- the phone's clock, whole milliseconds
    received_at  timestamptz NOT NULL DEFAULT now(),
    lat          double precision,
    lon          double precision,
    data         jsonb NOT NULL DEFAULT '{}',
    effective    boolean NOT NULL,           -- false: a conflict, recorded and not in force
    why          text,                       -- of a conflict
    outcome      jsonb NOT NULL DEFAULT '{}',  -- what the data mean for the stop as it was planned when they came in
    flaw         text,                       -- why it can have no effect in any order; found when it came in
    pin_generation integer,                  -- of the PIN that its own was held against
    manifest_version bigint,                 -- what the phone had before it
    means_next   boolean NOT NULL DEFAULT false,  -- a start that names no route: route_id follows from those before it
    PRIMARY KEY (driver_id, id)
);
CREATE INDEX driver_event_order ON driver_event (driver_id, occurred_at, id);
CREATE INDEX driver_event_stop ON driver_event (stop_id, occurred_at, id) WHERE stop_id IS NOT NULL;
CREATE INDEX driver_event_shift ON driver_event (driver_id, occurred_at, id)
    WHERE type IN ('shift_started', 'shift_ended', 'break_started', 'break_ended');
CREATE INDEX driver_event_age ON driver_event (occurred_at);
CREATE INDEX driver_event_route ON driver_event (route_id) WHERE route_id IS NOT NULL;  -- asked when a route is deleted
CREATE INDEX driver_event_start ON driver_event (driver_id, occurred_at, id) WHERE type = 'route_started';

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
    ('pending', 'reopened', 'pending'),
    ('arrived', 'arrived', 'arrived'),
    ('arrived', 'departed', 'arrived'),
    ('arrived', 'completed', 'completed'),
    ('arrived', 'partially_completed', 'partially_completed'),
    ('arrived', 'failed', 'failed'),
    ('arrived', 'skipped', 'skipped'),
    ('arrived', 'note', 'arrived'),
    ('arrived', 'reopened', 'pending'),
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

-- The status of a stop after all that was said of it so far, in the order of a window; null says nothing.
CREATE FUNCTION next_stop_status(status text, said text) RETURNS text LANGUAGE sql STABLE RETURN
    coalesce((SELECT to_status FROM stop_transition WHERE from_status = status AND event_type = said), status);
CREATE AGGREGATE stop_status (text) (SFUNC = next_stop_status, STYPE = text, INITCOND = 'pending');
