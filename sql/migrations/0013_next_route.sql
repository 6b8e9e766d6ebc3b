-- A start that names no route means another one when it is known what was started before it.

ALTER TABLE driver_event
    ADD COLUMN means_next boolean NOT NULL DEFAULT false;  -- a start that names no route: route_id follows from those before it
CREATE INDEX driver_event_start ON driver_event (driver_id, occurred_at, id) WHERE type = 'route_started';
