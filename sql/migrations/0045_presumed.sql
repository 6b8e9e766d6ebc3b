-- A visit that a silent phone left open gets an end that a later ping may take back.
ALTER TABLE visit ADD COLUMN presumed boolean NOT NULL DEFAULT false;
CREATE INDEX visit_open ON visit (arrived_at) WHERE stop_id IS NOT NULL AND (departed_at IS NULL OR presumed);
