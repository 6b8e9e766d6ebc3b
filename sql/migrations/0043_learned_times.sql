-- Plans of our own planner hold what ETAs learned already: ETAs must not add it again.

ALTER TABLE route_version
    ADD COLUMN times_learned boolean NOT NULL DEFAULT false;  -- stop_planned_at holds what ETAs learned of drives and services
