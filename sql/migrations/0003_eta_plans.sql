-- Plans carry what ETAs rest on.
ALTER TABLE route_version
    ADD COLUMN stop_window_start  timestamptz[] NOT NULL DEFAULT '{}',       -- promised; null where nothing was
    ADD COLUMN stop_window_end    timestamptz[] NOT NULL DEFAULT '{}',
    ADD COLUMN stop_kind          text[] NOT NULL DEFAULT '{}',
    ADD COLUMN stop_parcels       integer[] NOT NULL DEFAULT '{}',           -- things to hand over or take along
    ADD COLUMN stop_drive_s       double precision[] NOT NULL DEFAULT '{}',  -- of driving from the stop before, or the path's start
    ADD COLUMN wait_for_window    boolean NOT NULL DEFAULT false;            -- a van that is early waits until the window begins
