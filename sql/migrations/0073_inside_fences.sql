-- Who is inside of which geofence, for clients that show it beside a driver's place.
CREATE INDEX visit_inside ON visit (account_id) WHERE geofence_id IS NOT NULL AND departed_at IS NULL;
