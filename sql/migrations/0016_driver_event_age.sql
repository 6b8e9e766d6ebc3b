-- What drivers said long ago is forgotten.

CREATE INDEX driver_event_age ON driver_event (occurred_at);
