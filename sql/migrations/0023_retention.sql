-- Retention by class of data: how far each has gone, and indexes to find what is old by.
CREATE TABLE retention (
    class       text PRIMARY KEY,
    ran_at      timestamptz,
    horizon     timestamptz,
    confirmed   timestamptz,
    held_since  timestamptz,
    held_why    text
);
ALTER TABLE account ADD COLUMN events_dropped bigint NOT NULL DEFAULT 0;
ALTER TABLE route ADD COLUMN people_gone boolean NOT NULL DEFAULT false;
CREATE INDEX route_age ON route (end_at);
CREATE INDEX route_people ON route (end_at) WHERE NOT people_gone;
CREATE INDEX driver_people ON driver (deleted_at)
    WHERE deleted_at IS NOT NULL AND (name <> '' OR external_id <> '' OR phone IS NOT NULL);
CREATE INDEX visit_age ON visit (arrived_at);
CREATE INDEX geofence_version_ended ON geofence_version (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX quarantine_age ON quarantine (received_at);
CREATE INDEX driver_event_route ON driver_event (route_id) WHERE route_id IS NOT NULL;
CREATE INDEX event_places ON event (occurred_at) WHERE data ?| '{lat,lon,along_m,offset_m}';
