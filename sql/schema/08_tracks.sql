-- What follows --------------------------------------------------------------------------------------------------------

-- track, live and visit have no foreign keys: a take writes them for every driver in it, and a check would read and lock
-- the rows of drivers, accounts, routes and stops each time, against those who change plans. Their drivers' rows stay for ever
-- (a deleted one is marked), and who deletes tours deletes their visits (sql/operate/people.sql).

-- One row a driver: the fold of everything stored about them, up to folded_until.
CREATE TABLE track (
    lane           smallint NOT NULL,
    driver_id      bigint NOT NULL,
    account_id     bigint NOT NULL,
    version        bigint NOT NULL DEFAULT 0,
    plan_version   bigint NOT NULL DEFAULT 0,           -- raised by every write of a plan or a claim of this driver
    state          bytea,                               -- geo/fold/fold.py; null: nothing folded yet
    folded_until   timestamptz NOT NULL DEFAULT '-infinity',
    head_at        timestamptz NOT NULL DEFAULT '-infinity',  -- the time of the last ping or claim to fold
    stored_until   timestamptz NOT NULL DEFAULT '-infinity',  -- the greatest recorded_at stored, clocks ahead included
    rerun_from     timestamptz,                         -- fold again from here; null: nothing asked
    rerun_at       timestamptz NOT NULL DEFAULT '-infinity',  -- when the last re-run began
    unmarked       integer NOT NULL DEFAULT 0,          -- pings folded since the last checkpoint
    silent         boolean NOT NULL DEFAULT false,
    shifts_from    timestamptz,  -- shifts changed from here on: what is kept and held is judged again; null: none did
    -- something is to be folded; a column, because an index that looked at what every ping changes would hold the row's place
    unsettled      boolean NOT NULL GENERATED ALWAYS AS (folded_until < head_at OR rerun_from IS NOT NULL) STORED,
    PRIMARY KEY (lane, driver_id)
) WITH (fillfactor = 50);
CREATE INDEX track_unsettled ON track (lane) WHERE unsettled;

-- Places to start a re-run from; one about every 256 pings of a driver.
CREATE TABLE checkpoint (
    lane          smallint NOT NULL,
    driver_id     bigint NOT NULL,
    folded_until  timestamptz NOT NULL,
    state         bytea NOT NULL,
    PRIMARY KEY (lane, driver_id, folded_until)
);

-- Re-runs that take more than one take: what happened in each until the fold is past where it had been. Then the feed is
-- told, and the rows go.
CREATE TABLE rerun (
    lane       smallint NOT NULL,
    driver_id  bigint NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    after_at   timestamptz NOT NULL,  -- folded again from after here, until the next row
    goal_at    timestamptz NOT NULL,  -- where the fold had been
    happened   bytea NOT NULL,        -- geo/fold/state.py
    PRIMARY KEY (lane, driver_id, id)
);

-- The newest believed ping of each driver.
CREATE TABLE live (
    lane           smallint NOT NULL,
    driver_id      bigint NOT NULL,
    account_id     bigint NOT NULL,
    recorded_at    timestamptz NOT NULL,
    received_at    timestamptz NOT NULL,
    lat_e6         integer NOT NULL,
    lon_e6         integer NOT NULL,
    accuracy_m     real,
    speed_mps      real,
    heading_deg    real,
    battery        real,
    route_id       bigint,
    route_version  integer,
    on_route       boolean,
    along_m        double precision,
    offset_m       real,
    snapped_lat_e6 integer,
    snapped_lon_e6 integer,
    next_stop_id   bigint,
    delay_s        real,
    look_at        timestamptz NOT NULL DEFAULT now(),  -- when the driver's silence may have changed; infinity: as it is now it cannot
    PRIMARY KEY (lane, driver_id)
) WITH (fillfactor = 50);
CREATE INDEX live_account ON live (account_id);
CREATE INDEX live_route ON live (route_id);
CREATE INDEX live_due ON live (look_at);  -- not received_at, which every ping changes

-- The last message of a driver's phones that had no place in it: they live. Written by doors, beside the trackers.
CREATE TABLE heartbeat (
    lane         smallint NOT NULL,
    driver_id    bigint NOT NULL,
    received_at  timestamptz NOT NULL,
    battery      real,
    PRIMARY KEY (lane, driver_id)
) WITH (fillfactor = 50);

-- Arrival to departure at a stop or a geofence; visit_id is the same in every re-run.
CREATE TABLE visit (
    lane           smallint NOT NULL,
    visit_id       uuid NOT NULL,
    driver_id      bigint NOT NULL,
    account_id     bigint NOT NULL,
    route_id       bigint,
    route_version  integer,
    stop_id        bigint,
    geofence_id    bigint,
    arrived_at     timestamptz NOT NULL,
    departed_at    timestamptz,
    source         text NOT NULL CHECK (source IN ('auto', 'driver')),
    presumed       boolean NOT NULL DEFAULT false,  -- departed_at follows from silence: a ping may take it back
    certainty      real,                            -- of a stop: 0 to 1, how likely it is one; null: not known
    PRIMARY KEY (lane, visit_id)
);
CREATE INDEX visit_open ON visit (arrived_at) WHERE stop_id IS NOT NULL AND (departed_at IS NULL OR presumed);
CREATE INDEX visit_inside ON visit (account_id) WHERE geofence_id IS NOT NULL AND departed_at IS NULL;
CREATE INDEX visit_route ON visit (route_id, arrived_at);
CREATE INDEX visit_stop ON visit (stop_id);
CREATE INDEX visit_age ON visit (arrived_at);

-- Where a driver drove between leaving a route and coming back. Follows from the feed and from pings; `work` writes it.
CREATE TABLE detour (
    route_id    bigint NOT NULL REFERENCES route,
    driver_id   bigint NOT NULL REFERENCES driver,
    from_at     timestamptz NOT NULL,  -- of the fact route.off_route
    to_at       timestamptz NOT NULL,  -- of the next route.back_on_route
    source      text NOT NULL CHECK (source IN ('road', 'straight')),
    length_m    double precision NOT NULL,
    path        jsonb NOT NULL,        -- the coordinates of a GeoJSON MultiLineString
    pings       integer NOT NULL,      -- believed ones that it rests on
    checked_at  timestamptz,           -- null: the roads could not be asked. After a later re-run there may be other pings
    PRIMARY KEY (route_id, driver_id, from_at)
);
CREATE INDEX detour_driver ON detour (driver_id);
CREATE INDEX detour_end ON detour (to_at);
