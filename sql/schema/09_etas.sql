-- One row a route, arrays in the order of the stops ahead; rewritten only when it moved.
CREATE TABLE route_eta (
    route_id      bigint PRIMARY KEY REFERENCES route,
    version       integer NOT NULL,
    as_of         timestamptz NOT NULL,  -- recorded_at of the ping it rests on
    computed_at   timestamptz NOT NULL,
    stop_ids      bigint[] NOT NULL,
    expected      timestamptz[] NOT NULL,
    low           timestamptz[] NOT NULL,
    high          timestamptz[] NOT NULL,
    remaining_m   double precision[] NOT NULL,
    along_m       double precision       -- where the van was along its path then; null off it
) WITH (fillfactor = 50);
-- Not compressed: of a hundred stops that saved a twelfth of the place for a quarter of what writing the row costs.
ALTER TABLE route_eta ALTER COLUMN stop_ids SET STORAGE EXTERNAL, ALTER COLUMN expected SET STORAGE EXTERNAL,
    ALTER COLUMN low SET STORAGE EXTERNAL, ALTER COLUMN high SET STORAGE EXTERNAL, ALTER COLUMN remaining_m SET STORAGE EXTERNAL;

-- What somebody was told of a stop when it was still so far away, and what came true. The first of each bucket of leads.
CREATE TABLE eta_told (
    route_id    bigint NOT NULL REFERENCES route,
    stop_id     bigint NOT NULL,                -- of the route; it may be forgotten
    bucket      smallint NOT NULL CHECK (bucket BETWEEN 0 AND 4),  -- of the lead: 0-15, 15-30, 30-60, 60-120, > 120 min
    account_id  bigint NOT NULL,
    driver_id   bigint NOT NULL,
    as_of       timestamptz NOT NULL,           -- recorded_at of the ping it rested on
    expected    timestamptz NOT NULL,
    low         timestamptz NOT NULL,
    high        timestamptz NOT NULL,
    planned     timestamptz,                    -- by the timetable; null where the plan had none
    delay_s     real,                           -- behind it, at as_of
    spread_s    double precision NOT NULL,      -- how far off it was expected to be: the measure of windows
    paced_s     real,                           -- how late there if all of the delay stayed; null without planned times
    on_route    boolean NOT NULL,
    came_at     timestamptz,                    -- the first arrival after as_of, as visits have it; null until then
    learned_at  timestamptz,                    -- when windows learned from it; null: not yet
    waits       boolean NOT NULL DEFAULT false, -- whether the van waited for its start then
    PRIMARY KEY (stop_id, bucket)
);
CREATE INDEX eta_told_account ON eta_told (account_id, as_of);
CREATE INDEX eta_told_route ON eta_told (route_id);
CREATE INDEX eta_told_age ON eta_told (as_of);
CREATE INDEX eta_told_unlearned ON eta_told (account_id, came_at) WHERE came_at IS NOT NULL AND learned_at IS NULL;

-- Which drives of routes ETAs learned from, and of which there is something new.
CREATE TABLE eta_learned (
    route_id    bigint NOT NULL REFERENCES route,
    driver_id   bigint NOT NULL REFERENCES driver,
    account_id  bigint NOT NULL,
    learned     text[] NOT NULL DEFAULT '{}',   -- what was: drive:7 to the stop 7, service:7 at it; never a second time
    due_at      timestamptz,                    -- since when there is something new; null: nothing is
    noted_at    timestamptz NOT NULL DEFAULT now(),  -- when a visit was closed last
    PRIMARY KEY (route_id, driver_id)
);
CREATE INDEX eta_learned_due ON eta_learned (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX eta_learned_age ON eta_learned (noted_at);

-- What an account's drives say, and how late its tours begin: took / expected without knowing this thing.
-- docs/howto/eta-accuracy.md tells how to read it.
CREATE TABLE eta_drive (
    account_id     bigint NOT NULL REFERENCES account,
    scope          text NOT NULL,               -- drive, drive_leg, …, start, start_place, delay: geo/eta/rows.py
    key            text NOT NULL,               -- which one; empty where the scope has but one
    hour_class     smallint NOT NULL,           -- of the local time of day; -1: all of them
    weekday_class  smallint NOT NULL,           -- 0 Monday to Friday, 1 Saturday, 2 Sunday; -1: all of them
    n              double precision NOT NULL,   -- how much was seen, minutes or times; older ones count less
    mean           double precision NOT NULL,   -- of took / expected: 1.2 is a fifth slower; of starts minutes late
    m2             double precision NOT NULL,   -- sum of squared differences from the mean, weighted like n
    as_of          timestamptz NOT NULL,        -- to which moment n and m2 are decayed
    version        bigint NOT NULL,             -- account.eta_version that changed it last
    updated_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, scope, key, hour_class, weekday_class)
);
CREATE INDEX eta_drive_version ON eta_drive (account_id, version);
CREATE INDEX eta_drive_age ON eta_drive (as_of);

-- The same of services; scopes service, service_place, ….
CREATE TABLE eta_service (
    account_id     bigint NOT NULL REFERENCES account,
    scope          text NOT NULL,
    key            text NOT NULL,
    hour_class     smallint NOT NULL,
    weekday_class  smallint NOT NULL,
    n              double precision NOT NULL,
    mean           double precision NOT NULL,
    m2             double precision NOT NULL,
    as_of          timestamptz NOT NULL,
    version        bigint NOT NULL,
    updated_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, scope, key, hour_class, weekday_class)
);
CREATE INDEX eta_service_version ON eta_service (account_id, version);
CREATE INDEX eta_service_age ON eta_service (as_of);

-- How wide an account's windows are, of vans that wait for their start and of those under way, by lead.
CREATE TABLE eta_window (
    account_id  bigint NOT NULL REFERENCES account,
    lead_s      double precision NOT NULL,      -- from this lead on
    early       double precision NOT NULL,      -- how far before and after what was expected a window reaches,
    late        double precision NOT NULL,      -- parts of the spread that the model expects
    n           double precision NOT NULL,      -- ETAs of late that it rests on
    alpha       double precision NOT NULL,      -- part of the arrivals left outside on either side
    updated_at  timestamptz NOT NULL DEFAULT now(),
    waits       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account_id, waits, lead_s)
);
